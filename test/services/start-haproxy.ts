/** A throw-away HAProxy. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { pathOf } from '../servers/available.ts';
import { startServer, temporaryDirectory } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { cleanup } from './cleanup.ts';

/** A master with a plain frontend of its own; `more` may hold a bind line that names our pair. */
export async function startHaproxy(t: TestContext, prepare: (directory: string) => string = () => '') {
  const stack = cleanup(t);
  const directory = stack.use(temporaryDirectory());
  const config = join(directory.path, 'haproxy.cfg');
  const pidFile = join(directory.path, 'haproxy.pid');
  const plainPort = await freePort();
  const text = `global
    log stderr format raw daemon notice
    tune.ssl.default-dh-param 2048
defaults
    mode http
    timeout connect 5s
    timeout client 1m
    timeout server 1m
frontend own
    bind 127.0.0.1:${plainPort}
    http-request return status 204
${prepare(directory.path)}`;
  writeFileSync(config, text);
  const start = async () => {
    const server = await startServer(pathOf('haproxy') ?? 'haproxy', ['-W', '-f', config, '-p', pidFile], {
      isReady: () => acceptsConnections(plainPort),
    });
    stack.defer(async () => void (await server.stop()));
    return server;
  };
  return { start, config, pidFile, text, directory: directory.path };
}
