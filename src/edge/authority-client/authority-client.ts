/** Requests to an authority's API: TLS verified against its root, which is known by fingerprint or by file. */
import { createHash, X509Certificate } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { OperatorFault } from '../../core/faults/operator-faults.ts';

const TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 1 << 20;

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/**
 * The root whose SHA-256 is `fingerprint` (lower-case hex), as PEM. It is fetched over a connection that cannot be
 * verified yet; the fingerprint is what is trusted.
 *
 * @throws OperatorFault fingerprint-mismatch, authority-unreachable
 */
export async function fetchRoot(url: string, fingerprint: string): Promise<string> {
  const answer = await send(`${url}/root/${fingerprint}`, 'GET', null, { rejectUnauthorized: false });
  const pem = typeof answer.body.ca === 'string' ? answer.body.ca : null;
  const found = pem === null ? null : fingerprintOf(pem);
  if (pem === null || found !== fingerprint) {
    throw new OperatorFault(
      'fingerprint-mismatch',
      `${url} has no root with the fingerprint ${fingerprint}${found ? `; it sent ${found}` : ''}`,
      { url },
    );
  }
  return pem;
}

/** null for what is no certificate: the answer comes from whoever listens there. */
function fingerprintOf(pem: string): string | null {
  try {
    return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
  } catch {
    return null;
  }
}

/** GET. `tls.ca` is the root. @throws OperatorFault authority-unreachable */
export function get(url: string, tls: ConnectionOptions, maxBytes = MAX_ANSWER_BYTES): Promise<Answer> {
  return send(url, 'GET', null, tls, maxBytes);
}

/** POST of a JSON body. `tls.ca` is the root; `tls.cert` and `tls.key` authenticate the client. @throws OperatorFault authority-unreachable */
export function post(url: string, body: unknown, tls: ConnectionOptions): Promise<Answer> {
  return send(url, 'POST', JSON.stringify(body), tls);
}

function send(
  url: string,
  method: string,
  body: string | null,
  tls: ConnectionOptions,
  maxBytes = MAX_ANSWER_BYTES,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { origin } = new URL(url);
    const unreachable = (cause: Error): void => {
      const what = `the authority at ${origin} cannot be reached: ${cause.message}`;
      reject(new OperatorFault('authority-unreachable', what, { url: origin }, cause));
    };
    const request = httpsRequest(
      url,
      {
        method,
        agent: false,
        ...tls,
        headers: body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.byteLength;
          if (size > maxBytes) request.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        response.on('error', unreachable);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: jsonObject(Buffer.concat(chunks).toString('utf8')) }),
        );
      },
    );
    request.setTimeout(TIMEOUT_MS, () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    request.on('error', unreachable);
    request.end(body);
  });
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return {};
  }
}
