/** S-09: applications connect with what is in their directory, and only to the right server. */
import assert from 'node:assert/strict';
import { lstatSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fullchain, openssl, scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import type { Ran } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { startMariaDb } from '../services/start-mariadb.ts';
import { EVERYBODY, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { PASSWORD, startRedis } from '../services/start-redis.ts';
import { testAuthority } from '../services/test-authority.ts';
import { inEnvironment, python, skipWithoutPython } from './python.ts';
import { startRogue } from './rogue-server.ts';

const skip =
  skipWithoutPostgresql ||
  skipWithout('redis-server', 'mariadbd', 'mariadb', 'mariadb-install-db') ||
  (await skipWithoutPython()) ||
  (!IS_ROOT && 'skipped: needs root, to run servers as their own users');

/** Each library with the URL that is made for it; user and password are the application's. */
const CONNECTIONS = {
  psycopg2: `
import os, psycopg2
c = psycopg2.connect(os.environ["DB_URL"], user="postgres", dbname="postgres", connect_timeout=5).cursor()
c.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"); print(c.fetchone()[0])`,
  asyncpg: `
import asyncio, asyncpg, os
async def main():
    c = await asyncpg.connect(os.environ["DB_URL"], user="postgres", database="postgres", timeout=5)
    print(await c.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
asyncio.run(main())`,
  'SQLAlchemy over asyncpg': `
import asyncio, os
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
async def main():
    url = make_url(os.environ["DB_SQLALCHEMY_URL"]).set(username="postgres", database="postgres")
    async with create_async_engine(url).connect() as c:
        print((await c.execute(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))).scalar())
asyncio.run(main())`,
  'redis-py': `
import os, redis
print(redis.from_url(os.environ["CACHE_URL"], password=${JSON.stringify(PASSWORD)}, socket_timeout=5).ping())`,
  'SQLAlchemy over PyMySQL': `
import os
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
url = make_url(os.environ["STORE_SQLALCHEMY_URL"]).set(username="app", password="a")
with create_engine(url).connect() as c:
    print(bool(c.execute(text("SHOW STATUS LIKE 'Ssl_cipher'")).fetchone()[1]))`,
};

/** The same of Node.js: each verifies by NODE_EXTRA_CA_CERTS or the paths in its URL. Run where the packages lie. */
const NODE_CONNECTIONS = {
  ioredis: `
const Redis = require('ioredis');
const redis = new Redis(process.env.CACHE_URL, { password: ${JSON.stringify(PASSWORD)}, retryStrategy: null, lazyConnect: true });
redis.on('error', () => {});
redis.connect().then(() => redis.ping()).then((pong) => { console.log(pong === 'PONG' && redis.stream.authorized ? 'True' : pong); redis.disconnect(); })
  .catch((fault) => { console.error(fault.code ?? fault, redis.lastError ?? ''); process.exit(1); });
redis.on('error', (fault) => console.error(fault.code));`,
  mysql2: `
const url = new URL(process.env.STORE_MYSQL2_URL);
[url.username, url.password] = ['app', 'a'];
require('mysql2/promise').createConnection(url.href).then(async (c) => {
  const [[row]] = await c.query("SHOW STATUS LIKE 'Ssl_cipher'");
  console.log(row.Value ? 'True' : 'plaintext'); await c.end();
}).catch((fault) => { console.error(fault.code, fault.message); process.exit(1); });`,
  'node-postgres': `
const { Client } = require('pg');
const url = new URL(process.env.DB_URL);
[url.username, url.pathname] = ['postgres', '/postgres'];
const client = new Client({ connectionString: url.href, connectionTimeoutMillis: 5000 });
client.connect().then(() => client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'))
  .then(({ rows }) => { console.log(rows[0].ssl ? 'True' : 'plaintext'); return client.end(); })
  .catch((fault) => { console.error(fault.code, fault.message); process.exit(1); });`,
};

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

function node(env: string, program: string): Promise<Ran> {
  return inEnvironment(env, [process.execPath, '-e', `process.chdir(${JSON.stringify(PROJECT)});${program}`]);
}

test('S-09: libraries connect with connection.env, and tell nothing to whoever else has the port', {
  skip,
}, async (t) => {
  const directory = scratch(t);
  const state = join(directory, 'state');
  const [pg, redis, maria] = await Promise.all([startCluster(t, EVERYBODY), startRedis(t), startMariaDb(t)]);
  const client = join(directory, 'app-tls');
  const file = join(directory, 'fullchain.yaml');
  writeFileSync(
    file,
    `stack: shop
services:
  db: { kind: postgresql, names: [localhost, db.internal], address: "localhost:${pg.port}", data: ${pg.data}, clients: optional }
  cache: { kind: redis, names: [localhost], address: "localhost:${redis.port}", config: ${redis.config}, passwordFile: ${redis.passwordFile} }
  store: { kind: mysql, names: [localhost], address: "localhost:${maria.port}", config: ${maria.config}, socket: ${maria.socket}, restart: ${maria.restartScript} }
clients:
  app: { connects: [db, cache, store], names: [app], directory: ${client}, owner: nobody }
`,
  );
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  const applied = fullchain(['apply', '--file', file, '--state', state]);
  assert.equal(applied.status, 0, applied.stdout + applied.stderr);
  const env = join(client, 'connection.env');

  await t.test('the directory holds the pair behind fixed names, the key for its owner alone, and no secret', () => {
    for (const name of ['client.crt', 'client.key', 'ca.crt'])
      assert.equal(readlinkSync(join(client, name)), `current/${name}`);
    const key = statSync(join(client, 'client.key'));
    assert.deepEqual([key.mode & 0o777, key.uid], [0o600, 65_534]);
    assert.equal(statSync(client).uid, 0, 'the directory is not the client’s to change');
    assert.doesNotMatch(readFileSync(env, 'utf8'), /PRIVATE KEY|correct horse/);
    assert.ok(lstatSync(env).isFile());
  });

  await t.test('the certificate is for a client alone, and the names are its own', () => {
    const { stdout } = openssl(['x509', '-in', join(client, 'client.crt'), '-noout', '-text']);
    assert.match(stdout, /Subject: CN = app\b/);
    assert.match(stdout, /TLS Web Client Authentication/);
    assert.doesNotMatch(stdout, /TLS Web Server Authentication/);
  });

  for (const [library, program] of Object.entries(CONNECTIONS)) {
    await t.test(`${library} connects`, async () => {
      const { status, stdout, output } = await python(env, program);
      assert.deepEqual([status, stdout], [0, 'True\n'], output);
    });
  }

  for (const [library, program] of Object.entries(NODE_CONNECTIONS)) {
    await t.test(`${library} connects`, async () => {
      const { status, stdout, output } = await node(env, program);
      assert.deepEqual([status, stdout], [0, 'True\n'], output);
    });
  }

  await t.test('psql connects with the variables alone', async () => {
    const { stdout, output } = await inEnvironment(env, [
      'psql',
      `host=localhost port=${pg.port} user=postgres dbname=postgres`,
      '-XAtc',
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    ]);
    assert.equal(stdout, 't\n', output);
  });

  await t.test('a second apply changes nothing; a client is planned, shown and rotated like a service', () => {
    const again = JSON.parse(fullchain(['apply', '--json', '--file', file, '--state', state]).stdout);
    for (const { name, action } of [...again.services, ...again.clients])
      assert.deepEqual([name, action], [name, 'none']);
    const before = readFileSync(join(client, 'client.crt'), 'utf8');
    const rotated = JSON.parse(fullchain(['rotate', 'app', '--json', '--file', file, '--state', state]).stdout);
    assert.deepEqual(
      [rotated.services, rotated.clients.map((one: { action: string }) => one.action)],
      [[], ['issued']],
    );
    assert.notEqual(readFileSync(join(client, 'client.crt'), 'utf8'), before);
    const { clients } = JSON.parse(fullchain(['status', '--json', '--file', file, '--state', state]).stdout);
    assert.deepEqual(
      clients.map(({ name, state: found }: { name: string; state: string }) => [name, found]),
      [['app', 'ok']],
    );
  });

  await t.test('a rogue server with another authority’s certificate hears neither query nor password', async () => {
    const other = testAuthority('Another root').issue(['serverAuth']);
    const pair = { cert: other.chain, key: other.key };
    await Promise.all([pg.stop(), redis.server.stop(), maria.stop()]);
    const rogues = {
      psycopg2: await startRogue(pg.port, 'postgres', pair),
      'redis-py': await startRogue(redis.port, 'redis', pair),
      'SQLAlchemy over PyMySQL': await startRogue(maria.port, 'mysql', pair),
    };
    t.after(() => Promise.all(Object.values(rogues).map((rogue) => rogue.close())));
    for (const [library, rogue] of [
      ...Object.entries(rogues),
      ['asyncpg', rogues.psycopg2] as const,
      ['SQLAlchemy over asyncpg', rogues.psycopg2] as const,
    ]) {
      const before = rogue.begun();
      const { status, output } = await python(env, CONNECTIONS[library as keyof typeof CONNECTIONS]);
      assert.notEqual(status, 0, `${library}: ${output}`);
      assert.match(output, /certificate verify failed|CERTIFICATE_VERIFY_FAILED/, `${library}: ${output}`);
      assert.ok(rogue.begun() > before, `${library} was at the rogue server`);
      assert.equal(rogue.heard(), '', `${library} tells it nothing`);
    }
    for (const [library, rogue] of [
      ['ioredis', rogues['redis-py']],
      ['mysql2', rogues['SQLAlchemy over PyMySQL']],
      ['node-postgres', rogues.psycopg2],
    ] as const) {
      const before = rogue.begun();
      const { status, output } = await node(env, NODE_CONNECTIONS[library]);
      assert.notEqual(status, 0, `${library}: ${output}`);
      assert.match(
        output,
        /UNABLE_TO_(?:VERIFY|GET_ISSUER)|SELF_SIGNED|self-signed certificate|unable to (?:verify|get)/,
        library,
      );
      assert.ok(rogue.begun() > before, `${library} was at the rogue server`);
      assert.equal(rogue.heard(), '', `${library} tells it nothing`);
    }
  });

  await t.test('what was given is taken out again', () => {
    const removed = fullchain(['apply', '--remove', 'app', '--file', file, '--state', state]);
    assert.equal(removed.status, 0, removed.stdout + removed.stderr);
    assert.throws(() => lstatSync(client), { code: 'ENOENT' });
  });
});
