/** One nginx with several policies, each at a port of its own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { pathOf } from '../servers/available.ts';
import { startServer, temporaryDirectory } from '../servers/process.ts';
import { cleanup } from '../services/cleanup.ts';
import { freePort } from '../world/free-port.ts';
import type { PairFiles } from './openssl-pairs.ts';

/**
 * @param policies by name: directives of a server block besides listener and certificates
 * @param forAll directives of the block around them
 */
export async function startSites<Name extends string>(
  t: TestContext,
  pairs: readonly PairFiles[],
  policies: Readonly<Record<Name, string>>,
  forAll = '',
): Promise<Readonly<Record<Name, number>>> {
  const stack = cleanup(t);
  const { path } = stack.use(temporaryDirectory());
  const ports: Record<string, number> = {};
  const blocks: string[] = [];
  const certificates = pairs.map(({ cert, key }) => `ssl_certificate ${cert}; ssl_certificate_key ${key};`).join('\n');
  for (const [name, directives] of Object.entries(policies)) {
    const port = await freePort();
    ports[name] = port;
    blocks.push(
      `server { listen 127.0.0.1:${port} ssl http2; server_name localhost; ${certificates}\n${directives}\nlocation / { return 200 "here\\n"; } }`,
    );
  }
  mkdirSync(join(path, 'tmp'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${path}/tmp;`,
  );
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    join(path, 'nginx.conf'),
    `daemon off; pid ${path}/pid; error_log stderr; worker_processes 1; ${user} events {}\nhttp { access_log off; ${forAll} ${temporary.join(' ')}\n${blocks.join('\n')} }\n`,
  );
  const program = await startServer(
    pathOf('nginx') ?? 'nginx',
    ['-p', path, '-e', 'stderr', '-c', `${path}/nginx.conf`],
    {
      isReady: async () =>
        (await Promise.all(Object.values(ports).map((port) => acceptsConnections(port)))).every(Boolean),
    },
  );
  stack.defer(async () => void (await program.stop()));
  return ports as Record<Name, number>;
}
