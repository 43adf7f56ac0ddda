/**
 * Signed requests to an ACME server (RFC 8555 §6), ours or anybody's: nonces, retries of badNonce, problems as errors.
 * Every answer is bounded in size and time. Redirects are not followed: no answer sends a signed request elsewhere.
 */
import { createHash, type KeyObject, sign } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { retryAfterSeconds } from './retry-after.ts';

export interface AcmeSession {
  /** PEM roots for the server's TLS; null: the system's. */
  readonly ca: string | null;
  readonly key: KeyObject;
  readonly jwk: Readonly<Record<string, string>>;
  /** SHA-256 of the canonical JWK, base64url (RFC 7638). */
  readonly thumbprint: string;
  readonly nonces: string[];
  /** For one exchange, from the connection to the last octet. */
  readonly timeoutMs: number;
  /** The account's URL, once it is known. */
  kid: string | null;
}

/** What a request without a signature needs. */
export type Connection = Pick<AcmeSession, 'ca' | 'nonces' | 'timeoutMs'>;

export interface AcmeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** The server said no, with its problem document's words. */
export class AcmeRefused extends Error {
  /** The URN of RFC 8555 §6.7, or what came in its place. */
  readonly type: string;
  /** Said with 429 and 503. */
  readonly retryAfterSeconds: number | null;
  /** Whose proof failed; null: it is about something else. */
  readonly identifier: string | null;
  constructor(type: string, detail: string, retryAfterSeconds: number | null, identifier: string | null = null) {
    super(detail);
    this.name = 'AcmeRefused';
    this.type = type;
    this.retryAfterSeconds = retryAfterSeconds;
    this.identifier = identifier;
  }
}

/** No answer that could be read: the network, TLS, or a limit of ours. */
export class AcmeUnreachable extends Error {
  constructor(url: string, cause: Error) {
    super(`${URL.canParse(url) ? new URL(url).origin : 'its address'}: ${cause.message}`, { cause });
    this.name = 'AcmeUnreachable';
  }
}

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 1 << 20;
/** Pebble refuses one in twenty on purpose; a server that refuses ten in a row takes none. */
const NONCE_TRIES = 10;
/** Of those not used yet: a server gives one with every answer. */
const MAX_NONCES = 32;
const SHOWN_LENGTH = 500;

/** @param key a P-256 private key */
export function acmeSession(key: KeyObject, ca: string | null, timeoutMs = TIMEOUT_MS): AcmeSession {
  const { crv = '', kty = '', x = '', y = '' } = key.export({ format: 'jwk' });
  const jwk = { crv, kty, x, y };
  return {
    ca,
    key,
    jwk,
    thumbprint: createHash('sha256').update(JSON.stringify(jwk)).digest('base64url'),
    nonces: [],
    timeoutMs,
    kid: null,
  };
}

/**
 * @param payload an object, or null for POST-as-GET
 * @throws AcmeRefused with the server's words; AcmeUnreachable when there is no answer
 */
export async function postSigned(
  session: AcmeSession,
  newNonceUrl: string,
  url: string,
  payload: object | null,
): Promise<AcmeAnswer> {
  for (let tries = 1; ; tries++) {
    if (session.nonces.length === 0) await send(session, 'HEAD', newNonceUrl, null);
    if (session.nonces.length === 0) throw new AcmeRefused('malformed', 'the server gives no nonces', null);
    const answer = await send(session, 'POST', url, signed(session, url, payload));
    if (answer.status >= 200 && answer.status < 300) return answer;
    const problem = problemOf(answer);
    if (!problem.type.endsWith(':badNonce') || tries >= NONCE_TRIES) throw problem;
  }
}

function signed(session: AcmeSession, url: string, payload: object | null): string {
  const who = session.kid === null ? { jwk: session.jwk } : { kid: session.kid };
  // The newest one: after badNonce that is the one which came with the refusal.
  const head = base64url(JSON.stringify({ alg: 'ES256', nonce: session.nonces.pop(), url, ...who }));
  const content = payload === null ? '' : base64url(JSON.stringify(payload));
  const signature = sign('sha256', Buffer.from(`${head}.${content}`), { key: session.key, dsaEncoding: 'ieee-p1363' });
  return JSON.stringify({ protected: head, payload: content, signature: signature.toString('base64url') });
}

/** An answer that is no success, as an error. */
export function problemOf({ status, headers, body }: AcmeAnswer): AcmeRefused {
  const retryAfter = status === 429 || status === 503 ? retryAfterSeconds({ headers }) : null;
  const said = problemDocument(body);
  if (said === null) {
    const words = printable(body.slice(0, SHOWN_LENGTH)).trim();
    const what = status >= 300 && status < 400 ? 'a redirect, which is not followed' : words;
    return new AcmeRefused(`HTTP ${status}`, `HTTP ${status}${what === '' ? '' : `: ${what}`}`, retryAfter);
  }
  return new AcmeRefused(said.type ?? `HTTP ${status}`, said.words || `HTTP ${status}`, retryAfter);
}

function problemDocument(body: string): { readonly type: string | null; readonly words: string } | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    // A proxy's page, or nothing: the status has to do.
    return null;
  }
  const problem = typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : {};
  return { type: typeof problem.type === 'string' ? problem.type : null, words: problemWords(problem) };
}

/** What a problem document says (RFC 7807; RFC 8555 §6.7.1 for subproblems), in one line that is safe to print. */
export function problemWords(problem: Readonly<Record<string, unknown>>): string {
  const subproblems = Array.isArray(problem.subproblems) ? problem.subproblems.slice(0, 10) : [];
  const words = [
    problem.detail,
    ...subproblems.map((sub) => {
      const who = sub?.identifier?.value;
      return typeof sub?.detail === 'string' ? `${typeof who === 'string' ? `${who}: ` : ''}${sub.detail}` : '';
    }),
  ];
  const line = words.filter((one): one is string => typeof one === 'string' && one !== '').join('; ');
  return printable(line.slice(0, SHOWN_LENGTH));
}

/** Words of others go to terminals and logs. */
function printable(text: string): string {
  return text.replace(/\p{C}+/gu, ' ');
}

/** @throws AcmeUnreachable */
export function getUnsigned(session: Connection, url: string): Promise<AcmeAnswer> {
  return send(session, 'GET', url, null);
}

function send(session: Connection, method: string, url: string, body: string | null): Promise<AcmeAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<AcmeAnswer>();
  const fail = (cause: Error): void => reject(new AcmeUnreachable(url, cause));
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
    fail(new Error('the server names no https:// address where one belongs'));
    return promise;
  }
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
      incoming.on('error', fail);
      incoming.on('end', () => {
        const nonce = incoming.headers['replay-nonce'];
        if (typeof nonce === 'string' && session.nonces.push(nonce) > MAX_NONCES) session.nonces.shift();
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        });
      });
    },
  );
  // For the whole exchange: a server that sends an octet now and then would keep a limit on silence away for ever.
  const limit = setTimeout(
    () => outgoing.destroy(new Error(`no whole answer within ${session.timeoutMs / 1000} s`)),
    session.timeoutMs,
  );
  outgoing.on('close', () => clearTimeout(limit));
  outgoing.on('error', fail);
  outgoing.end(body);
  return promise;
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
