/**
 * A port that neither accepts nor refuses: the queue of a server that never accepts is full, so that the kernel drops
 * every further attempt to connect. Linux.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface BlackHole {
  readonly host: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Listens with the shortest queue, says where, and then blocks its event loop. */
const STUCK_SERVER = `
  const server = require('node:net').createServer();
  server.listen({ host: process.argv[1], port: 0, backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port) + '\\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

export async function startBlackHole(host = '127.0.0.1'): Promise<BlackHole> {
  const server = spawn(process.execPath, ['-e', STUCK_SERVER, host], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(server.stdout, 'data');
  const port = Number(String(line));
  const fillers: Socket[] = [];
  for (let connected = true; connected; ) {
    const filler = connect({ host, port }).on('error', () => {});
    fillers.push(filler);
    connected = await Promise.race([once(filler, 'connect').then(() => true), sleep(300, false)]);
  }
  return {
    host,
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy();
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
  };
}
