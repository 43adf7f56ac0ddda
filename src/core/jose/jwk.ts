/** Public JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2) and their thumbprints (RFC 7638). */
import { type Base64Url, base64UrlFromBytes, bytesFromBase64Url } from '../bytes/base64url.ts';
import { sha256 } from '../crypto/digest.ts';
import { JWS_ALGORITHMS, type JwsAlgorithm } from './jws-algorithms.ts';

export type PublicJwk =
  | { readonly kty: 'EC'; readonly crv: 'P-256' | 'P-384' | 'P-521'; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string };

export type Thumbprint = Base64Url & { readonly __thumbprint: true };

const COORDINATE_BYTES = { 'P-256': 32, 'P-384': 48, 'P-521': 66, Ed25519: 32 } as const;

/**
 * JSON value → public key with only its required members, or the reason why not. A private member is
 * refused: whoever sends one has published the key.
 */
export function parsePublicJwk(value: unknown): PublicJwk | { readonly why: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { why: 'the jwk is not an object' };
  const jwk = value as Record<string, unknown>;
  if ('d' in jwk || 'k' in jwk) return { why: 'the jwk holds a private or symmetric key' };
  switch (jwk.kty) {
    case 'EC': {
      const { crv, x, y } = jwk;
      if (crv !== 'P-256' && crv !== 'P-384' && crv !== 'P-521')
        return { why: `the curve ${show(crv)} is not supported` };
      if (!isMember(x, COORDINATE_BYTES[crv]) || !isMember(y, COORDINATE_BYTES[crv])) {
        return { why: `x and y of ${crv} are ${COORDINATE_BYTES[crv]} bytes each in base64url` };
      }
      return { kty: 'EC', crv, x, y };
    }
    case 'OKP': {
      const { crv, x } = jwk;
      if (crv !== 'Ed25519') return { why: `the curve ${show(crv)} is not supported` };
      return isMember(x, COORDINATE_BYTES[crv])
        ? { kty: 'OKP', crv, x }
        : { why: 'x of Ed25519 is 32 bytes in base64url' };
    }
    case 'RSA': {
      const { n, e } = jwk;
      const modulus = typeof n === 'string' ? bytesFromBase64Url(n) : null;
      const exponent = typeof e === 'string' ? bytesFromBase64Url(e) : null;
      if (!modulus || !exponent || !modulus[0] || !exponent[0])
        return { why: 'n and e of an RSA key are base64url without leading zeros' };
      const bits = modulus.byteLength * 8 - Math.clz32(modulus[0]) + 24;
      if (bits < 2048 || bits > 8192) return { why: `an RSA key of ${bits} bits; 2048 to 8192 are accepted` };
      if (exponent.byteLength > 8) return { why: 'the RSA exponent is too large' };
      // With the exponent 1 everybody can sign; an even one has no private half.
      if ((exponent.at(-1) ?? 0) % 2 === 0 || (exponent.byteLength === 1 && exponent[0] === 1))
        return { why: 'the RSA exponent is odd and at least 3' };
      return { kty: 'RSA', n: n as string, e: e as string };
    }
    default:
      return { why: `the key type ${show(jwk.kty)} is not supported` };
  }
}

function isMember(value: unknown, byteLength: number): value is string {
  return typeof value === 'string' && bytesFromBase64Url(value)?.byteLength === byteLength;
}

/** Never String() of what a stranger sent: an object's toString may be missing, and deep nesting exhausts the stack. */
function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : typeof value;
}

/** RFC 7638 §3: SHA-256 over the required members in lexical order, base64url. */
export function jwkThumbprint(jwk: PublicJwk): Thumbprint {
  const canonical =
    jwk.kty === 'EC'
      ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }
      : jwk.kty === 'OKP'
        ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x }
        : { e: jwk.e, kty: jwk.kty, n: jwk.n };
  return base64UrlFromBytes(sha256(Buffer.from(JSON.stringify(canonical)))) as Thumbprint;
}

/** Whether a key may sign with this algorithm. */
export function jwkFitsAlgorithm(jwk: PublicJwk, algorithm: JwsAlgorithm): boolean {
  const row = JWS_ALGORITHMS[algorithm];
  return row.keyType === jwk.kty && (jwk.kty === 'RSA' || row.curve === jwk.crv);
}
