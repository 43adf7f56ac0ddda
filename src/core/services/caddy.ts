/**
 * Caddy with file certificates: a file with the `tls` directive, which a site in the Caddyfile imports; with `upstream`
 * the site too, in a marked block of the Caddyfile. Whoever can point Caddy at an ACME server does not need this.
 *
 * The upstream of that site learns who the client is from X-Client-Verify, X-Client-DN and X-Client-CN, always
 * overwritten. `caddy reload` without --force says "config is unchanged" and goes on with the old pair (measured on 2.6).
 */

import type { ServiceSpec } from '../stack/stack.ts';
import { reloadOf } from './declared-action.ts';
import { IDENTITY_LOOKALIKES } from './identity-headers.ts';
import { DIRECTORY_SETTING, type PairPaths, pairLayout, parentDirectory } from './pair-layout.ts';
import { noRevocation } from './revocation-lists.ts';
import { type Facts, type ServiceKind, versionAtLeast } from './service-kind.ts';
import { awkwardText, clientsOtherThan, firstOf, hostNames, missingFile, requiredSetting, setting } from './setting.ts';
import { SUITES_12, TLS_GROUPS, type TlsGroup, tlsPolicy } from './tls-policy.ts';

export const caddy: ServiceKind = {
  name: 'caddy',
  settings: {
    config: { type: 'path', required: true, description: 'The Caddyfile.' },
    upstream: {
      type: 'url',
      required: false,
      description: 'What it proxies to, by a site of its own; else a site of the Caddyfile imports the pair.',
    },
    admin: { type: 'string', required: false, description: 'Address of the admin endpoint; else localhost:2019.' },
    directory: DIRECTORY_SETTING,
  },
  protocol: 'https',
  users: ['caddy'],
  profile: () => 'server',

  facts: (service) => ({ files: [requiredSetting(service, 'config')], version: ['caddy', 'version'] }),

  impossible: (service) =>
    firstOf(
      awkwardText(service, 'config', 'upstream', 'admin', 'directory'),
      clientsOtherThan(
        service,
        ['none', 'optional', 'required'],
        'does not look at the names in client certificates; clients: required lets in all that the authority issued',
      ),
      service.clients.kind !== 'none' && !service.names.some(({ kind }) => kind === 'dns')
        ? { key: 'clients', why: `${service.clients.kind} needs a DNS name in "names": ${BY_ADDRESS}` }
        : null,
    ),

  unsupported: (service, { files }) =>
    missingFile(files, requiredSetting(service, 'config'), 'is "config" the Caddyfile?'),

  desired(service, facts, trust) {
    const config = requiredSetting(service, 'config');
    const { paths, ...install } = pairLayout(service, facts, config);
    const directive = `${parentDirectory(config)}/fullchain-${service.name}.tls`;
    const upstream = setting(service, 'upstream');
    const admin = setting(service, 'admin');
    const isImported = upstream !== null || (facts.files[config] ?? '').includes(`fullchain-${service.name}.tls`);
    return {
      install,
      configuration: [
        {
          kind: 'own-file',
          path: directive,
          content: tlsDirective(service, facts, paths, trust.verifyClients),
          mode: 0o644,
          why: 'names the installed pair and the TLS that is spoken',
        },
        {
          kind: 'block',
          path: config,
          lines: upstream === null ? null : siteLines(service, directive, upstream),
          place: 'end',
          comment: '#',
          mode: 0o644,
          why: 'a site with the installed pair',
        },
      ],
      check: {
        kind: 'command',
        argv: ['caddy', 'validate', '--config', config, '--adapter', 'caddyfile'],
        why: 'Caddy reads it all, and whether the pair fits',
      },
      reload: reloadOf(service, {
        kind: 'command',
        argv: [
          'caddy',
          'reload',
          '--force',
          '--config',
          config,
          '--adapter',
          'caddyfile',
          ...(admin === null ? [] : ['--address', admin]),
        ],
        why: 'Caddy takes up configuration and pair; connections go on',
      }),
      restart: null,
      ...(!isImported && { byHand: { where: config, write: `write in the site: import ${directive}` } }),
      notes: [
        ...(isImported ? [] : [`no site of ${config} uses the pair yet: import ${directive}`]),
        ...(trust.verifyClients && service.names.some(({ kind }) => kind === 'ip')
          ? [`${BY_ADDRESS}, at other sites of this port too; let clients connect by a DNS name`]
          : []),
        ...noRevocation('Caddy', trust),
      ],
    };
  },
};

/**
 * Not to be mended by strict_sni_host: without it whoever names another site in the handshake, or none, reaches this one
 * without a certificate (measured on 2.6). default_sni does not help: the name that is compared is the client's.
 */
const BY_ADDRESS =
  'where clients are verified Caddy answers 421 to whoever connects by IP address, since no handshake names one';

function tlsDirective(
  service: ServiceSpec,
  facts: Facts,
  { certificate, key, ca }: PairPaths,
  verifyClients: boolean,
): string {
  const policy = tlsPolicy(service.tls);
  const [oldest = 'TLSv1.2', newest = oldest] = policy.versions;
  return [
    `# Written by fullchain for the service "${service.name}": changes here are overwritten.`,
    `tls ${certificate} ${key} {`,
    `\tprotocols ${[oldest, newest].map((version) => version.toLowerCase().replace('v', '')).join(' ')}`,
    ...(policy.suites12.length > 0 ? [`\tciphers ${policy.suites12.map((suite) => SUITES_12[suite]).join(' ')}`] : []),
    `\tcurves ${curves(policy.groups, facts.version).join(' ')}`,
    ...(verifyClients
      ? [
          '\tclient_auth {',
          `\t\tmode ${service.clients.kind === 'optional' ? 'verify_if_given' : 'require_and_verify'}`,
          // Renamed in 2.8; the old word was taken out later.
          versionAtLeast(facts.version, '2.8') ? `\t\ttrust_pool file ${ca}` : `\t\ttrusted_ca_cert_file ${ca}`,
          '\t}',
        ]
      : []),
    '}',
    '',
  ].join('\n');
}

/** Go's own TLS, not OpenSSL's: the hybrid group came with 2.10. */
function curves(groups: readonly TlsGroup[], version: string | null): string[] {
  return groups
    .filter((group) => group !== 'X25519MLKEM768' || versionAtLeast(version, '2.10'))
    .map((group) => TLS_GROUPS[group].caddy);
}

function siteLines(service: ServiceSpec, directive: string, upstream: string): string[] {
  const port = service.address?.port ?? 443;
  const addresses = hostNames(service.names).map(
    (name) => `https://${name.includes(':') ? `[${name}]` : name}:${port}`,
  );
  return [
    `${addresses.join(', ')} {`,
    `\timport ${directive}`,
    ...(service.clients.kind === 'none' ? [] : IDENTITY_MATCHERS),
    // In this order: what a client sends under these names never gets through.
    '\troute {',
    '\t\trequest_header -X-Client-DN',
    '\t\trequest_header -X-Client-CN',
    ...IDENTITY_LOOKALIKES.map((name) => `\t\trequest_header -${name}`),
    '\t\trequest_header X-Client-Verify NONE',
    ...(service.clients.kind === 'none' ? [] : IDENTITY_HEADERS),
    `\t\treverse_proxy ${upstream}`,
    '\t}',
    '}',
  ];
}

/** A name as RFC 2253 writes it, up to its first common name; an escaped separator does not end a value. */
const IDENTITY_MATCHERS = [
  // Without a certificate the words stay as they stand here.
  '\t@verified vars_regexp {http.request.tls.client.fingerprint} `^[0-9a-f]+$`',
  '\t@named vars_regexp client {http.request.tls.client.subject} `^(?:(?:[^,+\\\\]|\\\\.)*[,+])*?CN=((?:[^,+\\\\]|\\\\.)*)`',
];
const IDENTITY_HEADERS = [
  '\t\trequest_header @verified X-Client-Verify SUCCESS',
  '\t\trequest_header @verified X-Client-DN {http.request.tls.client.subject}',
  '\t\trequest_header @named X-Client-CN {http.regexp.client.1}',
];
