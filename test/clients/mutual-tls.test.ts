/** S-13: mutual TLS is turned on by the stack file; the stack's own clients go on without a failure, everybody else is refused. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fullchain, scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { type Ran, run } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { ask } from '../services/fetch.ts';
import { startNginx } from '../services/start-nginx.ts';
import { EVERYBODY, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { PASSWORD, startRedis } from '../services/start-redis.ts';
import { type TestPair, testAuthority } from '../services/test-authority.ts';
import { inEnvironment } from './python.ts';

const skip =
  skipWithoutPostgresql ||
  skipWithout('redis-server', 'nginx') ||
  (!IS_ROOT && 'skipped: needs root, to run servers as their own users');

interface Estate {
  readonly directory: string;
  /** Brings the stack to what it says when clients of its services are as given. */
  readonly apply: (clients: Clients) => Promise<Ran>;
  readonly verify: () => Promise<Verified>;
  readonly pg: Awaited<ReturnType<typeof startCluster>>;
  readonly redis: Awaited<ReturnType<typeof startRedis>>;
  readonly nginx: Awaited<ReturnType<typeof startNginx>>;
}

interface Verified {
  readonly services: readonly {
    readonly name: string;
    readonly checks: readonly { readonly id: string; readonly ok: boolean | null; readonly observed: string }[];
  }[];
  readonly clients: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly connects: readonly { readonly service: string; readonly ok: boolean | null; readonly observed: string }[];
  }[];
}

interface Clients {
  readonly db: string;
  readonly others: string;
}

async function startEstate(t: TestContext): Promise<Estate> {
  const directory = scratch(t);
  const state = join(directory, 'state');
  const [pg, redis, nginx] = await Promise.all([startCluster(t, EVERYBODY), startRedis(t), startNginx(t)]);
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  const file = join(directory, 'fullchain.yaml');
  const apply = (clients: Clients): Promise<Ran> => {
    writeFileSync(
      file,
      `stack: shop
services:
  db: { kind: postgresql, names: [localhost], address: "localhost:${pg.port}", data: ${pg.data}, clients: ${clients.db} }
  cache: { kind: redis, names: [localhost], address: "localhost:${redis.port}", config: ${redis.config}, passwordFile: ${redis.passwordFile}, clients: ${clients.others} }
  site: { kind: nginx, names: [service.internal, localhost], address: "localhost:${nginx.port}", config: ${nginx.config}, upstream: "${nginx.settings.upstream}", command: ${nginx.settings.command}, clients: ${clients.others} }
  batch: { kind: files, names: [app], certificate: ${directory}/batch/tls.crt, key: ${directory}/batch/tls.key, reload: "true" }
clients:
  app: { connects: [db, cache, site], names: [app], directory: ${directory}/app }
`,
    );
    return run(process.execPath, [LAUNCHER, 'apply', '--file', file, '--state', state]);
  };
  const verify = async (): Promise<Verified> => {
    const { stdout } = await run(process.execPath, [LAUNCHER, 'verify', '--json', '--file', file, '--state', state]);
    return JSON.parse(stdout);
  };
  return { directory, apply, verify, pg, redis, nginx };
}

/** As an application would that reads its environment at each start. */
function psql({ directory, pg }: Estate, user = 'postgres', more = ''): Promise<Ran> {
  return inEnvironment(join(directory, 'app/connection.env'), [
    'psql',
    `host=localhost port=${pg.port} user=${user} dbname=postgres connect_timeout=5 ${more}`,
    '-XAtc',
    'SELECT current_user',
  ]);
}

/** redis-cli, with a client certificate or without. */
function redisPing({ directory, redis }: Estate, client: ClientPair | null): Promise<Ran> {
  const shown = client === null ? [] : ['--cert', client.certificate, '--key', client.key];
  const ca = join(directory, 'app/ca.crt');
  const args = ['-h', 'localhost', '-p', String(redis.port), '--tls', '--cacert', ca, ...shown, 'PING'];
  return run('redis-cli', args, { env: { REDISCLI_AUTH: PASSWORD }, withinMs: 10_000 });
}

interface ClientPair {
  readonly certificate: string;
  readonly key: string;
}

const shownTo = ({ certificate, key }: ClientPair): string => `sslcert=${certificate} sslkey=${key}`;

/** Certificates that are not to be accepted, each for one reason. */
function wrongClients(directory: string): Readonly<Record<string, ClientPair>> {
  const { chain, key } = testAuthority('Foreign Root').issue(['clientAuth'], 'app');
  mkdirSync(join(directory, 'foreign'));
  const foreign = { certificate: join(directory, 'foreign/tls.crt'), key: join(directory, 'foreign/tls.key') };
  writeFileSync(foreign.certificate, chain);
  writeFileSync(foreign.key, key, { mode: 0o600 });
  const server = { certificate: join(directory, 'batch/tls.crt'), key: join(directory, 'batch/tls.key') };
  chmodSync(server.key, 0o600);
  return { 'of another authority': foreign, 'for servers alone': server };
}

function pairFrom({ certificate, key }: ClientPair): TestPair {
  return {
    chain: readFileSync(certificate, 'utf8'),
    key: readFileSync(key, 'utf8'),
    ca: '',
    fingerprint: '',
  };
}

test('S-13: mutual TLS is turned on under a running client', { skip }, async (t) => {
  const estate = await startEstate(t);
  const { directory, apply, pg, nginx } = estate;
  const before = await apply({ db: 'none', others: 'none' });
  assert.equal(before.status, 0, before.output);
  const own = { certificate: join(directory, 'app/client.crt'), key: join(directory, 'app/client.key') };
  const wrong = wrongClients(directory);

  await t.test('no query of the client fails while it is turned on', async () => {
    let [queries, on] = [0, true];
    const failures: string[] = [];
    const load = (async () => {
      while (on) {
        const { status, output } = await psql(estate);
        queries++;
        if (status !== 0) failures.push(output);
        const ping = await redisPing(estate, own);
        queries++;
        if (!ping.output.includes('PONG')) failures.push(ping.output);
      }
    })();
    await sleep(500);
    const applied = await apply({ db: 'required', others: 'required' });
    await sleep(500);
    on = false;
    await load;
    assert.equal(applied.status, 0, applied.output);
    assert.deepEqual(failures, []);
    assert.ok(queries > 4, `${queries} queries`);
  });

  await t.test('PostgreSQL: the own certificate gets in; none, and each wrong one, does not', async () => {
    assert.equal((await psql(estate)).stdout, 'postgres\n');
    const none = await psql(estate, 'postgres', 'sslcert=/nowhere/tls.crt');
    assert.match(none.output, /requires a valid client certificate/);
    for (const [what, pair] of Object.entries(wrong)) {
      const { status, output } = await psql(estate, 'postgres', shownTo(pair));
      assert.notEqual(status, 0, what);
      assert.match(output, /unknown ca|unsupported certificate|SSL error|requires a valid client certificate/, what);
    }
  });

  await t.test('Redis: the own certificate gets in; none, and each wrong one, does not', async () => {
    assert.match((await redisPing(estate, own)).output, /PONG/);
    for (const [what, pair] of [['none', null] as const, ...Object.entries(wrong)])
      assert.doesNotMatch((await redisPing(estate, pair)).output, /PONG/, what);
  });

  await t.test('nginx says upstream who it is, whatever the client says it is', async () => {
    const forged = { 'x-client-cn': 'root', 'x-client-verify': 'SUCCESS', 'x-client-dn': 'CN=root' };
    const at = { port: nginx.port, ca: readFileSync(join(directory, 'app/ca.crt'), 'utf8'), headers: forged };
    const { status, body } = await ask({ ...at, client: pairFrom(own) });
    assert.equal(status, 200);
    const { headers } = JSON.parse(body);
    assert.deepEqual(
      [headers['x-client-cn'], headers['x-client-verify'], headers['x-client-dn']],
      ['app', 'SUCCESS', 'CN=app'],
    );
    assert.equal((await ask(at)).status, 400);
    for (const [what, pair] of Object.entries(wrong))
      assert.equal((await ask({ ...at, client: pairFrom(pair) })).status, 400, what);
  });

  await t.test(
    'names mapped to users: the certificate of "app" is the user app, without a password, and no other',
    async () => {
      await pg.psql(`host=${pg.directory} port=${pg.port} user=postgres dbname=postgres`, 'CREATE ROLE app LOGIN');
      const applied = await apply({ db: '{ required: [app] }', others: 'required' });
      assert.equal(applied.status, 0, applied.output);
      assert.match(
        readFileSync(join(directory, 'app/connection.env'), 'utf8'),
        /DB_URL='postgresql:\/\/app@localhost:/,
      );
      assert.equal((await psql(estate, 'app')).stdout, 'app\n');
      assert.match((await psql(estate, 'postgres')).output, /pg_hba\.conf rejects connection/);
      const { services, clients } = await estate.verify();
      for (const { name, checks } of services)
        for (const { id, ok, observed } of checks) assert.notEqual(ok, false, `${name} ${id}: ${observed}`);
      assert.deepEqual(
        clients.map(({ name, ok, connects }) => [name, ok, connects.map(({ service }) => service)]),
        [['app', true, ['db', 'cache', 'site']]],
        JSON.stringify(clients),
      );
    },
  );
});
