/** Signatures of certificates, CSRs and CRLs over node:crypto: verification only. */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type AlgorithmIdentifier, type SignatureScheme, signatureScheme } from '../x509/algorithm.ts';

/** SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) → key object, or null when OpenSSL cannot use it (a point off the curve). */
export function publicKeyFromSpki(der: Uint8Array): KeyObject | null {
  try {
    return createPublicKey({
      key: Buffer.from(der.buffer, der.byteOffset, der.byteLength),
      format: 'der',
      type: 'spki',
    });
  } catch (cause) {
    // OpenSSL names the fault in many ways; all of them mean that these bytes are not a usable public key.
    if (cause instanceof Error && 'code' in cause) return null;
    throw cause;
  }
}

/** Whether `signature` over `data` verifies; false also for weak and unknown algorithms and for keys of another kind. */
export function verifySignature(
  spkiDer: Uint8Array,
  algorithm: AlgorithmIdentifier,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = publicKeyFromSpki(spkiDer);
  return key !== null && verifySignatureWithKey(key, algorithm, data, signature);
}

/** `verifySignature` for a key that is used more than once. */
export function verifySignatureWithKey(
  key: KeyObject,
  algorithm: AlgorithmIdentifier,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const scheme = signatureScheme(algorithm);
  if (scheme === null || scheme.weak || !keyFits(key, scheme)) return false;
  return verify(
    scheme.digest,
    data,
    scheme.pss ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : key,
    signature,
  );
}

/** Making a key object costs as much as using it, so issuers' are kept for as long as their certificate is. */
const issuerKeys = new WeakMap<SubjectPublicKeyInfo, KeyObject | null>();

/** As it was parsed: the object is the identity under which its key is kept, so its bytes must not change. */
interface SubjectPublicKeyInfo {
  readonly raw: Uint8Array;
}

/** `verifySignature` for the keys of issuers, which verify many certificates. */
export function verifySignatureByIssuer(
  publicKey: SubjectPublicKeyInfo,
  algorithm: AlgorithmIdentifier,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  let key = issuerKeys.get(publicKey);
  if (key === undefined) {
    key = publicKeyFromSpki(publicKey.raw);
    issuerKeys.set(publicKey, key);
  }
  return key !== null && verifySignatureWithKey(key, algorithm, data, signature);
}

function keyFits(key: KeyObject, scheme: SignatureScheme): boolean {
  const type = key.asymmetricKeyType;
  if (scheme.key === 'rsa') return type === 'rsa' || (type === 'rsa-pss' && scheme.pss);
  return type === scheme.key;
}
