/** One GET over a connection that exists, read no further than asked: the peer may send anything, for ever. */
import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { DeadlineExceeded, formatLimit } from './deadline.ts';

export interface HttpQuestion {
  /** The Host header, with the port where it is not the scheme's own. */
  readonly host: string;
  /** Path and query. */
  readonly path: string;
  readonly maxBodyBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly location: string | null;
  /** Of a 200 only: nothing else is read. */
  readonly body: Buffer;
  /** Whether the body goes on after `maxBodyBytes`, of which `body` is the beginning. */
  readonly isLonger: boolean;
}

const MAX_HEADER_BYTES = 16 * 1024;

/** Ends the connection in every case. @throws the error of the connection or of the parser, or the reason of `signal` */
export async function exchange(connection: Duplex, question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const giveUp = (): void => reject(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  const outgoing = request({
    // An agent, and with it any proxy of the environment, is not involved when the connection is given.
    createConnection: () => connection,
    method: 'GET',
    path: question.path,
    setHost: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    headers: {
      host: question.host,
      'user-agent': 'Fullchain',
      accept: '*/*',
      'accept-encoding': 'identity',
      connection: 'close',
    },
  });
  outgoing.on('error', reject);
  outgoing.on('response', (incoming) => readAnswer(incoming, question.maxBodyBytes).then(resolve, reject));
  // A 101 nobody asked for: an answer like any other that is not 200.
  outgoing.on('upgrade', (incoming) => readAnswer(incoming, 0).then(resolve, reject));
  outgoing.end();
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', giveUp);
    connection.destroy();
  }
}

async function readAnswer(incoming: IncomingMessage, maxBodyBytes: number): Promise<HttpAnswer> {
  const { statusCode: status = 0, headers } = incoming;
  const location = headers.location ?? null;
  incoming.on('error', () => {}); // what destroying it leads to, once the answer is known
  if (status !== 200) return { status, location, body: Buffer.alloc(0), isLonger: false };
  const chunks: Buffer[] = [];
  let byteLength = 0;
  for await (const chunk of incoming) {
    chunks.push(chunk);
    byteLength += chunk.byteLength;
    if (byteLength > maxBodyBytes) break;
  }
  return {
    status,
    location,
    body: Buffer.concat(chunks).subarray(0, maxBodyBytes),
    isLonger: byteLength > maxBodyBytes,
  };
}

/** What to say of an endpoint after an exchange that gave no answer. */
export function describeExchangeFailure(cause: unknown): string {
  if (cause instanceof DeadlineExceeded) return `did not answer in time (limit ${formatLimit(cause.limitMs)})`;
  if (!(cause instanceof Error) || !('code' in cause)) throw cause;
  const code = String(cause.code);
  if (code === 'HPE_HEADER_OVERFLOW') return `answered with more than ${MAX_HEADER_BYTES / 1024} KiB of headers`;
  if (code.startsWith('HPE_')) return 'answered with something that is not HTTP/1.1';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'closed the connection without a complete answer';
  return `failed to answer (${code})`;
}
