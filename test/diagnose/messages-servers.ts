/** Servers that are broken on purpose: openssl s_server, whose log is read too. */
import { setTimeout as sleep } from 'node:timers/promises';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { type RunningProgram, startServer } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import type { PairFiles } from './messages-pairs.ts';

export interface OpensslServer extends RunningProgram {
  readonly port: number;
}

/** @param options more of s_server's */
export async function startOpenssl(pair: PairFiles, options: readonly string[] = []): Promise<OpensslServer> {
  const port = await freePort();
  const args = [
    '-accept',
    `127.0.0.1:${port}`,
    '-cert',
    pair.cert,
    '-key',
    pair.key,
    ...(pair.rest ? ['-cert_chain', pair.rest] : []),
    '-www',
  ];
  const program = await startServer('openssl', ['s_server', ...args, ...options], {
    isReady: () => acceptsConnections(port),
  });
  return { ...program, port };
}

/** What a program has written since then, once it has: its words may come a moment after its client's. */
export async function writtenSince({ output }: Pick<RunningProgram, 'output'>, length: number): Promise<string> {
  for (let tries = 0; tries < 40 && output().length === length; tries++) await sleep(25);
  return output().slice(length);
}
