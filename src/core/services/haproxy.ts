/**
 * HAProxy. One file with chain and key, which can never be a mixed pair, for the `bind … ssl crt FILE` of a person's
 * own frontend; or, with `upstream`, a whole frontend in a marked block of haproxy.cfg.
 *
 * The upstream of that frontend learns who the client is from X-Client-Verify, X-Client-DN and X-Client-CN, always
 * overwritten. The reload is SIGUSR2 to the master (-W or -Ws): new workers take over the listeners, old ones finish.
 */

import type { ServiceSpec } from '../stack/stack.ts';
import { reloadOf } from './declared-action.ts';
import { IDENTITY_LOOKALIKES } from './identity-headers.ts';
import { DIRECTORY_SETTING, type PairPaths, pairLayout } from './pair-layout.ts';
import { listsMissing, revocationListsFile } from './revocation-lists.ts';
import type { Facts, Objection, ServiceKind, Trust } from './service-kind.ts';
import { awkwardText, clientsOtherThan, firstOf, missingFile, requiredSetting, setting } from './setting.ts';
import { groupsFor, oldestVersion, tlsPolicy } from './tls-policy.ts';

export const haproxy: ServiceKind = {
  name: 'haproxy',
  settings: {
    config: { type: 'path', required: true, description: 'haproxy.cfg.' },
    upstream: {
      type: 'url',
      required: false,
      description: 'What it proxies to, by a frontend of its own; else a frontend in haproxy.cfg names the pair.',
    },
    certificate: {
      type: 'path',
      isOwn: true,
      required: false,
      description: 'Fixed place of the file with chain and key; else below "directory".',
    },
    pidFile: { type: 'path', required: false, description: 'Process id of the master; else /run/haproxy.pid.' },
    directory: DIRECTORY_SETTING,
  },
  protocol: 'tls',
  // The master reads the pair before its workers give up their privileges.
  users: [],
  profile: () => 'server',

  facts: (service) => ({ files: [requiredSetting(service, 'config')], version: ['haproxy', '-v'] }),

  impossible: (service) =>
    firstOf(
      awkwardText(service, 'config', 'upstream', 'certificate', 'pidFile', 'directory'),
      upstreamFlaw(setting(service, 'upstream')),
      setting(service, 'upstream') === null
        ? clientsOtherThan(
            service,
            ['none'],
            'verifies clients by its bind line, which is a person’s own here; with "upstream" we write it',
          )
        : null,
    ),

  unsupported: (service, { files }) =>
    missingFile(files, requiredSetting(service, 'config'), 'HAProxy does not start without it'),

  desired(service, facts, trust) {
    const config = requiredSetting(service, 'config');
    const { paths, ...install } = pairLayout(service, facts, config, 'chain-first');
    const fixed = setting(service, 'certificate');
    const combined = fixed ?? paths.combined;
    const upstream = setting(service, 'upstream');
    return {
      install: { ...install, copies: fixed === null ? [] : [{ file: 'tls.pem', to: fixed, mode: 0o600 }] },
      configuration: [
        revocationListsFile(paths, trust),
        {
          kind: 'block',
          path: config,
          lines: upstream === null ? null : proxyLines(service, facts, { ...paths, combined }, trust, upstream),
          place: 'end',
          comment: '#',
          mode: 0o644,
          why: 'a frontend with the installed pair',
        },
      ],
      check: { kind: 'command', argv: ['haproxy', '-c', '-f', config], why: 'HAProxy reads it all, and the pair' },
      reload: reloadOf(service, {
        kind: 'signal',
        pidFile: setting(service, 'pidFile') ?? '/run/haproxy.pid',
        signal: 'SIGUSR2',
        why: 'the master starts new workers with the new pair; old ones finish what they serve',
      }),
      restart: null,
      ...(upstream === null && {
        byHand: {
          where: lineNaming(combined, config, facts.files[config] ?? ''),
          write: `write: bind … ${bindOptions(service, facts, { ...paths, combined }, trust)}`,
        },
      }),
      notes: [
        ...(upstream === null && !(facts.files[config] ?? '').includes(combined)
          ? [`no bind line of ${config} names the pair yet: bind … ssl crt ${combined}`]
          : []),
        ...listsMissing(trust),
      ],
    };
  },
};

/** "haproxy.cfg:12", or the file alone where no line names the pair. */
function lineNaming(pair: string, config: string, text: string): string {
  const line = text.split('\n').findIndex((one) => one.includes(pair) && !/^\s*#/.test(one));
  return line < 0 ? config : `${config}:${line + 1}`;
}

/** Host and port of the server; HAProxy's own words for the rest. */
const UPSTREAM = /^(https?):\/\/(\[[0-9a-fA-F:.]+\]|[^:/]+)(?::(\d+))?\/?$/;

function upstreamFlaw(upstream: string | null): Objection | null {
  return upstream === null || UPSTREAM.test(upstream)
    ? null
    : {
        key: 'upstream',
        why: `${upstream} has more than host and port, and HAProxy passes the path on as it is: take the path out`,
      };
}

function proxyLines(service: ServiceSpec, facts: Facts, paths: PairPaths, trust: Trust, upstream: string): string[] {
  const name = `fullchain-${service.name}`;
  const identified = service.clients.kind !== 'none';
  return [
    `frontend ${name}`,
    ...[
      'mode http',
      // Unless the defaults of the person's file say so, HAProxy warns about each timeout that it does not find.
      'timeout client 1m',
      `bind :::${service.address?.port ?? 443} v4v6 ${bindOptions(service, facts, paths, trust)}`,
      ...(service.clients.kind === 'required-names'
        ? [`http-request deny deny_status 403 unless { ssl_c_s_dn(cn) -m str ${service.clients.names.join(' ')} }`]
        : []),
      'http-request set-header X-Forwarded-Proto https',
      'http-request set-header X-Client-Verify NONE',
      'http-request del-header X-Client-DN',
      'http-request del-header X-Client-CN',
      ...IDENTITY_LOOKALIKES.map((name) => `http-request del-header ${name}`),
      ...(identified
        ? [
            'http-request set-header X-Client-Verify SUCCESS if { ssl_c_used }',
            'http-request set-header X-Client-DN "%[ssl_c_s_dn(,0,rfc2253)]" if { ssl_c_used }',
            'http-request set-header X-Client-CN "%[ssl_c_s_dn(cn)]" if { ssl_c_used }',
          ]
        : []),
      'option forwardfor',
      `default_backend ${name}`,
    ].map(indented),
    `backend ${name}`,
    ...['mode http', 'timeout connect 5s', 'timeout server 1m', 'timeout tunnel 1d', serverLine(upstream, paths)].map(
      indented,
    ),
  ];
}

function bindOptions(
  { tls, clients }: ServiceSpec,
  { openssl }: Facts,
  { combined, ca, revocationLists }: PairPaths,
  trust: Trust,
): string {
  const policy = tlsPolicy(tls);
  return [
    `ssl crt ${combined}`,
    'alpn h2,http/1.1',
    `ssl-min-ver ${oldestVersion(policy)}`,
    'no-tls-tickets',
    ...(policy.suites12.length > 0 ? [`ciphers ${policy.suites12.join(':')}`] : []),
    `ciphersuites ${policy.suites13.join(':')}`,
    `curves ${groupsFor(policy, openssl).join(':')}`,
    ...(clients.kind === 'none'
      ? []
      : [`ca-file ${ca} verify ${clients.kind === 'optional' ? 'optional' : 'required'}`]),
    ...(trust.revocationLists === undefined ? [] : [`crl-file ${revocationLists}`]),
  ].join(' ');
}

function serverLine(upstream: string, { ca }: PairPaths): string {
  const [, scheme, host = '', port] = UPSTREAM.exec(upstream) ?? [];
  const secure = scheme === 'https';
  const where = `${host}:${port ?? (secure ? 443 : 80)}`;
  // Verified by chain and by name, or not connected at all.
  return `server upstream ${where}${secure ? ` ssl verify required ca-file ${ca} sni str(${host}) verifyhost ${host}` : ''}`;
}

function indented(line: string): string {
  return `    ${line}`;
}
