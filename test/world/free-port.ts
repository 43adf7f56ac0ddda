/** A TCP port that nothing listens on: for what must refuse a connection, or for a server that wants to be told its port. */
import { createServer } from 'node:net';
import { startTcpServer } from './tcp-server.ts';

/** Another process can take it at any time: prefer listening on port 0 where the port can be asked for. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const { port, close } = await startTcpServer(createServer(), host, 0);
  await close();
  return port;
}
