/** Compact JWS (RFC 7515 §7.1) with a JSON payload: the one-time tokens. Public keys only, as in JWS_ALGORITHMS. */
import { bytesFromBase64Url } from '../bytes/base64url.ts';
import { isJwsAlgorithm, type JwsAlgorithm } from './jws-algorithms.ts';

export interface CompactJws {
  readonly algorithm: JwsAlgorithm;
  readonly kid: string | null;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signature: Uint8Array;
  readonly signingInput: Uint8Array;
}

const MAX_LENGTH = 16 * 1024;

/** Text → token, or what is wrong with it. The signature is not checked here. */
export function parseCompactJws(text: string): CompactJws | { readonly why: string } {
  if (text.length > MAX_LENGTH) return { why: 'the token is too long' };
  const parts = text.split('.');
  const [headerText = '', payloadText = '', signatureText = ''] = parts;
  const [header, claims] = [parseJson(headerText), parseJson(payloadText)];
  const signature = bytesFromBase64Url(signatureText);
  if (parts.length !== 3 || !header || !claims || !signature?.byteLength)
    return { why: 'the token is not a signed JWT' };
  if (typeof header.alg !== 'string' || !isJwsAlgorithm(header.alg))
    return { why: 'the token is signed with an algorithm that is not accepted' };
  if (header.crit !== undefined || header.b64 !== undefined) return { why: 'crit and b64 are not supported' };
  return {
    algorithm: header.alg,
    kid: typeof header.kid === 'string' ? header.kid : null,
    claims,
    signature,
    signingInput: Buffer.from(`${headerText}.${payloadText}`, 'latin1'),
  };
}

function parseJson(base64Url: string): Record<string, unknown> | null {
  const bytes = bytesFromBase64Url(base64Url);
  if (!bytes) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return null;
  }
}
