/** The authority's private keys: which file holds the key of a certificate, and opening it with its password. */
import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesEqual } from '../core/bytes/compare.ts';
import { type Hex, hexFromBytes } from '../core/bytes/hex.ts';
import { OperatorFault } from '../core/faults/operator-faults.ts';
import type { KeyAlgorithm } from '../core/x509/algorithm.ts';
import type { TbsCertificate } from '../core/x509/certificate.ts';
import { issuerKeyIdentifier } from '../core/x509/key-identifier.ts';
import type { StatePaths } from '../edge/files/state-directory.ts';
import { decryptPrivateKey, WrongPassword } from '../edge/signer/encrypted-key.ts';
import { algorithmOfKey, publicKeyDer } from '../edge/signer/key-pair.ts';
import { findPassword, type PasswordOptions, readPasswordFile } from './passwords.ts';

export interface OpenedKey {
  readonly key: KeyObject;
  readonly algorithm: KeyAlgorithm;
  /** What opened it: its successor gets the same. */
  readonly password: Uint8Array;
  readonly path: string;
}

/** What certificates name this one by as their issuer, in hex. */
export function keyIdOf(certificate: Pick<TbsCertificate, 'publicKey' | 'extensions'>): Hex {
  return hexFromBytes(issuerKeyIdentifier(certificate));
}

/** Keys that came later carry their key identifier in the name; the first one does not. */
export function keyPathOf(base: string, keyId: Hex): string {
  const own = laterKeyPath(base, keyId);
  return existsSync(own) ? own : base;
}

export function laterKeyPath(base: string, keyId: Hex): string {
  return `${base}-${keyId}`;
}

/** @throws OperatorFault password-missing */
export async function issuingPassword(paths: StatePaths, source: PasswordOptions): Promise<Uint8Array> {
  const password = await findPassword({ ...source, generated: paths.password }, 'the issuing key');
  if (password === null)
    throw new OperatorFault('password-missing', 'the issuing key is encrypted and no password was given', {
      path: paths.intermediateKey,
    });
  return password;
}

/** @throws OperatorFault state-incomplete, password-wrong, key-unusable, key-mismatch */
export function openIssuingKey(paths: StatePaths, certificate: TbsCertificate, password: Uint8Array): OpenedKey {
  const path = keyPathOf(paths.intermediateKey, keyIdOf(certificate));
  if (!existsSync(path)) throw new OperatorFault('state-incomplete', `${path} is missing`, { path });
  return keyOf(certificate, path, [password], paths.intermediateCertificate);
}

export interface RootKeySources {
  /** Named by the operator: from there and nowhere else. */
  readonly file: string | null;
  /** Where the root key was left when the authority was made. */
  readonly offlineDirectory: string | null;
  readonly rootPassword: PasswordOptions;
  readonly password: PasswordOptions;
}

/** @throws OperatorFault root-key-offline with the file that is missing; password-missing, password-wrong, key-unusable, key-mismatch */
export async function openRootKey(
  paths: StatePaths,
  root: TbsCertificate,
  sources: RootKeySources,
): Promise<OpenedKey> {
  const path = rootKeyPath(paths, root, sources);
  if (!existsSync(path))
    throw new OperatorFault('root-key-offline', `the key of the root is not here: ${path} is missing`, { path });
  const passwords = await rootPasswords(paths, sources);
  return keyOf(root, path, passwords, paths.rootCertificate);
}

export function rootKeyPath(
  paths: StatePaths,
  root: TbsCertificate,
  { file, offlineDirectory }: Pick<RootKeySources, 'file' | 'offlineDirectory'>,
): string {
  if (file !== null) return file;
  const bases = [paths.rootKey, ...(offlineDirectory === null ? [] : [join(offlineDirectory, 'root_ca_key')])];
  const candidates = bases.map((base) => keyPathOf(base, keyIdOf(root)));
  return candidates.find((path) => existsSync(path)) ?? candidates.at(-1) ?? paths.rootKey;
}

/**
 * One that was given for the root counts alone. Otherwise what the initialisation may have chosen: generated for the
 * root, here or beside the key, else the one of the issuing key.
 */
async function rootPasswords(
  paths: StatePaths,
  { offlineDirectory, rootPassword, password }: RootKeySources,
): Promise<Uint8Array[]> {
  if (rootPassword.file !== undefined || rootPassword.environment) {
    const given = await findPassword({ ...rootPassword, generated: paths.rootPassword }, 'the root key');
    return given === null ? [] : [given];
  }
  const generated = [
    paths.rootPassword,
    ...(offlineDirectory === null ? [] : [join(offlineDirectory, 'root_password')]),
  ].filter((path) => existsSync(path));
  const shared =
    generated.length > 0 && password.file === undefined && !password.environment && !password.ask
      ? null
      : await findPassword({ ...password, generated: paths.password }, 'the root key');
  const found = [...generated.map(readPasswordFile), ...(shared === null ? [] : [shared])];
  if (found.length === 0)
    throw new OperatorFault('password-missing', 'the root key is encrypted and no password was given', {
      path: paths.rootKey,
    });
  return found;
}

/** @throws OperatorFault password-wrong, key-unusable, key-mismatch, algorithm-unsupported */
export function keyOf(
  certificate: TbsCertificate,
  path: string,
  passwords: readonly Uint8Array[],
  certificatePath: string,
): OpenedKey {
  const { key, password } = openKey(path, passwords);
  if (!bytesEqual(publicKeyDer(key), certificate.publicKey.raw))
    throw new OperatorFault('key-mismatch', `${path} is not the key of ${certificatePath}`, { path: certificatePath });
  const algorithm = algorithmOfKey(key);
  if (algorithm === null)
    throw new OperatorFault(
      'algorithm-unsupported',
      `${path} is a key of a kind that no certificate is signed with here`,
    );
  return { key, algorithm, password, path };
}

/** The first of the passwords that opens it. @throws OperatorFault password-wrong, key-unusable, input-unreadable */
export function openKey(path: string, passwords: readonly Uint8Array[]): { key: KeyObject; password: Uint8Array } {
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new OperatorFault('input-unreadable', `${path} cannot be read: ${why}`, { path }, cause);
  }
  let wrong: unknown = null;
  for (const password of passwords) {
    try {
      return { key: decryptPrivateKey(pem, password), password };
    } catch (cause) {
      if (cause instanceof WrongPassword) {
        wrong = cause;
        continue;
      }
      throw new OperatorFault(
        'key-unusable',
        `${path} is not a private key: ${cause instanceof Error ? cause.message : cause}`,
        { path },
        cause,
      );
    }
  }
  throw new OperatorFault('password-wrong', `the password does not open ${path}`, { path }, wrong);
}
