/** One GET over a connection that exists, read no further than asked: the peer may send anything, for ever. */
import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { ConnectionFault } from './connection-fault.ts';
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
  /** Its Server header. */
  readonly server: string | null;
  /** Of a 200 only: nothing else is read. */
  readonly body: Buffer;
  /** Whether the body goes on after `maxBodyBytes`, of which `body` is the beginning. */
  readonly isLonger: boolean;
}

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_INFORMATIONAL = 8;

/** Ends the connection in every case. @throws ConnectionFault, or the reason of `signal` */
export async function exchange(connection: Duplex, question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
  signal.throwIfAborted();
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
  const fail = (cause: unknown): void => reject(new ConnectionFault(cause));
  outgoing.on('error', fail);
  outgoing.on('response', (incoming) => readAnswer(incoming, question.maxBodyBytes).then(resolve, fail));
  // A 101 that nobody asked for, and 1xx without end, are answers like any other that is not 200.
  outgoing.on('upgrade', () => resolve(withoutBody(101, {})));
  let informational = 0;
  outgoing.on('information', ({ statusCode }) => {
    if (++informational > MAX_INFORMATIONAL) resolve(withoutBody(statusCode, {}));
  });
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
  incoming.on('error', () => {}); // what destroying it leads to, once the answer is known
  if (status !== 200) return withoutBody(status, headers);
  const chunks: Buffer[] = [];
  let byteLength = 0;
  for await (const chunk of incoming) {
    chunks.push(chunk);
    byteLength += chunk.byteLength;
    if (byteLength > maxBodyBytes) break;
  }
  return {
    ...withoutBody(status, headers),
    body: Buffer.concat(chunks).subarray(0, maxBodyBytes),
    isLonger: byteLength > maxBodyBytes,
  };
}

function withoutBody(status: number, headers: IncomingMessage['headers']): HttpAnswer {
  const { location = null } = headers;
  const server = typeof headers.server === 'string' ? headers.server : null;
  return { status, location, server, body: Buffer.alloc(0), isLonger: false };
}

/** What to say of an endpoint after an exchange that gave no answer. */
export function describeExchangeFailure(cause: unknown): string {
  if (cause instanceof DeadlineExceeded) return `did not answer in time (limit ${formatLimit(cause.limitMs)})`;
  if (!(cause instanceof ConnectionFault)) throw cause;
  const { code } = cause;
  if (code === 'HPE_HEADER_OVERFLOW') return `answered with more than ${MAX_HEADER_BYTES / 1024} KiB of headers`;
  if (code.startsWith('HPE_')) return 'answered with something that is not HTTP/1.1';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'closed the connection without a complete answer';
  return `failed to answer (${code})`;
}
