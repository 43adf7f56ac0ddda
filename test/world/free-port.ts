/** A TCP port that nothing listens on: for what must refuse a connection, or for a server that wants to be told its port. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { startTcpServer } from './tcp-server.ts';

/** Below what the system hands out by itself (32768 on Linux), to servers on port 0 and to connections: those never take it. */
const [LOWEST, HIGHEST] = [12_000, 32_000];
const MOST_TRIES = 100;

/** Another test that asks may be told the same one: prefer listening on port 0 where the port can be asked for. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const port = randomInt(LOWEST, HIGHEST);
    const probe = await startTcpServer(createServer(), host, port).catch(() => null);
    if (probe === null) continue;
    await probe.close();
    return port;
  }
  throw new Error(`none of ${MOST_TRIES} ports of ${host} could be listened on`);
}
