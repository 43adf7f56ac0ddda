/**
 * Postfix, from 3.4 on: a block at the end of main.cf, where the last value wins, with key and chain in one file that can
 * never be a mixed pair. `security` is "encrypt" where clients must use TLS (submission, relays inside), and "may" on a
 * public mail exchanger, which RFC 3207 §4 forbids to insist: "A publicly-referenced SMTP server MUST NOT require use
 * of the STARTTLS extension in order to deliver mail locally."
 *
 * `postfix check` and `postfix reload` know nothing of a pair that does not fit: smtpd then offers no STARTTLS at all, and
 * only a handshake shows it. Not here: Postfix as a client (smtp_tls_…), settings of single services in master.cf.
 */

import type { ServiceSpec } from '../stack/stack.ts';
import { reloadOf } from './declared-action.ts';
import { type MailProtocols, mailProtocol, protocolSetting, unknownMailProtocol } from './mail-protocol.ts';
import { setMarkedBlock } from './marked-block.ts';
import { DIRECTORY_SETTING, type PairPaths, pairLayout, parentDirectory } from './pair-layout.ts';
import { noRevocation } from './revocation-lists.ts';
import { type Facts, type ServiceKind, versionAtLeast } from './service-kind.ts';
import { awkwardText, clientsOtherThan, firstOf, missingFile, requiredSetting, setting } from './setting.ts';
import { groupsFor, tlsPolicy } from './tls-policy.ts';

const SMTP = { starttls: 'smtp', direct: 'smtps', directPort: 465 } as const satisfies MailProtocols;

export const postfix: ServiceKind = {
  name: 'postfix',
  settings: {
    config: { type: 'path', isOwn: true, required: true, description: 'main.cf.' },
    security: {
      type: 'string',
      required: false,
      description: '"encrypt": TLS or nothing; "may" for a public mail exchanger; else encrypt.',
    },
    protocol: protocolSetting(SMTP),
    directory: DIRECTORY_SETTING,
  },
  protocol: 'smtp',
  protocolOf: (service) => mailProtocol(service, SMTP),
  // Its daemons read the pair before they give up their privileges.
  users: [],
  profile: () => 'server',

  facts: (service) => ({
    files: [requiredSetting(service, 'config')],
    version: ['/bin/sh', '-c', 'PATH=$PATH:/usr/sbin postconf -d -h mail_version'],
  }),

  impossible: (service) =>
    firstOf(
      awkwardText(service, 'config', 'directory'),
      unknownMailProtocol(service, SMTP),
      ['encrypt', 'may'].includes(security(service))
        ? null
        : { key: 'security', why: `${JSON.stringify(security(service))} is neither encrypt nor may` },
      clientsOtherThan(
        service,
        security(service) === 'encrypt' ? ['none', 'required'] : ['none'],
        security(service) === 'encrypt'
          ? 'goes on with a client whose certificate does not verify unless all must have one, and looks at no names'
          : 'can ask for certificates only where TLS is required (security: encrypt)',
      ),
    ),

  unsupported: (service, { files, version }) =>
    firstOf(
      missingFile(files, requiredSetting(service, 'config'), 'is "config" main.cf?'),
      version === null || versionAtLeast(version, '3.4')
        ? null
        : `Postfix ${version} is too old: supported from 3.4 on`,
    ),

  desired(service, facts, trust) {
    const { files } = facts;
    const config = requiredSetting(service, 'config');
    const { paths, ...install } = pairLayout(service, facts, config, 'key-first');
    const postfixCommand = (verb: string): string[] => ['/usr/sbin/postfix', '-c', parentDirectory(config), verb];
    return {
      install,
      configuration: [
        {
          kind: 'block',
          path: config,
          lines: parameters(service, facts, paths).map(([name, value]) => `${name} = ${value}`),
          place: 'end',
          comment: '#',
          mode: 0o644,
          why: 'offers STARTTLS with the installed pair',
        },
      ],
      check: { kind: 'command', argv: postfixCommand('check'), why: 'Postfix looks at its files; not at the pair' },
      reload: reloadOf(service, {
        kind: 'command',
        argv: postfixCommand('reload'),
        why: 'new daemons take up the new pair; old ones finish their session',
      }),
      restart: null,
      // Where TLS comes first nobody can.
      ...(security(service) === 'may' &&
        mailProtocol(service, SMTP) === 'smtp' && {
          plaintextTaken: 'security: may lets clients go on in plaintext, as a public mail exchanger must',
        }),
      notes: [
        ...(security(service) === 'may'
          ? ['security: may lets clients go on in plaintext, as a public mail exchanger must; verify says so']
          : []),
        ...noRevocation('Postfix', trust),
        ...overridden(service, files[config] ?? '', parameters(service, facts, paths)),
      ],
    };
  },
};

function security(service: ServiceSpec): string {
  return setting(service, 'security') ?? 'encrypt';
}

function parameters(
  service: ServiceSpec,
  { openssl, version }: Facts,
  { combined, ca }: PairPaths,
): (readonly [name: string, value: string])[] {
  const policy = tlsPolicy(service.tls);
  const protocols = protocolsFrom(policy.versions.includes('TLSv1.2'), version);
  return [
    ['smtpd_tls_security_level', security(service)],
    ['smtpd_tls_auth_only', 'yes'],
    ['smtpd_tls_chain_files', combined],
    ['smtpd_tls_protocols', protocols],
    ['smtpd_tls_mandatory_protocols', protocols],
    ['smtpd_tls_ciphers', 'medium'],
    ['smtpd_tls_mandatory_ciphers', 'medium'],
    // What "medium" means, to clients and to servers; with TLS 1.3 alone it is never asked.
    ...(policy.suites12.length > 0 ? [['tls_medium_cipherlist', policy.suites12.join(':')] as const] : []),
    ['tls_preempt_cipherlist', 'no'],
    ['smtpd_tls_eecdh_grade', 'auto'],
    ['tls_eecdh_auto_curves', groupsFor(policy, openssl).join(' ')],
    ...(service.clients.kind === 'none'
      ? []
      : ([
          ['smtpd_tls_CAfile', ca],
          ['smtpd_tls_ask_ccert', 'yes'],
          ['smtpd_tls_req_ccert', 'yes'],
        ] as const)),
  ];
}

/** The last value wins, and every Postfix program warns of the one before: the line is the person's to take out. */
function overridden(
  { name, settings: { config } }: ServiceSpec,
  mainCf: string,
  ours: readonly (readonly [name: string, value: string])[],
): string[] {
  const lines = setMarkedBlock(mainCf, name, null, { place: 'end', comment: '#' }).split('\n');
  return ours.flatMap(([parameter]) => {
    const line = lines.findIndex((text) => text.split('=')[0]?.trimEnd() === parameter);
    return line < 0
      ? []
      : [
          `${config}:${line + 1}: the block's ${parameter} overrides this line; take it out, or Postfix warns of it each time`,
        ];
  });
}

/** 3.6 learned to say "at least". */
function protocolsFrom(with12: boolean, version: string | null): string {
  if (versionAtLeast(version, '3.6')) return with12 ? '>=TLSv1.2' : '>=TLSv1.3';
  return `!SSLv2, !SSLv3, !TLSv1, !TLSv1.1${with12 ? '' : ', !TLSv1.2'}`;
}
