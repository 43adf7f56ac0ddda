/** A certificate's public key as a JWK, to compare it with account keys. */
import { base64UrlFromBytes } from '../bytes/base64url.ts';
import type { PublicKeyInfo } from '../x509/public-key.ts';
import type { PublicJwk } from './jwk.ts';

const CURVES = { 'P-256': 32, 'P-384': 48, 'P-521': 66 } as const;

/** null for keys that have no JWK here (ML-DSA, compressed points, unknown kinds): no account can have those. */
export function jwkOfPublicKey(key: PublicKeyInfo): PublicJwk | null {
  if (key.kind === 'rsa')
    return { kty: 'RSA', n: base64UrlFromBytes(key.modulus), e: base64UrlFromBytes(key.exponent) };
  if (key.kind === 'ed25519') return { kty: 'OKP', crv: 'Ed25519', x: base64UrlFromBytes(key.subjectPublicKey) };
  if (key.kind !== 'ec' || !Object.hasOwn(CURVES, key.curve)) return null;
  const crv = key.curve as keyof typeof CURVES;
  const length = CURVES[crv];
  if (key.point.byteLength !== 1 + 2 * length || key.point[0] !== 4) return null;
  return {
    kty: 'EC',
    crv,
    x: base64UrlFromBytes(key.point.subarray(1, 1 + length)),
    y: base64UrlFromBytes(key.point.subarray(1 + length)),
  };
}
