/**
 * MariaDB and MySQL: a drop-in for the server, which refuses plaintext over TCP and leaves the Unix socket as it is.
 *
 * MariaDB takes a new pair by FLUSH SSL (from 10.4 on) and TLS itself only at a start. MySQL (from 8.0.16 on) takes
 * both by setting its variables and ALTER INSTANCE RELOAD TLS, which MariaDB does not know. Both refuse a pair that does
 * not fit and keep the old one; both read the key after they have become their own user.
 *
 * Users are not touched: who must show a certificate is said per user (REQUIRE X509, REQUIRE SUBJECT), by their owner.
 * Not here: Galera (wsrep_provider_options), the X protocol's port.
 */

import type { ServiceSpec } from '../stack/stack.ts';
import { reloadOf, restartOf } from './declared-action.ts';
import { DIRECTORY_SETTING, type PairPaths, pairLayout } from './pair-layout.ts';
import { listsMissing, revocationListsFile } from './revocation-lists.ts';
import { type Action, type Facts, type ServiceKind, type Trust, versionAtLeast } from './service-kind.ts';
import { awkwardText, clientsOtherThan, firstOf, requiredSetting, setting } from './setting.ts';
import { tlsPolicy } from './tls-policy.ts';

export const mysql: ServiceKind = {
  name: 'mysql',
  settings: {
    config: { type: 'path', required: true, description: 'Directory of drop-ins, such as /etc/mysql/conf.d.' },
    socket: { type: 'path', required: false, description: 'Socket of the server; else the client’s usual one.' },
    login: {
      type: 'path',
      required: false,
      description: 'Option file with user and password for the reload; else root over the socket.',
    },
    directory: DIRECTORY_SETTING,
  },
  protocol: 'mysql',
  users: ['mysql'],
  profile: () => 'server',

  facts: () => ({
    files: [],
    version: ['/bin/sh', '-c', 'mariadbd --version || mysqld --version || /usr/sbin/mysqld --version'],
  }),

  impossible: (service) =>
    firstOf(
      awkwardText(service, 'config', 'socket', 'login', 'directory'),
      clientsOtherThan(
        service,
        ['none', 'optional'],
        'asks for certificates user by user: ALTER USER … REQUIRE X509, with clients: optional here',
      ),
    ),

  unsupported: (_service, { version }) =>
    version === null || versionAtLeast(version, isMariaDb(version) ? '10.4' : '8.0.16')
      ? null
      : `version ${version} is too old: supported are MariaDB from 10.4 and MySQL from 8.0.16 on`,

  desired(service, facts, trust) {
    const config = requiredSetting(service, 'config').replace(/\/+$/, '');
    const { paths, ...install } = pairLayout(service, facts, config);
    const mariaDb = isMariaDb(facts.version);
    const variables = variablesOf(service, facts, paths, trust);
    return {
      install,
      configuration: [
        revocationListsFile(paths, trust),
        {
          kind: 'own-file',
          // Drop-ins are read in the order of their names, and the last value wins.
          path: `${config}/zz-fullchain-${service.name}.cnf`,
          content: dropIn(service, variables),
          mode: 0o644,
          why: 'TLS with the installed pair, and nothing else over TCP',
        },
      ],
      check: null,
      reload: reloadOf(
        service,
        mariaDb
          ? sql(service, mariaDb, 'FLUSH SSL', 'MariaDB reads the pair again, and refuses one that does not fit')
          : sql(service, mariaDb, mysqlLive(variables), 'MySQL takes up configuration and pair live'),
      ),
      restart: mariaDb
        ? restartOf(service, {
            kind: 'command',
            argv: ['systemctl', 'restart', 'mariadb'],
            why: 'MariaDB begins with TLS only at a start',
          })
        : null,
      // MariaDB 10.11 says "access denied" to the right password in plaintext, as it does to a wrong one (measured).
      plaintextRefused: {
        action: sql(
          service,
          mariaDb,
          'SELECT @@require_secure_transport',
          'asks the server whether it refuses plaintext',
        ),
        output: '1',
      },
      notes: listsMissing(trust),
    };
  },
};

/** MariaDB counts from 10, and MySQL has not got there. Where nobody knows, what Debian has. */
function isMariaDb(version: string | null): boolean {
  return version === null || versionAtLeast(version, '10');
}

function variablesOf(
  { tls }: ServiceSpec,
  { version }: Facts,
  { certificate, key, ca, revocationLists }: PairPaths,
  trust: Trust,
): (readonly [name: string, value: string])[] {
  const policy = tlsPolicy(tls);
  const suites = isMariaDb(version)
    ? // One list for both versions; OpenSSL takes from it what belongs to each.
      [['ssl_cipher', [...policy.suites13, ...policy.suites12].join(':')] as const]
    : [
        ...(policy.suites12.length > 0 ? [['ssl_cipher', policy.suites12.join(':')] as const] : []),
        ['tls_ciphersuites', policy.suites13.join(':')] as const,
      ];
  return [
    ['ssl_cert', certificate],
    ['ssl_key', key],
    // Naming it asks clients for a certificate, and verifies the one that they show.
    ...(trust.verifyClients ? [['ssl_ca', ca] as const] : []),
    ...(trust.revocationLists === undefined ? [] : [['ssl_crl', revocationLists] as const]),
    ['tls_version', policy.versions.join(',')],
    ...suites,
    ['require_secure_transport', 'ON'],
  ];
}

function dropIn({ name }: ServiceSpec, variables: readonly (readonly [name: string, value: string])[]): string {
  return [
    `# Written by fullchain for the service "${name}": changes here are overwritten.`,
    '[mysqld]',
    ...variables.map(([variable, value]) => `${variable} = ${value}`),
    '',
  ].join('\n');
}

/** The pair first: plaintext is refused only where TLS is there in its place. */
function mysqlLive(variables: readonly (readonly [name: string, value: string])[]): string {
  const set = variables
    .filter(([name]) => name !== 'require_secure_transport')
    .map(([name, value]) => `SET GLOBAL ${name} = '${value}'`);
  return [...set, 'ALTER INSTANCE RELOAD TLS', 'SET GLOBAL require_secure_transport = ON'].join('; ');
}

function sql(service: ServiceSpec, mariaDb: boolean, statements: string, why: string): Action {
  const socket = setting(service, 'socket');
  const login = setting(service, 'login');
  return {
    kind: 'command',
    argv: [
      mariaDb ? 'mariadb' : 'mysql',
      // Has to come first.
      ...(login === null ? [] : [`--defaults-extra-file=${login}`]),
      '--protocol=socket',
      ...(socket === null ? [] : [`--socket=${socket}`]),
      ...(login === null ? ['--user=root'] : []),
      '--batch',
      '--skip-column-names',
      '--execute',
      statements,
    ],
    why,
  };
}
