/**
 * Private keys at rest: PKCS#8 under PBES2 (RFC 8018 §6.2) with PBKDF2-HMAC-SHA-256 and AES-256-CBC, which
 * OpenSSL opens with the same password. Ours rather than node:crypto's export, because that one derives the key
 * with 2,048 iterations and cannot be told otherwise.
 */
import { createCipheriv, createPrivateKey, type KeyObject, pbkdf2Sync } from 'node:crypto';
import { DerError, readDer, readElements } from '../../core/asn1/der-reader.ts';
import { integer, nullValue, octetString, oid, sequence } from '../../core/asn1/der-writer.ts';
import { TAG } from '../../core/asn1/tags.ts';
import { pemBlocksLabelled, pemFromDer } from '../../core/bytes/pem.ts';

/** OWASP's 2023 figure for PBKDF2-HMAC-SHA-256; about 150 ms once a start. */
export const PBKDF2_ITERATIONS = 600_000;

const OID = {
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacWithSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
} as const;

/** Key → "ENCRYPTED PRIVATE KEY" PEM. */
export function encryptPrivateKey(
  key: KeyObject,
  password: Uint8Array,
  random: (byteLength: number) => Uint8Array,
): string {
  const salt = random(16);
  const iv = random(16);
  const cipher = createCipheriv('aes-256-cbc', pbkdf2Sync(password, salt, PBKDF2_ITERATIONS, 32, 'sha256'), iv);
  const plain = key.export({ type: 'pkcs8', format: 'der' });
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  plain.fill(0);
  const keyDerivation = sequence(
    oid(OID.pbkdf2),
    sequence(
      octetString(salt),
      integer(PBKDF2_ITERATIONS),
      integer(32),
      sequence(oid(OID.hmacWithSha256), nullValue()),
    ),
  );
  const scheme = sequence(oid(OID.aes256Cbc), octetString(iv));
  const der = sequence(sequence(oid(OID.pbes2), sequence(keyDerivation, scheme)), octetString(encrypted));
  return pemFromDer('ENCRYPTED PRIVATE KEY', der);
}

/** The password does not open the key. */
export class WrongPassword extends Error {
  constructor(cause: unknown) {
    super('the password does not open the key', { cause });
    this.name = 'WrongPassword';
  }
}

/** PEM (encrypted PKCS#8, or any form OpenSSL knows) → key. @throws WrongPassword; Error when it is no key, or damaged */
export function decryptPrivateKey(pem: string, password: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem', passphrase: Buffer.from(password) });
  } catch (cause) {
    // A wrong password shows as a padding failure of the cipher, or as rubbish where PKCS#8 should be.
    throw isEncryptedKey(pem) ? new WrongPassword(cause) : cause;
  }
}

/** Whether it is a whole encrypted key: only then can the password be at fault. */
function isEncryptedKey(pem: string): boolean {
  // The traditional form (RFC 1421 §4.6.1.1) says so in a header.
  if (/^Proc-Type: 4,ENCRYPTED/m.test(pem)) return /^-----END [A-Z ]*PRIVATE KEY-----/m.test(pem);
  const [block] = pemBlocksLabelled(pem, 'ENCRYPTED PRIVATE KEY');
  if (!block) return false;
  try {
    // EncryptedPrivateKeyInfo (RFC 5958 §3): the algorithm, and what it encrypted.
    const info = readDer(block.der, 'key');
    const tags = readElements(info, 'key').map(({ tag }) => tag);
    return info.tag === TAG.SEQUENCE && tags.join() === [TAG.SEQUENCE, TAG.OCTET_STRING].join();
  } catch (cause) {
    if (cause instanceof DerError) return false;
    throw cause;
  }
}
