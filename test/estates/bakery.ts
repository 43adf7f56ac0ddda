/** The estate of examples/bakery-ia.yaml: fourteen PostgreSQL clusters and a Redis, in plaintext, with ports and directories that are free here. */
import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { LAUNCHER } from '../servers/fullchain.ts';
import { type Ran, type RunningProgram, run, startServer } from '../servers/process.ts';
import { cleanup } from '../services/cleanup.ts';
import { speak } from '../services/look.ts';
import { as, directoryFor } from '../services/own-user.ts';
import { LOGGED_IN, makeCluster, POSTGRES_BIN, startupMessage } from '../services/start-postgresql.ts';
import { PASSWORD, startRedis } from '../services/start-redis.ts';
import { adapted, type Replacement, readExample } from '../world/adapted-example.ts';
import { freePort } from '../world/free-port.ts';

export interface Database {
  readonly name: string;
  readonly port: number;
  readonly data: string;
  readonly server: RunningProgram;
}

export interface Bakery {
  readonly directory: string;
  readonly state: string;
  /** The stack file. */
  readonly file: string;
  readonly databases: readonly Database[];
  readonly redisPort: number;
  readonly fullchain: (...args: readonly string[]) => Promise<Ran>;
  /** One query of a verifying client by this name. @param ca path of its roots */
  readonly query: (port: number, host: string, ca: string, more?: string) => Promise<Ran>;
  readonly ping: (ca: string, serverName?: string) => Promise<Ran>;
}

export async function startBakery(t: TestContext): Promise<Bakery> {
  const stack = cleanup(t);
  const { path: directory, own } = stack.use(directoryFor('postgres'));
  const redis = await startRedis(t);
  const example = readExample('bakery-ia.yaml');
  const names = [...example.matchAll(/^ {4}data: \/var\/lib\/postgresql\/15\/(\S+)$/gm)].map(([, name = '']) => name);
  const template = join(own, 'template');
  await makeCluster(template);
  const databases: Database[] = [];
  for (const name of names) databases.push(await startDatabase(stack, template, join(own, name)));
  const text = adapted(example, [
    ...databases.flatMap(({ name, port, data }, index): Replacement[] => [
      [`address: 127.0.0.1:${5432 + index}\n`, `address: 127.0.0.1:${port}\n`],
      [`data: /var/lib/postgresql/15/${name}\n`, `data: ${data}\n`],
    ]),
    ['address: 127.0.0.1:6379\n', `address: 127.0.0.1:${redis.port}\n`],
    ['config: /etc/redis/redis.conf\n', `config: ${redis.config}\n`],
    ['passwordFile: /etc/redis/password\n', `passwordFile: ${redis.passwordFile}\n`],
  ]).replaceAll('directory: /etc/bakery-ia/', `directory: ${directory}/clients/`);
  const [file, state] = [join(directory, 'bakery-ia.yaml'), join(directory, 'state')];
  writeFileSync(file, text);
  const fullchain = (...args: readonly string[]) => run(process.execPath, [LAUNCHER, ...args, '--state', state]);
  const init = await fullchain('ca', 'init');
  assert.equal(init.status, 0, init.output);
  return {
    directory,
    state,
    file,
    databases,
    redisPort: redis.port,
    fullchain: (command = '', ...args) =>
      fullchain(command, ...args, ...(command === 'ca' ? [] : ['--json', '--file', file])),
    query: (port, host, ca, more = '') =>
      run('psql', [
        `host=${host} hostaddr=127.0.0.1 port=${port} user=postgres dbname=postgres connect_timeout=10 sslmode=verify-full sslrootcert=${ca} ${more}`,
        '-XAtc',
        'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      ]),
    ping: (ca, serverName = 'redis') =>
      run(
        'openssl',
        [
          's_client',
          '-quiet',
          '-verify_return_error',
          '-CAfile',
          ca,
          '-verify_hostname',
          serverName,
          '-connect',
          `127.0.0.1:${redis.port}`,
        ],
        { input: `AUTH "${PASSWORD}"\r\nPING\r\nQUIT\r\n`, withinMs: 10_000 },
      ),
  };
}

async function startDatabase(stack: AsyncDisposableStack, template: string, data: string): Promise<Database> {
  assert.equal((await run('cp', ['-a', template, data])).status, 0);
  const port = await freePort();
  appendFileSync(
    join(data, 'postgresql.conf'),
    `port = ${port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '${data}'\nfsync = off\nshared_buffers = 4MB\nmax_connections = 20\n`,
  );
  const [program, args] = as('postgres', [join(POSTGRES_BIN, 'postgres'), '-D', data]);
  const server = await startServer(program, args, {
    isReady: async () => LOGGED_IN.test(await speak(port, startupMessage('postgres')).catch(() => '')),
  });
  stack.defer(async () => void (await server.stop()));
  return { name: basename(data), port, data, server };
}
