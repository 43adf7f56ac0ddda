/**
 * Dovecot: a drop-in that is read last. 2.4 renamed what 2.3 calls ssl_cert and wants no "<" before the path; neither
 * starts with the words of the other.
 *
 * Dovecot accepts a pair that does not fit, and then refuses every login over TLS: the pair is proven before it gets
 * here. Between equal addresses (a client on the same host) 2.3 holds plaintext for as good as TLS, whatever `ssl` says.
 * Not here: SNI by local_name, the certificates of single protocols.
 */

import type { ServiceSpec } from '../stack/stack.ts';
import { reloadOf } from './declared-action.ts';
import { type MailProtocols, mailProtocol, protocolSetting, unknownMailProtocol } from './mail-protocol.ts';
import { DIRECTORY_SETTING, type PairPaths, pairLayout, parentDirectory } from './pair-layout.ts';
import { noRevocation } from './revocation-lists.ts';
import { type Facts, type ServiceKind, versionAtLeast } from './service-kind.ts';
import { awkwardText, clientsOtherThan, firstOf, requiredSetting } from './setting.ts';
import { groupsFor, oldestVersion, tlsPolicy } from './tls-policy.ts';

const IMAP = { starttls: 'imap', direct: 'imaps', directPort: 993 } as const satisfies MailProtocols;

export const dovecot: ServiceKind = {
  name: 'dovecot',
  settings: {
    config: { type: 'path', required: true, description: 'Directory of drop-ins, such as /etc/dovecot/conf.d.' },
    protocol: protocolSetting(IMAP),
    directory: DIRECTORY_SETTING,
  },
  protocol: 'imap',
  protocolOf: (service) => mailProtocol(service, IMAP),
  // Its configuration process reads the pair as root.
  users: [],
  profile: () => 'server',

  facts: () => ({ files: [], version: ['/bin/sh', '-c', 'PATH=$PATH:/usr/sbin dovecot --version'] }),

  impossible: (service) =>
    firstOf(
      awkwardText(service, 'config', 'directory'),
      unknownMailProtocol(service, IMAP),
      clientsOtherThan(
        service,
        ['none', 'required'],
        'goes on with a client whose certificate does not verify unless all must have one, and looks at no names',
      ),
    ),

  unsupported: (_service, { version }) =>
    version === null || versionAtLeast(version, '2.3') ? null : `Dovecot ${version} is too old: supported from 2.3 on`,

  desired(service, facts, trust) {
    const config = requiredSetting(service, 'config').replace(/\/+$/, '');
    const { paths, ...install } = pairLayout(service, facts, config);
    const main = `${parentDirectory(config)}/dovecot.conf`;
    const settings = settingsOf(service, facts, paths, trust.verifyClients);
    return {
      install,
      configuration: [
        {
          kind: 'own-file',
          path: `${config}/99-fullchain-${service.name}.conf`,
          content: [
            `# Written by fullchain for the service "${service.name}": changes here are overwritten.`,
            ...settings.map(([name, value]) => `${name} = ${value}`),
            '',
          ].join('\n'),
          mode: 0o644,
          why: 'no login without TLS, with the installed pair',
        },
      ],
      check: {
        kind: 'command',
        argv: ['/usr/bin/doveconf', '-c', main, '-n'],
        why: 'Dovecot reads its configuration; not whether the pair fits',
      },
      reload: reloadOf(service, {
        kind: 'command',
        argv: ['/usr/bin/doveadm', '-c', main, 'reload'],
        why: 'new connections get the new pair',
      }),
      restart: null,
      notes: noRevocation('Dovecot', trust),
    };
  },
};

function settingsOf(
  { tls }: ServiceSpec,
  { version, openssl }: Facts,
  { certificate, key, ca }: PairPaths,
  verifyClients: boolean,
): (readonly [name: string, value: string])[] {
  const policy = tlsPolicy(tls);
  const renamed = versionAtLeast(version, '2.4');
  return [
    ['ssl', 'required'],
    ...(renamed
      ? ([
          ['ssl_server_cert_file', certificate],
          ['ssl_server_key_file', key],
        ] as const)
      : ([
          ['ssl_cert', `<${certificate}`],
          ['ssl_key', `<${key}`],
        ] as const)),
    ['ssl_min_protocol', oldestVersion(policy)],
    ...(policy.suites12.length > 0 ? [['ssl_cipher_list', policy.suites12.join(':')] as const] : []),
    ['ssl_cipher_suites', policy.suites13.join(':')],
    ['ssl_curve_list', groupsFor(policy, openssl).join(':')],
    renamed ? ['ssl_server_prefer_ciphers', 'client'] : ['ssl_prefer_server_ciphers', 'no'],
    ...(verifyClients ? clientSettings(renamed, ca) : []),
  ];
}

function clientSettings(renamed: boolean, ca: string): (readonly [name: string, value: string])[] {
  return [
    renamed ? ['ssl_server_ca_file', ca] : ['ssl_ca', `<${ca}`],
    [renamed ? 'ssl_server_request_client_cert' : 'ssl_verify_client_cert', 'yes'],
    // Else a revocation list of every authority is expected in the same file.
    [renamed ? 'ssl_server_require_crl' : 'ssl_require_crl', 'no'],
    ['auth_ssl_require_client_cert', 'yes'],
  ];
}
