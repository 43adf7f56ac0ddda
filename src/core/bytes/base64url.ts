/** Base64url without padding (RFC 4648 §5), as JOSE and ACME use it. */
export type Base64Url = string & { readonly __brand: 'Base64Url' };

const ALPHABET = /^[A-Za-z0-9_-]*$/;

/** Bytes → base64url without padding. */
export function base64UrlFromBytes(bytes: Uint8Array): Base64Url {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url') as Base64Url;
}

/**
 * Strict base64url → bytes, or null. Refuses padding, white space, the "+/" alphabet and non-zero
 * trailing bits, so that every value has exactly one spelling.
 */
export function bytesFromBase64Url(text: string): Uint8Array | null {
  if (!ALPHABET.test(text) || text.length % 4 === 1) return null;
  const bytes = Buffer.from(text, 'base64url');
  // Only the last character can carry bits that decoding drops.
  if (text.length % 4 !== 0 && bytes.toString('base64url') !== text) return null;
  return bytes;
}
