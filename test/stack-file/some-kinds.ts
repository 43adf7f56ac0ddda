/** Settings of service kinds for tests of the stack file itself: one key of each type, and nothing that changes with the kinds. */
import type { ServiceKind } from '../../src/core/services/service-kind.ts';
import type { ServiceKindName } from '../../src/core/stack/stack.ts';

/** Nothing is, here. */
const impossible = () => null;
const optional = { required: false, description: 'Whatever it is.' } as const;
const config: ServiceKind['settings'] = { config: { type: 'path', required: true, description: 'Configuration.' } };

export const SOME_KINDS: Readonly<Record<ServiceKindName, Pick<ServiceKind, 'settings' | 'impossible'>>> = {
  nginx: {
    impossible,
    settings: {
      ...config,
      upstream: { type: 'url', ...optional },
      redirectHttp: { type: 'port', ...optional },
    },
  },
  postgresql: {
    impossible,
    settings: {
      data: { type: 'path', required: true, description: 'PGDATA.' },
      config: { type: 'path', ...optional },
    },
  },
  mysql: { impossible, settings: config },
  redis: { impossible, settings: { ...config, passwordFile: { type: 'path', ...optional } } },
  caddy: { impossible, settings: config },
  haproxy: { impossible, settings: config },
  prometheus: { impossible, settings: config },
  grafana: { impossible, settings: config },
  'node-exporter': { impossible, settings: config },
  postfix: { impossible, settings: config },
  dovecot: { impossible, settings: config },
  files: {
    impossible,
    settings: {
      certificate: { type: 'path', required: true, description: 'Chain, leaf first.' },
      key: { type: 'path', required: true, description: 'Key.' },
      ca: { type: 'path', ...optional },
      owner: { type: 'string', ...optional },
      mode: { type: 'mode', ...optional },
    },
  },
};
