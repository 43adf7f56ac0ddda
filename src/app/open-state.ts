/** Opening an initialised state directory: lock, database, certificates, issuing key, clock; each checked. */
import { accessSync, constants, existsSync, readFileSync, rmSync } from 'node:fs';
import { bytesEqual } from '../core/bytes/compare.ts';
import { hexFromBytes } from '../core/bytes/hex.ts';
import { OperatorFault } from '../core/faults/operator-faults.ts';
import type { CrlTbs } from '../core/revocation/crl.ts';
import { formatDuration } from '../core/time/duration.ts';
import { formatRfc3339 } from '../core/time/instant.ts';
import { type Certificate, verifyCertificateSignature } from '../core/x509/certificate.ts';
import { issuerKeyIdentifier } from '../core/x509/key-identifier.ts';
import { readCertificates } from '../edge/files/certificate-files.ts';
import { takeLock } from '../edge/files/exclusive-lock.ts';
import {
  isInitialised,
  prepareStateDirectory,
  refuseExposedSecrets,
  type StatePaths,
} from '../edge/files/state-directory.ts';
import { decryptPrivateKey, WrongPassword } from '../edge/signer/encrypted-key.ts';
import { algorithmOfKey, publicKeyDer, signWith } from '../edge/signer/key-pair.ts';
import { SchemaTooNew } from '../edge/store/database.ts';
import { openSqliteStore } from '../edge/store/sqlite-store.ts';
import { wallClock } from '../edge/system/clock.ts';
import type { SigningIssuer } from '../flow/ca/issue-certificate.ts';
import { type Store, StoreFault } from '../flow/ca/store-ports.ts';
import { findPassword, type PasswordOptions } from './passwords.ts';

export interface LoadedIssuer extends SigningIssuer {
  readonly certificate: Certificate;
  readonly signRaw: (data: Uint8Array) => Promise<Uint8Array>;
  readonly signCrl: (tbs: CrlTbs) => Promise<Uint8Array>;
}

export interface OpenedState {
  readonly store: Store;
  readonly root: Certificate;
  /** The issuing key; its certificates point at lists and issuers below `plainBase`. */
  readonly issuerAt: (plainBase: string) => LoadedIssuer;
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
    const [root] = readCertificates(present(paths.rootCertificate));
    const [intermediate] = readCertificates(present(paths.intermediateCertificate));
    if (!root || !intermediate)
      throw new OperatorFault('state-incomplete', 'a certificate of the authority is missing', { path: paths.root });
    const issuer = await loadIssuer(paths, intermediate, root, password);
    store = openStore(paths);
    await checkClock(store, intermediate, acceptClock);
    const opened = store;
    return {
      store: opened,
      root,
      issuerAt: (plainBase) => ({
        ...issuer,
        crlUrl: `${plainBase}/crl/${issuer.keyId}.crl`,
        caIssuersUrl: `${plainBase}/issuer/${issuer.keyId}.cer`,
      }),
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

async function loadIssuer(
  paths: StatePaths,
  certificate: Certificate,
  root: Certificate,
  source: PasswordOptions,
): Promise<LoadedIssuer> {
  const pem = readFileSync(present(paths.intermediateKey), 'utf8');
  const password = await findPassword({ ...source, generated: paths.password }, 'the issuing key');
  if (password === null)
    throw new OperatorFault('password-missing', 'the issuing key is encrypted and no password was given', {
      path: paths.intermediateKey,
    });
  const key = (() => {
    try {
      return decryptPrivateKey(pem, password);
    } catch (cause) {
      if (cause instanceof WrongPassword)
        throw new OperatorFault(
          'password-wrong',
          `the password does not open ${paths.intermediateKey}`,
          { path: paths.intermediateKey },
          cause,
        );
      throw new OperatorFault(
        'key-unusable',
        `${paths.intermediateKey} is not a private key: ${cause instanceof Error ? cause.message : cause}`,
        { path: paths.intermediateKey },
        cause,
      );
    }
  })();
  const keyAlgorithm = algorithmOfKey(key);
  if (keyAlgorithm === null || !bytesEqual(publicKeyDer(key), certificate.publicKey.raw)) {
    throw new OperatorFault(
      'key-mismatch',
      `${paths.intermediateKey} is not the key of ${paths.intermediateCertificate}`,
      { path: paths.intermediateCertificate },
    );
  }
  if (!verifyCertificateSignature(certificate, root)) {
    throw new OperatorFault(
      'key-mismatch',
      `${paths.intermediateCertificate} was not issued by ${paths.rootCertificate}`,
      { path: paths.intermediateCertificate },
    );
  }
  const signRaw = signWith(key, keyAlgorithm);
  return {
    certificate,
    keyAlgorithm,
    publicKey: certificate.publicKey,
    keyId: hexFromBytes(issuerKeyIdentifier(certificate)),
    signRaw,
    sign: (tbs) => signRaw(tbs.bytes),
    signCrl: (tbs) => signRaw(tbs.bytes),
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
