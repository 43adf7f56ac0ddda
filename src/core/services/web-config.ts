/**
 * Prometheus and every program with its exporter toolkit (node_exporter, blackbox_exporter, alertmanager …): a block in
 * the file that `--web.config.file` names. The file, and the pair, are read anew at every handshake: there is nothing to
 * reload, and a pair swapped by one link is never seen half. Only the change from plaintext to TLS takes a restart.
 */

import type { ServiceSpec } from '../stack/stack.ts';
import { restartOf } from './declared-action.ts';
import { setMarkedBlock } from './marked-block.ts';
import type { PairPaths } from './pair-layout.ts';
import type { Action, ConfigurationChange, Facts, SettingShape } from './service-kind.ts';
import { oldestVersion, SUITES_12, TLS_GROUPS, tlsPolicy } from './tls-policy.ts';

export const WEB_CONFIG_SETTING = {
  type: 'path',
  isOwn: true,
  required: true,
  description: 'The file that --web.config.file names.',
} as const satisfies SettingShape;

const STYLE = { place: 'end', comment: '#' } as const;

export function webConfigBlock(service: ServiceSpec, path: string, paths: PairPaths): ConfigurationChange {
  return {
    kind: 'block',
    path,
    lines: webConfigLines(service, paths),
    ...STYLE,
    // Read by the service's own user; passwords in it are hashes.
    mode: 0o644,
    why: 'serves TLS with the installed pair',
  };
}

function webConfigLines({ tls, clients }: ServiceSpec, { certificate, key, ca }: PairPaths): string[] {
  const policy = tlsPolicy(tls);
  return [
    'tls_server_config:',
    ...[
      `cert_file: ${certificate}`,
      `key_file: ${key}`,
      `min_version: ${oldestVersion(policy).replace('v', '').replace('.', '')}`,
      ...(policy.suites12.length > 0
        ? ['cipher_suites:', ...policy.suites12.map((suite) => `  - ${SUITES_12[suite]}`)]
        : []),
      'curve_preferences:',
      ...policy.groups.flatMap((group) => (TLS_GROUPS[group].go === null ? [] : [`  - ${TLS_GROUPS[group].go}`])),
      'prefer_server_cipher_suites: false',
      ...(clients.kind === 'none'
        ? []
        : [
            `client_ca_file: ${ca}`,
            `client_auth_type: ${clients.kind === 'optional' ? 'VerifyClientCertIfGiven' : 'RequireAndVerifyClientCert'}`,
          ]),
      ...(clients.kind === 'required-names'
        ? ['client_allowed_sans:', ...clients.names.map((name) => `  - ${JSON.stringify(name)}`)]
        : []),
    ].map((line) => `  ${line}`),
  ];
}

/** A second one would make the file unreadable, for a program that reads it at every handshake. */
export function ownServerConfig(service: ServiceSpec, { files }: Facts, path: string): string | null {
  return /^tls_server_config\s*:/m.test(outsideOf(service, files, path))
    ? `${path} has a tls_server_config of its own: take it out, the block of this service has another`
    : null;
}

/** Whether to serve TLS is decided at a start: after its settings were taken out, the program is started again. */
export function restartAfterRemoval(service: ServiceSpec, unit: string): { readonly removal?: Action } {
  const removal = restartOf(service, {
    kind: 'command',
    argv: ['systemctl', 'restart', unit],
    why: 'it serves plaintext again only after a start',
  });
  return removal === null ? {} : { removal };
}

/** null where the program serves TLS already: it was started with such a file. */
export function restartFromPlaintext(
  service: ServiceSpec,
  { files }: Facts,
  path: string,
  unit: string,
): Action | null {
  if (/^tls_server_config\s*:/m.test(files[path] ?? '')) return null;
  return restartOf(service, {
    kind: 'command',
    argv: ['systemctl', 'restart', unit],
    why: `whether to serve TLS is decided at a start (with --web.config.file=${path})`,
  });
}

function outsideOf(service: ServiceSpec, files: Facts['files'], path: string): string {
  return setMarkedBlock(files[path] ?? '', service.name, null, STYLE);
}
