/** Somebody else on a service's port: greets as the service does, takes the handshake, and writes down what it is told. */
import { createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { startTcpServer, type TcpServer } from '../world/tcp-server.ts';

export interface RogueServer extends TcpServer {
  /** Everything that came inside TLS, or in plaintext where no handshake was asked for. */
  readonly heard: () => string;
  /** Handshakes that were begun: somebody was here. */
  readonly begun: () => number;
}

/** How each protocol gets to its handshake. */
export type Greeting = 'postgres' | 'redis' | 'mysql';

export async function startRogue(
  port: number,
  greeting: Greeting,
  pair: { readonly cert: string; readonly key: string },
): Promise<RogueServer> {
  let heard = '';
  let begun = 0;
  const secure = (socket: Socket): void => {
    begun++;
    const tls = new TLSSocket(socket, { isServer: true, ...pair });
    tls.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    tls.on('error', () => socket.destroy());
  };
  const server = createServer((socket) => {
    if (greeting === 'redis') return secure(socket);
    if (greeting === 'mysql') socket.write(MYSQL_GREETING);
    socket.once('data', (asked: Buffer) => {
      const request = requestForTls(greeting, asked);
      if (request === null) {
        heard += asked.toString('latin1');
        return;
      }
      // A client of MySQL does not wait for an answer: its ClientHello may have come along. Paused, lest it flows to nobody.
      socket.pause();
      if (asked.byteLength > request) socket.unshift(asked.subarray(request));
      if (greeting === 'postgres') socket.write('S');
      secure(socket);
    });
  });
  return { ...(await startTcpServer(server, '127.0.0.1', port)), heard: () => heard, begun: () => begun };
}

/** How many bytes of what came are the request for TLS: 8 of PostgreSQL, 36 of MySQL (the short handshake response); null: it is none. */
function requestForTls(greeting: Greeting, asked: Buffer): number | null {
  if (greeting === 'postgres') return asked.equals(SSL_REQUEST) ? SSL_REQUEST.byteLength : null;
  const CLIENT_SSL = 0x0800;
  const isShort = asked.byteLength >= 36 && asked.readUIntLE(0, 3) === 32;
  return isShort && (asked.readUInt32LE(4) & CLIENT_SSL) !== 0 ? 36 : null;
}

const SSL_REQUEST = Buffer.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);

/** Protocol 10, capabilities with CLIENT_SSL, mysql_native_password. */
const MYSQL_GREETING = ((): Buffer => {
  const body = Buffer.concat([
    Buffer.from('\x0a8.0.0\0', 'latin1'),
    Buffer.of(1, 0, 0, 0),
    Buffer.from('abcdefgh\0', 'latin1'),
    Buffer.of(0xff, 0xff, 45, 2, 0, 0xff, 0xc1, 21),
    Buffer.alloc(10),
    Buffer.from('ijklmnopqrst\0', 'latin1'),
    Buffer.from('mysql_native_password\0', 'latin1'),
  ]);
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.byteLength, 0, 3);
  return Buffer.concat([head, body]);
})();
