/** A network between a client and a real server that breaks when it likes to: connections end before they begin. */
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { startTcpServer } from './tcp-server.ts';

/**
 * @param passes of the how-manieth connection, from 1
 * @param end what becomes of the others; they are cut otherwise
 * @returns the port that leads to the server
 */
export async function breakNetwork(
  t: TestContext,
  to: number,
  passes: (count: number) => boolean,
  end: (socket: Socket) => void = (socket) => void socket.destroy(),
): Promise<number> {
  let count = 0;
  const relay = createServer((socket) => {
    socket.on('error', () => {});
    if (!passes(++count)) {
      end(socket);
      return;
    }
    const upstream = connect(to, '127.0.0.1');
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    upstream.on('close', () => socket.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  const server = await startTcpServer(relay, '127.0.0.1', 0);
  t.after(server.close);
  return server.port;
}
