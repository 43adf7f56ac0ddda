/** Opening an initialised state directory: lock, database, certificates, issuing key, clock; each checked. */
import { accessSync, constants, existsSync, rmSync } from 'node:fs';
import type { Hex } from '../core/bytes/hex.ts';
import { OperatorFault } from '../core/faults/operator-faults.ts';
import type { CrlTbs } from '../core/revocation/crl.ts';
import { formatDuration } from '../core/time/duration.ts';
import { formatRfc3339 } from '../core/time/instant.ts';
import type { Certificate } from '../core/x509/certificate.ts';
import { takeLock } from '../edge/files/exclusive-lock.ts';
import { fileStamp } from '../edge/files/file-stamp.ts';
import {
  isInitialised,
  prepareStateDirectory,
  refuseExposedSecrets,
  type StatePaths,
} from '../edge/files/state-directory.ts';
import { signWith } from '../edge/signer/key-pair.ts';
import { SchemaTooNew } from '../edge/store/database.ts';
import { openSqliteStore } from '../edge/store/sqlite-store.ts';
import { wallClock } from '../edge/system/clock.ts';
import type { SigningIssuer } from '../flow/ca/issue-certificate.ts';
import { type Store, StoreFault } from '../flow/ca/store-ports.ts';
import { issuingPassword, keyIdOf, openIssuingKey } from './authority-keys.ts';
import type { PasswordOptions } from './passwords.ts';
import {
  issuingCertificate,
  nextIntermediate,
  previousIntermediates,
  rootsAbove,
  type TrustedRoots,
} from './trusted-roots.ts';

export interface LoadedIssuer extends SigningIssuer {
  readonly certificate: Certificate;
  readonly signRaw: (data: Uint8Array) => Promise<Uint8Array>;
  readonly signCrl: (tbs: CrlTbs) => Promise<Uint8Array>;
}

export interface OpenedState {
  readonly store: Store;
  /** The active root. */
  readonly root: Certificate;
  readonly roots: () => TrustedRoots;
  /** The issuing key; its certificates point at lists and issuers below `plainBase`. */
  readonly issuerAt: (plainBase: string) => LoadedIssuer;
  /** Intermediates that issued before. */
  readonly previous: () => readonly Certificate[];
  /** One of them, or the one that is prepared, with its key, which signs its revocation list on; null when there is none. @throws OperatorFault */
  readonly otherIssuerAt: (keyId: Hex, plainBase: string) => LoadedIssuer | null;
  /** Takes up an intermediate or roots that were replaced meanwhile; true when they were. @throws OperatorFault, and what was loaded stays */
  readonly refresh: () => boolean;
  readonly close: () => void;
}

/** How far the clock may lie behind what was recorded before it is refused. */
const CLOCK_TOLERANCE_SECONDS = 120;

/** The certificates and records alone, for commands that read. @throws OperatorFault */
export function openRecords(paths: StatePaths): { readonly store: Store; readonly close: () => void } {
  if (!isInitialised(paths))
    throw new OperatorFault('not-initialised', `${paths.root} holds no authority`, { path: paths.root });
  prepareStateDirectory(paths);
  refuseExposedSecrets(paths);
  const store = openStore(paths);
  return { store, close: store.close };
}

/** Everything, with the issuing key unlocked. @throws OperatorFault */
export async function openState(
  paths: StatePaths,
  password: PasswordOptions,
  { lock, acceptClock }: { readonly lock: boolean; readonly acceptClock: boolean },
): Promise<OpenedState> {
  if (!isInitialised(paths))
    throw new OperatorFault('not-initialised', `${paths.root} holds no authority`, { path: paths.root });
  prepareStateDirectory(paths);
  refuseExposedSecrets(paths);
  const held = lock ? takeLock(paths.lock) : null;
  if (lock && !held)
    throw new OperatorFault('state-locked', `another authority runs on ${paths.root}`, { path: paths.root });
  let store: Store | null = null;
  try {
    // Left by a crash between the last two steps of the initialisation; it must not outlive them, because it permits a new one.
    if (held) rmSync(paths.initialising, { force: true });
    const opening = await issuingPassword(paths, password);
    let loaded = load(paths, opening);
    store = openStore(paths);
    await checkClock(store, loaded.issuer.certificate, acceptClock);
    const opened = store;
    return {
      store: opened,
      get root() {
        return loaded.roots.active;
      },
      roots: () => loaded.roots,
      issuerAt: (plainBase) => withUrls(loaded.issuer, plainBase),
      previous: () => loaded.previous,
      otherIssuerAt(keyId, plainBase) {
        const { previous, next } = loaded;
        const certificate = [...previous, ...(next ? [next] : [])].find((candidate) => keyIdOf(candidate) === keyId);
        return certificate ? withUrls(loadIssuer(paths, certificate, opening), plainBase) : null;
      },
      refresh() {
        if (stampOf(paths) === loaded.stamp) return false;
        loaded = load(paths, opening);
        return true;
      },
      close() {
        opened.close();
        held?.release();
      },
    };
  } catch (fault) {
    store?.close();
    held?.release();
    throw fault;
  }
}

/** @throws OperatorFault state-incomplete, password-wrong, key-unusable, key-mismatch */
function loadIssuer(paths: StatePaths, certificate: Certificate, password: Uint8Array): LoadedIssuer {
  const { key, algorithm } = openIssuingKey(paths, certificate, password);
  const signRaw = signWith(key, algorithm);
  return {
    certificate,
    keyAlgorithm: algorithm,
    publicKey: certificate.publicKey,
    keyId: keyIdOf(certificate),
    signRaw,
    sign: (tbs) => signRaw(tbs.bytes),
    signCrl: (tbs) => signRaw(tbs.bytes),
  };
}

/** What lies in the files at one moment. */
interface Loaded {
  readonly issuer: LoadedIssuer;
  readonly roots: TrustedRoots;
  readonly previous: readonly Certificate[];
  readonly next: Certificate | null;
  readonly stamp: string;
}

function load(paths: StatePaths, password: Uint8Array): Loaded {
  const stamp = stampOf(paths);
  const certificate = issuingCertificate(paths);
  const roots = rootsAbove(certificate, paths);
  return {
    issuer: loadIssuer(paths, certificate, password),
    roots,
    previous: previousIntermediates(paths),
    next: nextIntermediate(paths),
    stamp,
  };
}

/** Changes when intermediate or roots are replaced, or another intermediate is prepared: a file that was renamed into place is another file. */
function stampOf(paths: StatePaths): string {
  const { intermediateCertificate, nextIntermediateCertificate, rootCertificate } = paths;
  return [intermediateCertificate, nextIntermediateCertificate, rootCertificate].map(fileStamp).join();
}

function withUrls(issuer: LoadedIssuer, plainBase: string): LoadedIssuer {
  return {
    ...issuer,
    crlUrl: `${plainBase}/crl/${issuer.keyId}.crl`,
    caIssuersUrl: `${plainBase}/issuer/${issuer.keyId}.cer`,
  };
}

/** @throws OperatorFault state-incomplete, state-unwritable, state-too-new, database-damaged, … */
function openStore(paths: StatePaths): Store {
  // An authority without its records would issue serials again and forget what it revoked: a new file is no answer.
  const path = present(paths.database);
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return openSqliteStore(path);
  } catch (cause) {
    throw databaseFault(cause, paths.database);
  }
}

/** A storage failure in the operator's words; anything else as it is. */
export function databaseFault(cause: unknown, path: string): unknown {
  if (cause instanceof SchemaTooNew) return new OperatorFault('state-too-new', cause.message, { path }, cause);
  return cause instanceof StoreFault ? new OperatorFault(cause.code, cause.message, { path }, cause) : cause;
}

/** A clock behind the newest record would issue certificates that end too early and lists that run backwards. */
async function checkClock(store: Store, intermediate: Certificate, accept: boolean): Promise<void> {
  const now = wallClock();
  const { notBefore, notAfter } = intermediate.validity;
  if (now < notBefore)
    throw new OperatorFault(
      'clock-behind',
      `it is ${formatRfc3339(now)} here, before the authority existed (${formatRfc3339(notBefore)})`,
    );
  const recorded = await store.latestRecordedAt();
  if (recorded !== null && now < recorded - CLOCK_TOLERANCE_SECONDS && !accept) {
    throw new OperatorFault(
      'clock-behind',
      `it is ${formatRfc3339(now)} here, ${formatDuration(recorded - now)} before the newest record (${formatRfc3339(recorded)})`,
    );
  }
  if (now > notAfter)
    throw new OperatorFault('issuance-refused', `the issuing certificate expired at ${formatRfc3339(notAfter)}`);
  if (accept) await store.probe(now);
}

function present(path: string): string {
  if (!existsSync(path)) throw new OperatorFault('state-incomplete', `${path} is missing`, { path });
  return path;
}
