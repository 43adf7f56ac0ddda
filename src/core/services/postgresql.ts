/**
 * PostgreSQL, from 12 on. One block at the end of postgresql.conf, where the last value wins, and one at the start of
 * pg_hba.conf, where the first matching row wins: plaintext is refused whatever rows follow, in IPv4 and IPv6. Unix
 * sockets stay as they are. Connections that GSSAPI encrypts count as plaintext here.
 *
 * All of it comes into force by SIGHUP. A pair that cannot be used leaves the old one in use, and only the log says so.
 * Not here: tables of users, `pg_ident.conf`, TLS of replicas towards their primary (primary_conninfo).
 */

import type { ServiceSpec } from '../stack/stack.ts';
import { reloadOf } from './declared-action.ts';
import { setMarkedBlock } from './marked-block.ts';
import { DIRECTORY_SETTING, type PairPaths, pairLayout } from './pair-layout.ts';
import { listsMissing, revocationListsFile } from './revocation-lists.ts';
import { type Facts, type ServiceKind, type Trust, versionAtLeast } from './service-kind.ts';
import { awkwardText, firstOf, missingFile, requiredSetting, setting } from './setting.ts';
import { groupsFor, oldestVersion, tlsPolicy } from './tls-policy.ts';

export const postgresql: ServiceKind = {
  name: 'postgresql',
  settings: {
    data: { type: 'path', isOwn: true, required: true, description: 'The data directory (PGDATA).' },
    config: {
      type: 'path',
      isOwn: true,
      required: false,
      description: 'Directory of postgresql.conf and pg_hba.conf; else data.',
    },
    directory: DIRECTORY_SETTING,
  },
  protocol: 'postgres',
  users: ['postgres'],
  profile: () => 'server',

  facts: (service) => ({ files: Object.values(filesOf(service)), version: null }),

  impossible: (service) => awkwardText(service, 'data', 'config', 'directory'),

  unsupported(service, { files }) {
    const { config, hba, version, options } = filesOf(service);
    const found = files[version]?.trim() ?? null;
    return firstOf(
      missingFile(files, version, 'is "data" a data directory?'),
      versionAtLeast(found, '12') ? null : `PostgreSQL ${found} is too old: supported from 12 on`,
      missingFile(files, config, configElsewhere(files[options] ?? null)),
      missingFile(files, hba, 'it is expected beside postgresql.conf'),
    );
  },

  desired(service, facts, trust) {
    const { config, hba, version, automatic, pidFile } = filesOf(service);
    const { paths, ...install } = pairLayout(service, facts, pairBeside(service));
    const outside = setMarkedBlock(facts.files[hba] ?? '', service.name, null, HBA_STYLE);
    return {
      install,
      configuration: [
        revocationListsFile(paths, trust),
        {
          kind: 'block',
          path: config,
          lines: serverLines(service, facts, paths, facts.files[version] ?? null, trust),
          place: 'end',
          comment: '#',
          mode: 0o600,
          why: 'serves TLS with the installed pair',
        },
        {
          kind: 'block',
          path: hba,
          lines: hbaLines(service, outside),
          ...HBA_STYLE,
          mode: 0o600,
          why:
            trust.verifyClients && service.clients.kind !== 'optional'
              ? 'plaintext is refused, and so is who shows no certificate'
              : 'plaintext is refused',
        },
      ],
      // There is none that needs no connection; a row that cannot be read leaves the old rows in force.
      check: null,
      reload: reloadOf(service, {
        kind: 'signal',
        pidFile,
        signal: 'SIGHUP',
        why: 'the postmaster reads configuration, rows and pair again; sessions go on',
      }),
      restart: null,
      notes: [
        ...overridden(facts.files[automatic] ?? null, automatic),
        ...elsewhere(facts.files[config] ?? '', hba),
        ...unseen(service, outside),
        ...listsMissing(trust),
      ],
    };
  },
};

const HBA_STYLE = { place: 'start', comment: '#' } as const;

function filesOf(service: ServiceSpec) {
  const data = requiredSetting(service, 'data');
  const directory = setting(service, 'config') ?? data;
  return {
    config: `${directory}/postgresql.conf`,
    hba: `${directory}/pg_hba.conf`,
    version: `${data}/PG_VERSION`,
    /** Written by ALTER SYSTEM, read after postgresql.conf. */
    automatic: `${data}/postgresql.auto.conf`,
    pidFile: `${data}/postmaster.pid`,
    /** The command line that the server was started with last. */
    options: `${data}/postmaster.opts`,
  };
}

/** Debian keeps it below /etc/postgresql, and says so to the server when it starts. */
function configElsewhere(options: string | null): string {
  const file = /config_file=([^"\r\n]*)\/postgresql\.conf/.exec(options ?? '')?.[1];
  const what = '"config" names its directory where it is not the data directory';
  return file === undefined ? what : `${what}; the server was started with that in ${file}: write "config: ${file}"`;
}

/** Never inside the data directory: a base backup would carry the key away, and leave the link behind. */
function pairBeside(service: ServiceSpec): string {
  const data = requiredSetting(service, 'data');
  const config = setting(service, 'config');
  return config === null || config === data ? data : `${config}/postgresql.conf`;
}

function serverLines(
  service: ServiceSpec,
  { openssl }: Facts,
  { certificate, key, ca, revocationLists }: PairPaths,
  version: string | null,
  trust: Trust,
): string[] {
  const policy = tlsPolicy(service.tls);
  const quoted = (name: string, value: string): string => `${name} = '${value}'`;
  return [
    'ssl = on',
    quoted('ssl_cert_file', certificate),
    quoted('ssl_key_file', key),
    // Naming it alone asks clients for a certificate; who must have one is decided in pg_hba.conf.
    ...(trust.verifyClients ? [quoted('ssl_ca_file', ca)] : []),
    ...(trust.revocationLists !== undefined ? [quoted('ssl_crl_file', revocationLists)] : []),
    quoted('ssl_min_protocol_version', oldestVersion(policy)),
    ...(policy.suites12.length > 0 ? [quoted('ssl_ciphers', policy.suites12.join(':'))] : []),
    'ssl_prefer_server_ciphers = off',
    // Before 18 there is room for one curve, and its default is the one that everybody has.
    ...(versionAtLeast(version, '18')
      ? [
          quoted('ssl_tls13_ciphers', policy.suites13.join(':')),
          quoted('ssl_groups', groupsFor(policy, openssl).join(':')),
        ]
      : []),
  ];
}

const NO_PLAINTEXT = ['hostnossl all all all reject', 'hostnossl replication all all reject'];
const NOBODY_ELSE = ['hostssl all all all reject', 'hostssl replication all all reject'];

/** The first row that fits a connection decides; a row below that asks for less is never reached. */
function hbaLines({ clients }: ServiceSpec, outside: string): string[] {
  switch (clients.kind) {
    case 'none':
    case 'optional':
      return NO_PLAINTEXT;
    case 'required':
      return [...NO_PLAINTEXT, ...hostRows(outside).map(withCertificate), ...NOBODY_ELSE];
    case 'required-names':
      // `cert` compares the common name with the user, and asks for no password besides.
      return [
        ...NO_PLAINTEXT,
        ...clients.names.flatMap((name) => [
          `hostssl all "${name}" all cert`,
          `hostssl replication "${name}" all cert`,
        ]),
        ...NOBODY_ELSE,
      ];
  }
}

/** What follows "host" or "hostssl" in the person's own rows, comments left out, continued lines joined. */
function hostRows(outside: string): string[] {
  return outside
    .replace(/\\\r?\n/g, '')
    .split(/\r?\n/)
    .flatMap((line) => {
      const row = /^(?:"[^"]*"|[^"#])*/.exec(line)?.[0].trim() ?? '';
      const rest = /^host(?:ssl)?\s+(.*)$/.exec(row)?.[1];
      return rest === undefined ? [] : [rest.replace(/\s+/g, ' ')];
    });
}

/** The person's own way to log in stays, and a certificate of our authority comes on top of it. */
function withCertificate(rest: string): string {
  const asksAlready = /\sclientcert=verify-|\s(?:cert|reject)(?:\s|$)/.test(rest);
  return `hostssl ${rest}${asksAlready ? '' : ' clientcert=verify-ca'}`;
}

function overridden(automatic: string | null, path: string): string[] {
  const names = [...(automatic ?? '').matchAll(/^\s*(ssl\w*)\s*=?/gm)].map((match) => match[1]);
  return names.length === 0
    ? []
    : [`${path} sets ${names.join(', ')}, which goes before postgresql.conf: ALTER SYSTEM RESET takes it out`];
}

function elsewhere(config: string, hba: string): string[] {
  const named = [...config.matchAll(/^\s*hba_file\s*=?\s*'([^']*)'/gm)].at(-1)?.[1];
  return named === undefined || named === hba
    ? []
    : [`postgresql.conf reads its rows from ${named}, but the block goes to ${hba}: set "config", or hba_file`];
}

function unseen({ clients }: ServiceSpec, outside: string): string[] {
  return clients.kind === 'required' && /^\s*include/m.test(outside)
    ? ['rows of included files are not carried over: with clients: required nobody gets in by them']
    : [];
}
