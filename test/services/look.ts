/** A client's look at a service: the handshake with node:tls, and the first words in plaintext. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { TestPair } from './test-authority.ts';

/** Brings a connection to where TLS begins. */
export type Preamble = (socket: Socket) => Promise<void>;

export interface Look
  extends Pick<ConnectionOptions, 'minVersion' | 'maxVersion' | 'ciphers' | 'ecdhCurve' | 'servername'> {
  readonly port: number;
  readonly host?: string;
  readonly ca: string;
  readonly preamble?: Preamble;
  readonly client?: TestPair;
  /** What to say once TLS stands; the answer is in the result. Refusals of TLS 1.3 come only then. */
  readonly say?: string | Uint8Array;
}

export interface Seen {
  /** SHA-256 of the leaf. */
  readonly fingerprint: string;
  readonly version: string;
  readonly suite: string;
  readonly chainLength: number;
  readonly answer: string;
}

const TIMEOUT_MS = 5000;

/** @throws what the handshake was refused with */
export async function look(options: Look): Promise<Seen> {
  const { port, host = '127.0.0.1', preamble, client, say, ca, ...tls } = options;
  const tcp = await connected(host, port);
  let secure: TLSSocket | null = null;
  try {
    await preamble?.(tcp);
    secure = connectTls({
      socket: tcp,
      ca,
      servername: 'service.internal',
      ...(tls.maxVersion !== undefined && tls.maxVersion < 'TLSv1.2' && { ciphers: 'DEFAULT:@SECLEVEL=0' }),
      ...tls,
      ...(client && { cert: client.chain, key: client.key }),
    });
    await once(secure, 'secureConnect', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const leaf = secure.getPeerX509Certificate();
    let chainLength = 0;
    for (let next = leaf; next; next = next.issuerCertificate) chainLength++;
    const answer = say === undefined ? '' : await exchange(secure, say);
    return {
      fingerprint: createHash('sha256')
        .update(leaf?.raw ?? Buffer.alloc(0))
        .digest('hex'),
      version: secure.getProtocol() ?? '',
      suite: secure.getCipher().standardName,
      chainLength,
      answer,
    };
  } finally {
    secure?.destroy();
    tcp.destroy();
  }
}

/** Whether two handshakes in a row show this leaf; servers with several processes change over one by one. */
export async function serves(options: Look, pair: TestPair): Promise<boolean> {
  for (let i = 0; i < 2; i++) {
    if ((await look(options).catch(() => null))?.fingerprint !== pair.fingerprint) return false;
  }
  return true;
}

/** What comes back on a plaintext connection; empty when it is closed without a word. */
export async function speak(port: number, words: string | Uint8Array, host = '127.0.0.1'): Promise<string> {
  const socket = await connected(host, port);
  try {
    return await exchange(socket, words);
  } finally {
    socket.destroy();
  }
}

export async function connected(host: string, port: number, localAddress?: string): Promise<Socket> {
  const socket = connectTcp({ host, port, ...(localAddress !== undefined && { localAddress }) });
  // Resets are answers here, and whoever waits hears of them.
  socket.on('error', () => {});
  await once(socket, 'connect', { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return socket;
}

/** The first data, or what ended the connection. @throws what TLS was refused with */
async function exchange(socket: Socket, words: string | Uint8Array): Promise<string> {
  const answer = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), TIMEOUT_MS);
    const settle = (text: string): void => {
      clearTimeout(timer);
      resolve(text);
    };
    socket.once('data', (data) => settle(data.toString('latin1')));
    socket.once('end', () => settle(''));
    socket.once('close', () => settle(''));
    socket.once('error', (fault: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      if (fault.code === 'ECONNRESET') resolve('');
      else reject(fault);
    });
  });
  socket.write(words);
  return answer;
}

/** The first data that comes without being asked for. */
export async function greeting(socket: Socket): Promise<string> {
  const [data] = await once(socket, 'data', { signal: AbortSignal.timeout(TIMEOUT_MS) });
  socket.pause();
  return (data as Buffer).toString('latin1');
}
