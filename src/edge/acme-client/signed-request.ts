/** Signed requests to an ACME server (RFC 8555 §6), ours or anybody's: nonces, retries of badNonce, problems as errors. */
import { createHash, type KeyObject, sign } from 'node:crypto';
import { request as httpsRequest } from 'node:https';

export interface AcmeSession {
  /** PEM roots for the server's TLS; null: the system's. */
  readonly ca: string | null;
  readonly key: KeyObject;
  readonly jwk: Readonly<Record<string, string>>;
  /** SHA-256 of the canonical JWK, base64url (RFC 7638). */
  readonly thumbprint: string;
  readonly nonces: string[];
  /** The account's URL, once it is known. */
  kid: string | null;
}

export interface AcmeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** The server said no, with its problem document's words. */
export class AcmeRefused extends Error {
  readonly type: string;
  readonly retryAfterSeconds: number | null;
  constructor(type: string, detail: string, retryAfterSeconds: number | null) {
    super(detail);
    this.name = 'AcmeRefused';
    this.type = type;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 1 << 20;
const NONCE_TRIES = 5;

/** @param key a P-256 private key */
export function acmeSession(key: KeyObject, ca: string | null): AcmeSession {
  const { crv = '', kty = '', x = '', y = '' } = key.export({ format: 'jwk' });
  const jwk = { crv, kty, x, y };
  return {
    ca,
    key,
    jwk,
    thumbprint: createHash('sha256').update(JSON.stringify(jwk)).digest('base64url'),
    nonces: [],
    kid: null,
  };
}

/** @param payload an object, or null for POST-as-GET. @throws AcmeRefused; Error when the server cannot be reached */
export async function postSigned(
  session: AcmeSession,
  newNonceUrl: string,
  url: string,
  payload: object | null,
): Promise<AcmeAnswer> {
  for (let tries = 1; ; tries++) {
    if (session.nonces.length === 0) await send(session, 'HEAD', newNonceUrl, null);
    const body = signed(session, url, payload);
    const answer = await send(session, 'POST', url, body);
    if (answer.status < 400) return answer;
    const problem = problemOf(answer);
    if (!problem.type.endsWith(':badNonce') || tries >= NONCE_TRIES) throw problem;
  }
}

function signed(session: AcmeSession, url: string, payload: object | null): string {
  const who = session.kid === null ? { jwk: session.jwk } : { kid: session.kid };
  const head = base64url(JSON.stringify({ alg: 'ES256', nonce: session.nonces.pop(), url, ...who }));
  const content = payload === null ? '' : base64url(JSON.stringify(payload));
  const signature = sign('sha256', Buffer.from(`${head}.${content}`), { key: session.key, dsaEncoding: 'ieee-p1363' });
  return JSON.stringify({ protected: head, payload: content, signature: signature.toString('base64url') });
}

function problemOf({ status, headers, body }: AcmeAnswer): AcmeRefused {
  const retry = Number(headers['retry-after']);
  let type = `HTTP ${status}`;
  let detail = body.slice(0, 300);
  try {
    const problem = JSON.parse(body) as { type?: string; detail?: string; subproblems?: { detail?: string }[] };
    type = problem.type ?? type;
    detail = [problem.detail, ...(problem.subproblems ?? []).map((sub) => sub.detail)].filter(Boolean).join('; ');
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  return new AcmeRefused(type, detail, Number.isFinite(retry) ? retry : null);
}

export function getUnsigned(session: AcmeSession, url: string): Promise<AcmeAnswer> {
  return send(session, 'GET', url, null);
}

function send(session: AcmeSession, method: string, url: string, body: string | null): Promise<AcmeAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      url,
      {
        method,
        ...(session.ca !== null && { ca: session.ca }),
        headers: {
          'user-agent': 'Fullchain',
          'accept-encoding': 'identity',
          ...(body !== null && { 'content-type': 'application/jose+json', 'content-length': Buffer.byteLength(body) }),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.byteLength;
          if (size > MAX_ANSWER_BYTES) outgoing.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        incoming.on('error', reject);
        incoming.on('end', () => {
          const nonce = incoming.headers['replay-nonce'];
          if (typeof nonce === 'string') session.nonces.push(nonce);
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          });
        });
      },
    );
    outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
