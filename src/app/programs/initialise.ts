/** Initialising a state directory: keys, passwords, certificates, provisioners; config.json last of all. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { parseDnsName } from '../../core/x509/dns-name.ts';
import { createFileAtomically, isTemporary, writeFileAtomically } from '../../edge/files/atomic-file.ts';
import { takeLock } from '../../edge/files/exclusive-lock.ts';
import { isInitialised, prepareStateDirectory, type StatePaths } from '../../edge/files/state-directory.ts';
import { encryptPrivateKey } from '../../edge/signer/encrypted-key.ts';
import { newTokenKey } from '../../edge/signer/token-key.ts';
import { openSqliteStore } from '../../edge/store/sqlite-store.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { type AuthorityPlan, initialiseAuthority } from '../../flow/ca/initialise-authority.ts';
import { DEFAULT_LIFETIME_SECONDS, DEFAULT_MAX_LIFETIME_SECONDS } from '../../flow/ca/provisioner-limits.ts';
import type { ProvisionerRecord } from '../../flow/ca/store-ports.ts';
import { type AuthorityConfig, DEFAULT_CONFIG } from '../config.ts';
import { newPassword, type PasswordOptions } from '../passwords.ts';
import { newKey, signingKey } from './authority-pair.ts';

export interface InitialiseOptions {
  readonly name: string;
  readonly dnsNames: readonly string[];
  readonly rootAlgorithm: KeyAlgorithm;
  readonly intermediateAlgorithm: KeyAlgorithm;
  readonly plan: AuthorityPlan;
  readonly config: Partial<AuthorityConfig>;
  /** Passwords of the issuing key, the root key and the token key. */
  readonly password: PasswordOptions;
  readonly rootPassword: PasswordOptions;
  readonly provisionerPassword: PasswordOptions;
  /** Leave the root key (and its certificate) here and never in the state. */
  readonly offlineRootDirectory: string | null;
  readonly maxLifetimeSeconds?: number;
}

export interface Initialised {
  readonly rootFingerprint: string;
  /** Files with generated passwords that the operator should know about. */
  readonly generated: readonly { readonly what: string; readonly file: string }[];
}

/** @throws OperatorFault already-initialised, state-locked, state-unwritable, state-exposed, algorithm-unsupported, issuance-refused … */
export async function initialise(paths: StatePaths, options: InitialiseOptions): Promise<Initialised> {
  refuseInitialised(paths);
  const offline = options.offlineRootDirectory === null ? null : offlineDirectory(options.offlineRootDirectory, paths);
  prepareStateDirectory(paths);
  const lock = takeLock(paths.lock);
  if (!lock)
    throw new OperatorFault('state-locked', `another authority starts or runs on ${paths.root}`, { path: paths.root });
  try {
    // Somebody may have been quicker.
    refuseInitialised(paths);
    beginInitialisation(paths, offline);
    return await makeAuthority(paths, options, offline);
  } finally {
    lock.release();
  }
}

function refuseInitialised(paths: StatePaths): void {
  if (isInitialised(paths))
    throw new OperatorFault('already-initialised', `${paths.root} holds an authority already`, { path: paths.root });
}

async function makeAuthority(
  paths: StatePaths,
  options: InitialiseOptions,
  offline: string | null,
): Promise<Initialised> {
  const [rootKey, intermediateKey] = await Promise.all([
    newKey(options.rootAlgorithm),
    newKey(options.intermediateAlgorithm),
  ]);
  const issuing = await newPassword({ ...options.password, generated: paths.password }, 'the authority’s keys');
  // Without a password of its own the root has the issuing key's, given or generated; its own file if it leaves.
  const rootGenerated = offline ? join(offline, 'root_password') : paths.rootPassword;
  const rootOwn =
    options.rootPassword.file !== undefined ||
    options.rootPassword.environment !== undefined ||
    issuing.generatedFile !== null;
  const root = rootOwn
    ? await newPassword({ ...options.rootPassword, generated: rootGenerated }, 'the root key')
    : issuing;
  const provisioner = await newPassword(
    { ...options.provisionerPassword, generated: paths.provisionerPassword },
    'the token key',
  );

  const store = openSqliteStore(paths.database);
  try {
    const now = wallClock();
    const certificates = await initialiseAuthority(
      store,
      {
        root: signingKey(options.rootAlgorithm, rootKey),
        intermediate: signingKey(options.intermediateAlgorithm, intermediateKey),
      },
      options.plan,
      randomBytes,
      now,
    );
    const rootPem = pemFromDer('CERTIFICATE', certificates.root);
    writeFileAtomically(
      offline ? join(offline, 'root_ca_key') : paths.rootKey,
      encryptPrivateKey(rootKey, root.password, randomBytes),
      0o600,
    );
    if (offline) writeFileAtomically(join(offline, 'root_ca.crt'), rootPem, 0o644);
    writeFileAtomically(
      paths.intermediateKey,
      encryptPrivateKey(intermediateKey, issuing.password, randomBytes),
      0o600,
    );
    writeFileAtomically(paths.rootCertificate, rootPem, 0o644);
    writeFileAtomically(paths.intermediateCertificate, pemFromDer('CERTIFICATE', certificates.intermediate), 0o644);

    const maxLifetimeSeconds = options.maxLifetimeSeconds ?? DEFAULT_MAX_LIFETIME_SECONDS;
    const lifetimes = {
      defaultLifetimeSeconds: Math.min(DEFAULT_LIFETIME_SECONDS, maxLifetimeSeconds),
      maxLifetimeSeconds,
      createdAt: now,
    };
    const tokenKey = await newTokenKey(provisioner.password);
    const provisioners: ProvisionerRecord[] = [
      { name: 'acme', kind: 'acme', ...lifetimes, publicKey: null, encryptedKey: null },
      { name: 'admin', kind: 'jwk', ...lifetimes, ...tokenKey },
    ];
    for (const record of provisioners) await store.insertProvisioner(record);

    const config: AuthorityConfig = {
      ...DEFAULT_CONFIG,
      ...options.config,
      name: options.name,
      dnsNames: [...options.dnsNames],
      offlineRootDirectory: offline,
    };
    createFileAtomically(paths.config, `${JSON.stringify(config, null, 2)}\n`, 0o600);
    rmSync(paths.initialising);
    return {
      rootFingerprint: parseCertificate(certificates.root).fingerprint,
      generated: [
        ...(issuing.generatedFile ? [{ what: 'password of the issuing key', file: issuing.generatedFile }] : []),
        ...(root.generatedFile && root !== issuing
          ? [{ what: 'password of the root key', file: root.generatedFile }]
          : []),
        ...(provisioner.generatedFile ? [{ what: 'password of the token key', file: provisioner.generatedFile }] : []),
      ],
    };
  } finally {
    store.close();
  }
}

/** The content of the mark. */
interface Mark {
  readonly what: string;
  /** Where the root key goes: nothing of an authority lay there when the initialisation began. */
  readonly offlineRootDirectory: string | null;
}

/**
 * Marks the directory as being initialised. A mark without config.json is what a crash leaves: nobody has used
 * what it began with, so it is made anew. Keys without mark and config are somebody's, and are not touched.
 */
function beginInitialisation(paths: StatePaths, offline: string | null): void {
  const interrupted = existsSync(paths.initialising) ? readMark(paths.initialising) : null;
  if (interrupted) removeLeftovers(paths);
  else if (existsSync(paths.intermediateKey) || existsSync(paths.rootKey) || existsSync(paths.database)) {
    throw new OperatorFault(
      'state-incomplete',
      `${paths.root} holds keys or records of an authority, but no config.json`,
      { path: paths.root },
    );
  }
  if (offline !== null && offline !== interrupted?.offlineRootDirectory) prepareOfflineDirectory(offline);
  const mark: Mark = {
    what: 'An authority is being initialised here; without config.json it never was.',
    offlineRootDirectory: offline,
  };
  writeFileAtomically(paths.initialising, `${JSON.stringify(mark)}\n`, 0o600);
}

function readMark(path: string): Mark {
  return JSON.parse(readFileSync(path, 'utf8')) as Mark;
}

function removeLeftovers(paths: StatePaths): void {
  for (const directory of [paths.root, dirname(paths.rootCertificate), dirname(paths.rootKey)]) {
    for (const name of readdirSync(directory)) if (isTemporary(name)) rmSync(join(directory, name), { force: true });
  }
  const { rootKey, intermediateKey, rootCertificate, intermediateCertificate, database } = paths;
  const passwords = [paths.password, paths.rootPassword, paths.provisionerPassword];
  const records = [database, `${database}-wal`, `${database}-shm`];
  for (const leftover of [rootKey, intermediateKey, rootCertificate, intermediateCertificate, ...passwords, ...records])
    rmSync(leftover, { force: true });
}

/** @throws OperatorFault usage when it lies inside the state directory */
function offlineDirectory(directory: string, paths: StatePaths): string {
  const offline = resolve(directory);
  if (offline === paths.root || offline.startsWith(`${paths.root}/`)) {
    throw new OperatorFault('usage', 'the directory for the offline root lies inside the state directory');
  }
  return offline;
}

/** @throws OperatorFault state-unwritable, file-exists */
function prepareOfflineDirectory(offline: string): void {
  try {
    mkdirSync(offline, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new OperatorFault(
      'state-unwritable',
      `${offline} cannot be created: ${cause instanceof Error ? cause.message : cause}`,
      { path: offline },
      cause,
    );
  }
  if (existsSync(join(offline, 'root_ca_key')))
    throw new OperatorFault('file-exists', `${offline} holds a root key already`, {
      path: join(offline, 'root_ca_key'),
    });
}

/** The names of a host that nobody has named: its own, and loopback. */
export function defaultDnsNames(): string[] {
  const own = parseDnsName(hostname());
  return [...new Set([...(own ? [own] : []), 'localhost', '127.0.0.1', '::1'])];
}
