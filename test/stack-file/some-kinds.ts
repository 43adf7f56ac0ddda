/** Settings of service kinds for tests of the stack file itself: one key of each type, and nothing that changes with the kinds. */
import type { ServiceKind } from '../../src/core/services/service-kind.ts';
import type { ServiceKindName } from '../../src/core/stack/stack.ts';

const optional = { required: false, description: 'Whatever it is.' } as const;
const config: ServiceKind['settings'] = { config: { type: 'path', required: true, description: 'Configuration.' } };

export const SOME_KINDS: Readonly<Record<ServiceKindName, Pick<ServiceKind, 'settings'>>> = {
  nginx: {
    settings: {
      ...config,
      upstream: { type: 'url', ...optional },
      redirectHttp: { type: 'port', ...optional },
    },
  },
  postgresql: {
    settings: {
      data: { type: 'path', required: true, description: 'PGDATA.' },
      config: { type: 'path', ...optional },
    },
  },
  mysql: { settings: config },
  redis: { settings: { ...config, passwordFile: { type: 'path', ...optional } } },
  caddy: { settings: config },
  haproxy: { settings: config },
  prometheus: { settings: config },
  grafana: { settings: config },
  'node-exporter': { settings: config },
  postfix: { settings: config },
  dovecot: { settings: config },
  files: {
    settings: {
      certificate: { type: 'path', required: true, description: 'Chain, leaf first.' },
      key: { type: 'path', required: true, description: 'Key.' },
      ca: { type: 'path', ...optional },
      owner: { type: 'string', ...optional },
      mode: { type: 'mode', ...optional },
    },
  },
};
