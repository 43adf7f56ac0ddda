/** The pieces that every rotation is made of: a new key at rest, a certificate under a number chosen before, files kept. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { Instant } from '../../core/time/instant.ts';
import { lifetimeSeconds, remainingSeconds } from '../../core/time/validity-period.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { SERIAL_BYTE_LENGTH, type SerialNumber, serialFromRandom } from '../../core/x509/serial-number.ts';
import { syncDirectory, writeFileAtomically } from '../../edge/files/atomic-file.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { encryptPrivateKey } from '../../edge/signer/encrypted-key.ts';
import { algorithmOfKey, generateKey, publicKeyDer, signWith } from '../../edge/signer/key-pair.ts';
import { findBegun, type IntermediatePlan, type SigningKey } from '../../flow/ca/authority-certificates.ts';
import type { Store } from '../../flow/ca/store-ports.ts';
import { keyIdOf, type OpenedKey } from '../authority-keys.ts';
import type { BegunCertificate } from '../rotation-journal.ts';

const DAY_SECONDS = 86_400;

export type PrivateKey = Awaited<ReturnType<typeof generateKey>>;

/** @throws OperatorFault algorithm-unsupported */
export async function newKey(algorithm: KeyAlgorithm): Promise<PrivateKey> {
  try {
    return await generateKey(algorithm);
  } catch (cause) {
    throw new OperatorFault(
      'algorithm-unsupported',
      `this Node.js (${process.version}, OpenSSL ${process.versions.openssl}) cannot make a key for ${algorithm}`,
      {},
      cause,
    );
  }
}

/** Of a key that was made here before. @throws OperatorFault algorithm-unsupported */
export function algorithmOf(key: PrivateKey): KeyAlgorithm {
  const algorithm = algorithmOfKey(key);
  if (algorithm === null)
    throw new OperatorFault('algorithm-unsupported', 'the key of the new certificate is of no known kind');
  return algorithm;
}

export function signingKey(algorithm: KeyAlgorithm, key: PrivateKey): SigningKey {
  return { algorithm, publicKey: publicKeyDer(key), sign: signWith(key, algorithm) };
}

export function openedSigningKey({ algorithm, key }: OpenedKey): SigningKey {
  return signingKey(algorithm, key);
}

export function writeKey(path: string, key: PrivateKey, password: Uint8Array): void {
  writeFileAtomically(path, encryptPrivateKey(key, password, randomBytes), 0o600);
}

export function newSerial(): SerialNumber {
  return serialFromRandom(randomBytes(SERIAL_BYTE_LENGTH));
}

/** The certificates of a file, replaced in one step. */
export function writeCertificates(path: string, ders: readonly Uint8Array[]): void {
  writeFileAtomically(path, ders.map((der) => pemFromDer('CERTIFICATE', der)).join(''), 0o644);
}

/**
 * The certificate that was begun under a serial number, issued now unless it was before; a number that was spent on a
 * record that was given up is replaced by another one, which `choose` writes down first.
 */
export async function begunCertificate(
  store: Store,
  serial: SerialNumber,
  choose: (serial: SerialNumber) => void,
  issue: (serial: SerialNumber) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const found = await findBegun(store, serial);
  if (found.kind === 'issued') return found.der;
  if (found.kind === 'free') return issue(serial);
  const another = newSerial();
  choose(another);
  return issue(another);
}

/** Without the hour by which an authority's certificate is backdated, lest each generation live longer. */
export function lifetimeAsBefore({ validity }: Certificate): number {
  const lifetime = lifetimeSeconds(validity);
  return lifetime > DAY_SECONDS ? lifetime - (lifetime % DAY_SECONDS) : lifetime;
}

/** As it was decided, and as far as the root reaches by now. */
export function intermediatePlan(begun: BegunCertificate, root: Certificate, now: Instant): IntermediatePlan {
  const lifetime = Math.min(begun.lifetimeSeconds, Math.max(remainingSeconds(root.validity, now), 1));
  return { subject: begun.subject, lifetimeSeconds: lifetime, pathLength: 0 };
}

/** Keeps an intermediate that is about to be replaced: chains and lists of what it issued still need it. */
export function keepIntermediate(paths: StatePaths, certificate: Certificate): void {
  keep(join(paths.issuers, `${keyIdOf(certificate)}.crt`), certificate);
}

/** Keeps a root that is about to be retired, so that what is found of it later can be named. */
export function keepRoot(paths: StatePaths, certificate: Certificate): void {
  keep(join(paths.retired, `${certificate.fingerprint}.crt`), certificate);
}

function keep(path: string, { raw }: Certificate): void {
  const directory = dirname(path);
  if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined) syncDirectory(dirname(directory));
  writeCertificates(path, [raw]);
}
