/**
 * Flattened JWS JSON serialization (RFC 7515 §7.2.2) as RFC 8555 §6.2 narrows it: exactly `protected`,
 * `payload` and `signature`; no unprotected header, no `signatures`, no `b64`, no critical extensions.
 */
import { bytesFromBase64Url } from '../bytes/base64url.ts';

export interface FlattenedJws {
  readonly header: ProtectedHeader;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** ASCII(protected "." payload), what the signature covers. */
  readonly signingInput: Uint8Array;
}

export interface ProtectedHeader {
  readonly alg: string;
  readonly url?: string;
  readonly nonce?: string;
  readonly kid?: string;
  readonly jwk?: unknown;
}

const MEMBERS = new Set(['protected', 'payload', 'signature']);

/** JSON value → JWS, or what is wrong with it. The signature is not checked here. */
export function parseFlattenedJws(value: unknown): FlattenedJws | { readonly why: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { why: 'the body is not a JWS object' };
  const stray = Object.keys(value).find((member) => !MEMBERS.has(member));
  if (stray !== undefined) return { why: `the member ${JSON.stringify(stray.slice(0, 40))} is not allowed in the JWS` };
  const jws = value as Record<string, unknown>;
  const { protected: protectedText, payload: payloadText, signature: signatureText } = jws;
  if (typeof protectedText !== 'string' || typeof payloadText !== 'string' || typeof signatureText !== 'string') {
    return { why: 'protected, payload and signature must be strings' };
  }
  const headerBytes = bytesFromBase64Url(protectedText);
  const payload = bytesFromBase64Url(payloadText);
  const signature = bytesFromBase64Url(signatureText);
  if (!headerBytes || !payload || !signature) {
    return {
      why: `${!headerBytes ? 'protected' : !payload ? 'payload' : 'signature'} is not base64url without padding`,
    };
  }
  const header = parseHeader(headerBytes);
  if ('why' in header) return header;
  return { header, payload, signature, signingInput: Buffer.from(`${protectedText}.${payloadText}`, 'latin1') };
}

function parseHeader(bytes: Uint8Array): ProtectedHeader | { readonly why: string } {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return { why: 'the protected header is not JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { why: 'the protected header is not an object' };
  const header = value as Record<string, unknown>;
  if (typeof header.alg !== 'string') return { why: 'the protected header has no alg' };
  for (const member of ['url', 'nonce', 'kid'] as const) {
    if (header[member] !== undefined && typeof header[member] !== 'string') return { why: `${member} is not a string` };
  }
  if (header.crit !== undefined || header.b64 !== undefined) return { why: 'crit and b64 are not supported' };
  return header as unknown as ProtectedHeader;
}
