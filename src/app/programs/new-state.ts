/**
 * A state directory that becomes an authority's: marked while it is made, config.json last of all. What a crash leaves
 * is made anew by the next one who tries.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { Instant } from '../../core/time/instant.ts';
import { createFileAtomically, isTemporary, writeFileAtomically } from '../../edge/files/atomic-file.ts';
import { takeLock } from '../../edge/files/exclusive-lock.ts';
import { isInitialised, prepareStateDirectory, type StatePaths } from '../../edge/files/state-directory.ts';
import { newTokenKey } from '../../edge/signer/token-key.ts';
import { DEFAULT_LIFETIME_SECONDS, DEFAULT_MAX_LIFETIME_SECONDS } from '../../flow/ca/provisioner-limits.ts';
import type { ProvisionerRecord, Store } from '../../flow/ca/store-ports.ts';
import { type AuthorityConfig, DEFAULT_CONFIG } from '../config.ts';
import { newPassword, type PasswordOptions } from '../passwords.ts';

/**
 * Runs `work` in a state directory that holds no authority yet, alone and under the mark.
 *
 * @param offline where a root key is to be left; it must hold none
 * @throws OperatorFault already-initialised, state-locked, state-unwritable, state-exposed, state-incomplete, file-exists, and what `work` throws
 */
export async function inNewState<T>(paths: StatePaths, offline: string | null, work: () => Promise<T>): Promise<T> {
  refuseInitialised(paths);
  prepareStateDirectory(paths);
  const lock = takeLock(paths.lock);
  if (!lock)
    throw new OperatorFault('state-locked', `another authority starts or runs on ${paths.root}`, { path: paths.root });
  try {
    // Somebody may have been quicker.
    refuseInitialised(paths);
    beginInitialisation(paths, offline);
    return await work();
  } finally {
    lock.release();
  }
}

/** @throws OperatorFault already-initialised */
export function refuseInitialised(paths: StatePaths): void {
  if (isInitialised(paths))
    throw new OperatorFault('already-initialised', `${paths.root} holds an authority already`, { path: paths.root });
}

export interface NewPasswordOptions {
  /** Passwords of the issuing key, the root key and the token key. */
  readonly password: PasswordOptions;
  readonly rootPassword: PasswordOptions;
  readonly provisionerPassword: PasswordOptions;
}

export interface NewPasswords {
  readonly issuing: Uint8Array;
  readonly root: Uint8Array;
  readonly provisioner: Uint8Array;
  /** Files with generated passwords that the operator should know about. */
  readonly generated: readonly { readonly what: string; readonly file: string }[];
}

/** What the keys of a new state are encrypted with: given, typed, or generated. @throws OperatorFault as newPassword does */
export async function newStatePasswords(
  paths: StatePaths,
  options: NewPasswordOptions,
  offline: string | null,
): Promise<NewPasswords> {
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
  const generated = [
    { what: 'password of the issuing key', file: issuing.generatedFile },
    { what: 'password of the root key', file: root === issuing ? null : root.generatedFile },
    { what: 'password of the token key', file: provisioner.generatedFile },
  ].flatMap(({ what, file }) => (file === null ? [] : [{ what, file }]));
  return { issuing: issuing.password, root: root.password, provisioner: provisioner.password, generated };
}

export interface NewStateConfig {
  readonly name: string;
  readonly dnsNames: readonly string[];
  readonly config: Partial<AuthorityConfig>;
  readonly offlineRootDirectory: string | null;
  readonly maxLifetimeSeconds: number | undefined;
  readonly tokenPassword: Uint8Array;
}

/** The last steps: who may ask for what, and config.json, with which the directory is an authority's. */
export async function completeState(
  paths: StatePaths,
  store: Pick<Store, 'insertProvisioner'>,
  made: NewStateConfig,
  now: Instant,
): Promise<void> {
  const maxLifetimeSeconds = made.maxLifetimeSeconds ?? DEFAULT_MAX_LIFETIME_SECONDS;
  const lifetimes = {
    defaultLifetimeSeconds: Math.min(DEFAULT_LIFETIME_SECONDS, maxLifetimeSeconds),
    maxLifetimeSeconds,
    createdAt: now,
  };
  const tokenKey = await newTokenKey(made.tokenPassword);
  const provisioners: ProvisionerRecord[] = [
    { name: 'acme', kind: 'acme', ...lifetimes, publicKey: null, encryptedKey: null },
    { name: 'admin', kind: 'jwk', ...lifetimes, ...tokenKey },
  ];
  for (const record of provisioners) await store.insertProvisioner(record);

  const config: AuthorityConfig = {
    ...DEFAULT_CONFIG,
    ...made.config,
    name: made.name,
    dnsNames: [...made.dnsNames],
    offlineRootDirectory: made.offlineRootDirectory,
  };
  createFileAtomically(paths.config, `${JSON.stringify(config, null, 2)}\n`, 0o600);
  rmSync(paths.initialising);
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
