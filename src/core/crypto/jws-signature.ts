/** JWS signatures over node:crypto: synchronous, deterministic verification only. */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { PublicJwk } from '../jose/jwk.ts';
import { JWS_ALGORITHMS, type JwsAlgorithm } from '../jose/jws-algorithms.ts';

/** A parsed JWK → key object, or null when the numbers are not a key (a point off the curve). */
export function keyFromJwk(jwk: PublicJwk): KeyObject | null {
  try {
    return createPublicKey({ format: 'jwk', key: { ...jwk } });
  } catch (cause) {
    // OpenSSL names the fault in many ways; all of them mean that these numbers are not a public key.
    if (cause instanceof Error && 'code' in cause) return null;
    throw cause;
  }
}

/** RFC 7518 §3. The caller has checked that the key fits the algorithm. */
export function verifyJwsSignature(
  key: KeyObject,
  algorithm: JwsAlgorithm,
  signingInput: Uint8Array,
  signature: Uint8Array,
): boolean {
  const row = JWS_ALGORITHMS[algorithm];
  if (row.signatureLength !== null && signature.byteLength !== row.signatureLength) return false;
  return verify(
    row.digest,
    signingInput,
    row.pss
      ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { key, dsaEncoding: 'ieee-p1363' },
    signature,
  );
}
