/** A throw-away Redis that begins in plaintext, with a password. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { type RunningProgram, startServer } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { cleanup } from './cleanup.ts';
import { as, directoryFor } from './own-user.ts';

export const PASSWORD = 'correct horse';

/** @param more lines of redis.conf */
export async function startRedis(t: TestContext, more = '') {
  const stack = cleanup(t);
  const directory = stack.use(directoryFor('redis'));
  const config = join(directory.own, 'redis.conf');
  const passwordFile = join(directory.path, 'password');
  const port = await freePort();
  const text = `port ${port}\nbind 127.0.0.1 -::1\ndir ${directory.own}\nsave ""\nrequirepass "${PASSWORD}"\n${more}`;
  writeFileSync(config, text, { mode: 0o644 });
  writeFileSync(passwordFile, `${PASSWORD}\n`);
  const start = async (): Promise<RunningProgram> => {
    const [program, args] = as('redis', ['redis-server', config]);
    const server = await startServer(program, args, { isReady: () => acceptsConnections(port) });
    stack.defer(async () => void (await server.stop()));
    return server;
  };
  return { server: await start(), start, port, config, text, passwordFile };
}
