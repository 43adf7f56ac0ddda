/**
 * nginx. Files of our own in the directory that nginx.conf includes: the TLS server with what it proxies to, and the
 * plain listener that redirects to it. The listener spares /.well-known/acme-challenge/ and comes first: it needs no
 * certificate, and answers for the first one.
 *
 * The upstream learns who the client is from three headers that a client cannot set, because all three are always
 * overwritten: X-Client-Verify (SUCCESS, NONE, FAILED:reason), X-Client-DN, X-Client-CN.
 *
 * Left out: OCSP stapling, which Let's Encrypt no longer answers, and preloading of HSTS, which cannot be taken back.
 */

import type { HostPort, ServiceSpec } from '../stack/stack.ts';
import { reloadOf } from './declared-action.ts';
import { DIRECTORY_SETTING, type PairPaths, pairLayout } from './pair-layout.ts';
import { listsMissing, revocationListsFile } from './revocation-lists.ts';
import { type Facts, type ServiceKind, type Trust, versionAtLeast } from './service-kind.ts';
import { awkwardText, firstOf, hostNames, numberSetting, requiredSetting, setting } from './setting.ts';
import { groupsFor, tlsPolicy } from './tls-policy.ts';

/** Browsers keep to TLS for so long after each visit: a mistake is over in five minutes, and a person may want more. */
const HSTS_SECONDS = 300;

/** Missing where the kernel has no IPv6: nginx does not start with a listener that it cannot have. */
const IPV6_ADDRESSES = '/proc/net/if_inet6';

export const nginx: ServiceKind = {
  name: 'nginx',
  settings: {
    config: { type: 'path', required: true, description: 'Directory of site files, such as /etc/nginx/conf.d.' },
    upstream: { type: 'url', required: false, description: 'What the site proxies to.' },
    root: { type: 'path', required: false, description: 'Directory of files that it serves in place of an upstream.' },
    redirectHttp: {
      type: 'port',
      required: false,
      description: 'Port of a plain listener that redirects to the site.',
    },
    webroot: {
      type: 'path',
      required: false,
      description: 'Served at /.well-known/acme-challenge/ by the plain listener; else the webroot of its issuer.',
    },
    include: { type: 'path', required: false, description: 'File with more directives for the TLS server.' },
    hsts: { type: 'string', required: false, description: 'max-age of HSTS in seconds, 0 for none; else 300.' },
    listen: { type: 'string', required: false, description: 'Address to listen on; else every one.' },
    command: { type: 'string', required: false, description: 'How nginx is called; else nginx.' },
    directory: DIRECTORY_SETTING,
  },
  protocol: 'https',
  // The master reads the key before its workers give up their privileges.
  users: [],
  profile: () => 'server',

  facts: (service) => ({ files: [IPV6_ADDRESSES], version: ['/bin/sh', '-c', `${command(service)} -v`] }),

  impossible: (service) =>
    firstOf(
      awkwardText(service, 'config', 'upstream', 'root', 'webroot', 'include', 'listen', 'directory'),
      setting(service, 'upstream') !== null && setting(service, 'root') !== null
        ? { key: 'root', why: 'a site has an upstream or a root, not both' }
        : null,
      setting(service, 'webroot') !== null && setting(service, 'redirectHttp') === null
        ? { key: 'webroot', why: 'it is served by the plain listener, which is not there: give redirectHttp its port' }
        : null,
      /^\d{1,9}$/.test(hsts(service))
        ? null
        : { key: 'hsts', why: `${JSON.stringify(hsts(service))} is no number of seconds, such as "31536000"` },
    ),

  unsupported: () => null,

  desired(service, facts, trust) {
    const config = requiredSetting(service, 'config').replace(/\/+$/, '');
    const { paths, ...install } = pairLayout(service, facts, config);
    const redirect = numberSetting(service, 'redirectHttp');
    return {
      install,
      configuration: [
        {
          kind: 'own-file',
          path: `${config}/fullchain-${service.name}-redirect.conf`,
          content: redirect === null ? null : file(service, redirectServer(service, redirect, facts, trust)),
          mode: 0o644,
          why: 'plain HTTP is redirected, and challenges of ACME are answered',
          beforeIssue: true,
        },
        revocationListsFile(paths, trust),
        {
          kind: 'own-file',
          path: `${config}/fullchain-${service.name}.conf`,
          content: file(service, [...maps(service), ...tlsServer(service, facts, paths, trust)]),
          mode: 0o644,
          why: 'serves the site with the installed pair',
        },
      ],
      check: { kind: 'shell', command: `${command(service)} -t`, why: 'nginx reads it all, and whether the pair fits' },
      reload: reloadOf(service, {
        kind: 'shell',
        command: `${command(service)} -s reload`,
        why: 'new workers take up the new pair; old ones finish what they serve',
      }),
      restart: null,
      notes: listsMissing(trust),
    };
  },
};

function command(service: ServiceSpec): string {
  return setting(service, 'command') ?? 'nginx';
}

function hsts(service: ServiceSpec): string {
  return setting(service, 'hsts') ?? String(HSTS_SECONDS);
}

function file({ name }: ServiceSpec, lines: readonly string[]): string {
  return `# Written by fullchain for the service "${name}": changes here are overwritten.\n${lines.join('\n')}\n`;
}

/** Variables are global to nginx: each site has its own. */
function variable({ name }: ServiceSpec, what: string): string {
  return `$fullchain_${name.replaceAll('_', '__').replaceAll('-', '_')}_${what}`;
}

/**
 * A distinguished name as RFC 2253 writes it, up to its first common name. Separators inside a value are escaped, and
 * an escaped one must not end the search: "O=x\,CN=admin" names no admin.
 */
const DN_UP_TO_CN = '^(?:(?:[^,+\\\\\\\\]|\\\\\\\\.)*[,+])*?CN=';

function maps(service: ServiceSpec): string[] {
  const { clients } = service;
  const commonName = variable(service, 'cn');
  return [
    `map $http_upgrade ${variable(service, 'connection')} {`,
    '    default upgrade;',
    '    "" close;',
    '}',
    ...(clients.kind === 'none'
      ? []
      : [
          `map $ssl_client_s_dn ${commonName} {`,
          '    default "";',
          `    "~${DN_UP_TO_CN}(?<${commonName.slice(1)}_found>(?:[^,+\\\\\\\\]|\\\\\\\\.)*)" ${commonName}_found;`,
          '}',
        ]),
    ...(clients.kind === 'required-names'
      ? [
          `map ${commonName} ${variable(service, 'allowed')} {`,
          '    default 0;',
          // Plain strings would be compared without regard to case.
          ...clients.names.map((name) => `    "~^${name.replace(/[.+]/g, '\\\\$&')}$" 1;`),
          '}',
        ]
      : []),
  ];
}

function tlsServer(service: ServiceSpec, facts: Facts, paths: PairPaths, trust: Trust): string[] {
  const include = setting(service, 'include');
  return [
    'server {',
    ...[
      ...tlsListeners(service, facts),
      `server_name ${hostNames(service.names).join(' ')};`,
      ...tlsDirectives(service, facts, paths),
      ...clientDirectives(service, paths, trust),
      ...(hsts(service) === '0' ? [] : [`add_header Strict-Transport-Security "max-age=${hsts(service)}" always;`]),
      ...(include === null ? [] : [`include ${include};`]),
      ...location(service, paths),
    ].map(indented),
    '}',
  ];
}

function tlsListeners(service: ServiceSpec, facts: Facts): string[] {
  // `http2 on` is unknown before 1.25.1, and the parameter of `listen` is deprecated since.
  const separate = versionAtLeast(facts.version, '1.25.1');
  return [
    ...listenOn(service, service.address?.port ?? 443, facts).map(
      (where) => `listen ${where} ssl${separate ? '' : ' http2'};`,
    ),
    ...(separate ? ['http2 on;'] : []),
  ];
}

function listenOn(service: ServiceSpec, port: number, { files }: Facts): string[] {
  const only = setting(service, 'listen');
  if (only !== null) return [`${only.includes(':') && !only.startsWith('[') ? `[${only}]` : only}:${port}`];
  return [String(port), ...(files[IPV6_ADDRESSES] == null ? [] : [`[::]:${port}`])];
}

function tlsDirectives({ tls }: ServiceSpec, { openssl }: Facts, { certificate, key }: PairPaths): string[] {
  const policy = tlsPolicy(tls);
  return [
    `ssl_certificate ${certificate};`,
    `ssl_certificate_key ${key};`,
    `ssl_protocols ${policy.versions.join(' ')};`,
    ...(policy.suites12.length > 0 ? [`ssl_ciphers ${policy.suites12.join(':')};`] : []),
    'ssl_prefer_server_ciphers off;',
    `ssl_ecdh_curve ${groupsFor(policy, openssl).join(':')};`,
    'ssl_session_timeout 1d;',
    'ssl_session_tickets off;',
  ];
}

function clientDirectives({ clients }: ServiceSpec, { ca, revocationLists }: PairPaths, trust: Trust): string[] {
  if (clients.kind === 'none') return ['ssl_session_cache shared:fullchain:10m;'];
  return [
    // A session taken up again in another server block would bring along what was verified there, or was not.
    'ssl_session_cache off;',
    `ssl_client_certificate ${ca};`,
    ...(trust.revocationLists === undefined ? [] : [`ssl_crl ${revocationLists};`]),
    `ssl_verify_client ${clients.kind === 'optional' ? 'optional' : 'on'};`,
    'ssl_verify_depth 4;',
  ];
}

function location(service: ServiceSpec, paths: PairPaths): string[] {
  const guard =
    service.clients.kind === 'required-names'
      ? [`if (${variable(service, 'allowed')} = 0) {`, '    return 403;', '}']
      : [];
  return ['location / {', ...[...guard, ...content(service, paths)].map(indented), '}'];
}

function content(service: ServiceSpec, { ca }: PairPaths): string[] {
  const root = setting(service, 'root');
  const upstream = setting(service, 'upstream');
  if (upstream === null)
    return root === null ? ['return 404;'] : [`root ${root};`, 'try_files $uri $uri/index.html =404;'];
  const identified = service.clients.kind !== 'none';
  return [
    `proxy_pass ${upstream};`,
    'proxy_http_version 1.1;',
    ...(upstream.startsWith('https:')
      ? [
          'proxy_ssl_server_name on;',
          'proxy_ssl_verify on;',
          'proxy_ssl_verify_depth 4;',
          `proxy_ssl_trusted_certificate ${ca};`,
        ]
      : []),
    'proxy_set_header Host $host;',
    'proxy_set_header X-Real-IP $remote_addr;',
    'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    'proxy_set_header X-Forwarded-Proto https;',
    'proxy_set_header Upgrade $http_upgrade;',
    `proxy_set_header Connection ${variable(service, 'connection')};`,
    `proxy_set_header X-Client-Verify ${identified ? '$ssl_client_verify' : 'NONE'};`,
    // An empty value takes the header out.
    `proxy_set_header X-Client-DN ${identified ? '$ssl_client_s_dn' : '""'};`,
    `proxy_set_header X-Client-CN ${identified ? variable(service, 'cn') : '""'};`,
    'proxy_read_timeout 1d;',
    'proxy_send_timeout 1d;',
  ];
}

function redirectServer(service: ServiceSpec, port: number, facts: Facts, { challengeWebroot }: Trust): string[] {
  const webroot = setting(service, 'webroot') ?? challengeWebroot ?? null;
  return [
    'server {',
    ...[
      ...listenOn(service, port, facts).map((where) => `listen ${where};`),
      `server_name ${hostNames(service.names).join(' ')};`,
      'location ^~ /.well-known/acme-challenge/ {',
      ...(webroot === null
        ? ['    return 404;']
        : [`    root ${webroot};`, '    default_type text/plain;', '    try_files $uri =404;']),
      '}',
      'location / {',
      `    return 301 https://$host${portOf(service.address)}$request_uri;`,
      '}',
    ].map(indented),
    '}',
  ];
}

function portOf(address: HostPort | null): string {
  return address === null || address.port === 443 ? '' : `:${address.port}`;
}

function indented(line: string): string {
  return `    ${line}`;
}
