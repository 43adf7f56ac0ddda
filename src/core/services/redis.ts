/**
 * Redis and Valkey. One block at the end of redis.conf, where the last value wins, and the same directives set live: a
 * running server changes from plaintext to TLS on the same port without a restart, and takes up a new pair, by one
 * CONFIG SET (measured on 7.0: `port 0` must come first, or the port is still taken when TLS wants it; all of it is
 * undone when any of it fails). Before 7.0 a command sets one directive, in the same order.
 *
 * Not here: Sentinel, and the certificates of the cluster bus on its own port.
 */

import type { ServiceSpec } from '../stack/stack.ts';
import { reloadOf, restartOf } from './declared-action.ts';
import { setMarkedBlock } from './marked-block.ts';
import { DIRECTORY_SETTING, type PairPaths, pairLayout } from './pair-layout.ts';
import { noRevocation } from './revocation-lists.ts';
import { type Action, type Facts, type Objection, type ServiceKind, versionAtLeast } from './service-kind.ts';
import { awkwardText, clientsOtherThan, firstOf, missingFile, requiredSetting, setting } from './setting.ts';
import { tlsPolicy } from './tls-policy.ts';

export const redis: ServiceKind = {
  name: 'redis',
  settings: {
    config: { type: 'path', isOwn: true, required: true, description: 'redis.conf.' },
    passwordFile: { type: 'path', required: false, description: 'File with the password of the default user.' },
    directory: DIRECTORY_SETTING,
  },
  protocol: 'redis',
  users: ['redis', 'valkey'],
  // Where clients are verified, so are replicas and our own CONFIG SET, which show the server's pair.
  profile: ({ clients }) => (clients.kind === 'none' ? 'server' : 'peer'),

  facts: (service) => ({
    files: [requiredSetting(service, 'config')],
    version: ['/bin/sh', '-c', 'redis-server --version || valkey-server --version'],
  }),

  impossible: (service) =>
    firstOf(
      awkwardText(service, 'config', 'directory'),
      clientsOtherThan(
        service,
        ['none', 'optional', 'required'],
        'does not look at the names in client certificates; clients: required lets in all that the authority issued',
      ),
      lockedOut(service),
    ),

  unsupported: (service, { files, version }) =>
    firstOf(
      missingFile(files, requiredSetting(service, 'config'), 'is "config" the file that the server was started with?'),
      version === null || versionAtLeast(version, '6') ? null : `Redis ${version} speaks no TLS: supported from 6.0 on`,
    ),

  desired(service, facts, trust) {
    const config = requiredSetting(service, 'config');
    const { paths, ...install } = pairLayout(service, facts, config);
    const outside = setMarkedBlock(facts.files[config] ?? '', service.name, null, STYLE);
    const directives = directivesOf(service, paths, outside);
    const reached = {
      kind: 'redis',
      ...door(service, outside),
      pair: install.directory,
    } as const;
    const changesPorts = facts.version === null || versionAtLeast(facts.version, '6.2.2');
    return {
      install,
      configuration: [
        {
          kind: 'block',
          path: config,
          lines: directives.map(([name, value]) => `${name} ${value.includes(' ') ? `"${value}"` : value}`),
          ...STYLE,
          mode: 0o640,
          why: 'TLS on the only port that is open',
        },
      ],
      check: null,
      reload: reloadOf(service, {
        ...reached,
        first: speaksTls(facts.files[config] ?? '') ? 'tls' : 'plaintext',
        commands: commandsFor(directives, facts),
        why: 'takes up configuration and pair live',
      }),
      restart: changesPorts
        ? null
        : restartOf(service, {
            kind: 'command',
            argv: ['systemctl', 'restart', 'redis-server'],
            why: `Redis ${facts.version} changes its ports only at a start`,
          }),
      removal: {
        ...reached,
        first: 'tls',
        commands: commandsFor(before(directives, outside), facts),
        why: 'serves as it did before',
      },
      notes: [...notes(outside), ...noRevocation('Redis', trust)],
    };
  },
};

/** Our own CONFIG SET shows the server's pair, which is no client's of the stack where another authority issued it. */
function lockedOut({ clients, issuer, reload }: ServiceSpec): Objection | null {
  if (clients.kind !== 'required' || issuer === 'internal' || reload !== null) return null;
  return {
    key: 'clients',
    why: `required needs a certificate of the stack's own authority to take up a new pair, and "${issuer}" issues this one: give "reload" a command that restarts the server, take issuer: internal, or clients: optional`,
  };
}

const STYLE = { place: 'end', comment: '#' } as const;

type Directive = readonly [name: string, value: string];

/** `port 0` first and `tls-port` last: live, the one must be free before the other is taken. */
function directivesOf(
  { address, clients, tls }: ServiceSpec,
  { certificate, key, ca }: PairPaths,
  outside: string,
): Directive[] {
  const policy = tlsPolicy(tls);
  return [
    ['port', '0'],
    ['tls-cert-file', certificate],
    ['tls-key-file', key],
    ['tls-ca-cert-file', ca],
    ['tls-auth-clients', AUTH_CLIENTS[clients.kind]],
    ['tls-protocols', policy.versions.join(' ')],
    ...(policy.suites12.length > 0 ? [['tls-ciphers', policy.suites12.join(':')] as const] : []),
    ['tls-ciphersuites', policy.suites13.join(':')],
    ['tls-replication', 'yes'],
    ...(isCluster(outside) ? [['tls-cluster', 'yes'] as const] : []),
    ['tls-port', String(address?.port ?? DEFAULT_PORT)],
  ];
}

const DEFAULT_PORT = 6379;
const AUTH_CLIENTS = { none: 'no', optional: 'optional', required: 'yes', 'required-names': 'yes' } as const;

function commandsFor(directives: readonly Directive[], { version }: Facts): (readonly string[])[] {
  return versionAtLeast(version, '7')
    ? [['CONFIG', 'SET', ...directives.flat()]]
    : directives.map(([name, value]) => ['CONFIG', 'SET', name, value]);
}

/** Where the server may be listening: as the stack file has it, and as the person's own part of the file does. */
function door(service: ServiceSpec, outside: string): Pick<RedisAction, 'host' | 'ports' | 'passwordFile'> {
  const { host, port } = service.address ?? { host: '127.0.0.1', port: DEFAULT_PORT };
  return {
    host,
    ports: [...new Set([port, plainPort(outside)])].filter((one) => one > 0),
    passwordFile: setting(service, 'passwordFile'),
  };
}

type RedisAction = Extract<Action, { kind: 'redis' }>;

function speaksTls(text: string): boolean {
  return (valuesOf(text, 'tls-port').at(-1) ?? '0') !== '0';
}

/** What the person's own part says where the block no longer does. The TLS port first: it may be the plain one. */
function before(directives: readonly Directive[], outside: string): Directive[] {
  const own = directives.flatMap(([name]): Directive[] => {
    const value = valuesOf(outside, name).at(-1);
    return value === undefined || name === 'port' || name === 'tls-port' ? [] : [[name, value]];
  });
  return [['tls-port', valuesOf(outside, 'tls-port').at(-1) ?? '0'], ['port', String(plainPort(outside))], ...own];
}

/** As the person's own part of the file has it. */
function plainPort(outside: string): number {
  return Number(valuesOf(outside, 'port').at(-1) ?? DEFAULT_PORT);
}

function isCluster(outside: string): boolean {
  return valuesOf(outside, 'cluster-enabled').at(-1) === 'yes';
}

function valuesOf(outside: string, directive: string): string[] {
  return [...outside.matchAll(/^[ \t]*([\w-]+)[ \t]+"?([^"\r\n]*?)"?[ \t]*\r?$/gm)].flatMap(([, name, value]) =>
    name?.toLowerCase() === directive && value !== undefined ? [value] : [],
  );
}

function notes(outside: string): string[] {
  return [
    ...(valuesOf(outside, 'replicaof').length + valuesOf(outside, 'slaveof').length > 0
      ? ['this is a replica: from now on it asks its primary for TLS, which must have it already']
      : []),
    ...(isCluster(outside) ? ['the nodes of a cluster change to TLS together: apply to all of them at once'] : []),
    ...(valuesOf(outside, 'rename-command').some((value) => /^CONFIG\b/i.test(value))
      ? ['CONFIG is renamed here and cannot be used: give "reload" a command that restarts the server']
      : []),
  ];
}
