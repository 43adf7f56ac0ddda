/** S-13, its last line: a revoked client is refused by every service that can, and nobody else notices. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startAgent, until } from '../agent/running-agent.ts';
import { fullchain, openssl, scratch, up } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { type Ran, run } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { ask } from '../services/fetch.ts';
import { startHaproxy } from '../services/start-haproxy.ts';
import { startMariaDb } from '../services/start-mariadb.ts';
import { startNginx } from '../services/start-nginx.ts';
import { EVERYBODY, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { startUpstream } from '../services/upstream.ts';
import { freePort } from '../world/free-port.ts';

const skip =
  skipWithoutPostgresql ||
  skipWithout('nginx', 'haproxy', 'mariadbd', 'mariadb', 'mariadb-install-db') ||
  (!IS_ROOT && 'skipped: needs root, to run servers as their own users');

interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** Whether a service lets this pair in. */
type Door = (pair: Pair) => Promise<boolean>;

function pairIn(directory: string): Pair {
  return { certificate: join(directory, 'client.crt'), key: join(directory, 'client.key') };
}

/** As it is now: the client renews, and this one stays. */
function copyOf({ certificate, key }: Pair, directory: string): Pair {
  mkdirSync(directory);
  const copy = pairIn(directory);
  copyFileSync(certificate, copy.certificate);
  copyFileSync(key, copy.key);
  return copy;
}

function serialOf({ certificate }: Pair): string {
  return openssl(['x509', '-in', certificate, '-noout', '-serial']).stdout.trim().replace('serial=', '');
}

function postgresDoor(port: number, ca: string): Door {
  return async ({ certificate, key }) => {
    const where = `host=localhost port=${port} user=postgres dbname=postgres connect_timeout=10 sslmode=verify-full`;
    const { status, output } = await run('psql', [
      `${where} sslrootcert=${ca} sslcert=${certificate} sslkey=${key}`,
      '-XAtc',
      'SELECT 1',
    ]);
    if (status !== 0) assert.match(output, /certificate revoked/);
    return status === 0;
  };
}

/** @param refused what is seen of a refusal: nginx answers 400, HAProxy ends the handshake */
function httpDoor(port: number, ca: string, refused: RegExp): Door {
  return async ({ certificate, key }) => {
    const client = {
      chain: readFileSync(certificate, 'utf8'),
      key: readFileSync(key, 'utf8'),
      ca: '',
      fingerprint: '',
    };
    const seen = await ask({ port, ca: readFileSync(ca, 'utf8'), client }).then(
      ({ status }) => String(status),
      (fault: NodeJS.ErrnoException) => fault.code ?? fault.message,
    );
    if (seen !== '200') assert.match(seen, refused);
    return seen === '200';
  };
}

function mariaDbDoor(port: number, ca: string): Door {
  return async ({ certificate, key }) => {
    const { status, output } = await run('mariadb', [
      '--no-defaults',
      '--host=127.0.0.1',
      `--port=${port}`,
      '--user=app',
      '--password=a',
      `--ssl-ca=${ca}`,
      `--ssl-cert=${certificate}`,
      `--ssl-key=${key}`,
      '--ssl-verify-server-cert',
      '--execute=SELECT 1',
    ]);
    if (status !== 0) assert.match(output, /SSL|TLS|Lost connection/);
    return status === 0;
  };
}

async function startEstate(t: TestContext) {
  const directory = scratch(t);
  const state = join(directory, 'state');
  const [pg, nginx, haproxy, mariadb] = await Promise.all([
    startCluster(t, EVERYBODY),
    startNginx(t),
    startHaproxy(t),
    startMariaDb(t),
  ]);
  await haproxy.start();
  const upstream = await startUpstream();
  t.after(() => upstream[Symbol.asyncDispose]());
  const edge = await freePort();
  const file = join(directory, 'fullchain.yaml');
  writeFileSync(
    file,
    `stack: shop
services:
  db: { kind: postgresql, names: [localhost], address: "localhost:${pg.port}", data: ${pg.data}, clients: required }
  site: { kind: nginx, names: [service.internal, localhost], address: "localhost:${nginx.port}", config: ${nginx.config}, upstream: "${nginx.settings.upstream}", command: ${nginx.settings.command}, clients: required }
  edge: { kind: haproxy, names: [service.internal], address: "127.0.0.1:${edge}", config: ${haproxy.config}, pidFile: ${haproxy.pidFile}, upstream: "${upstream.url}", clients: required }
  shop: { kind: mysql, names: [127.0.0.1], address: "127.0.0.1:${mariadb.port}", config: ${mariadb.config}, socket: ${mariadb.socket}, restart: ${mariadb.restartScript}, clients: optional }
clients:
  app: { connects: [db], names: [app], directory: ${directory}/app }
  other: { connects: [db], names: [other], directory: ${directory}/other }
`,
  );
  const command = (...args: string[]): Promise<Ran> =>
    run(process.execPath, [LAUNCHER, ...args, '--file', file, '--state', state]);
  const ca = join(directory, 'app/ca.crt');
  const doors: Record<string, Door> = {
    PostgreSQL: postgresDoor(pg.port, ca),
    nginx: httpDoor(nginx.port, ca, /^400$/),
    HAProxy: httpDoor(edge, ca, /^ERR_SSL|ECONNRESET|certificate/),
    MariaDB: mariaDbDoor(mariadb.port, ca),
  };
  const letIn = async (pair: Pair): Promise<Record<string, boolean>> => {
    const seen: Record<string, boolean> = {};
    for (const [name, door] of Object.entries(doors)) seen[name] = await door(pair);
    return seen;
  };
  return { directory, state, file, command, letIn, mariadb };
}

const EVERY = { PostgreSQL: true, nginx: true, HAProxy: true, MariaDB: true };
const NONE = { PostgreSQL: false, nginx: false, HAProxy: false, MariaDB: false };

test('a revoked client is refused after the next apply, by the agent within its interval, and by nobody before', {
  skip,
}, async (t) => {
  const { directory, state, file, command, letIn, mariadb } = await startEstate(t);
  const applied = await command('apply');
  assert.equal(applied.status, 0, applied.output);
  const [app, other] = [pairIn(join(directory, 'app')), pairIn(join(directory, 'other'))];
  const stolen = copyOf(app, join(directory, 'stolen'));
  for (const pair of [app, other, stolen]) assert.deepEqual(await letIn(pair), EVERY);

  await t.test(
    'revoked, and applied: the stolen pair is refused, the renewed client and the other get in',
    async () => {
      const pidBefore = readFileSync(mariadb.pidFile, 'utf8');
      const revoked = fullchain(['cert', 'revoke', serialOf(stolen), '--state', state]);
      assert.equal(revoked.status, 0, revoked.stderr);
      assert.deepEqual(await letIn(stolen), EVERY, 'the services have not heard of it yet');
      assert.equal((await command('rotate', 'clients/app')).status, 0);
      const again = await command('apply', '--json');
      assert.equal(again.status, 0, again.output);
      assert.deepEqual(
        JSON.parse(again.stdout).services.map(({ name, action }: { name: string; action: string }) => [name, action]),
        ['db', 'site', 'edge', 'shop'].map((name) => [name, 'configured']),
      );
      assert.deepEqual(await letIn(stolen), NONE);
      for (const pair of [app, other]) assert.deepEqual(await letIn(pair), EVERY);
      assert.equal(readFileSync(mariadb.pidFile, 'utf8'), pidBefore, 'a list needs no restart');
      const third = await command('apply', '--json');
      assert.ok(
        JSON.parse(third.stdout).services.every(({ action }: { action: string }) => action === 'none'),
        third.stdout,
      );
    },
  );

  await t.test(
    'another intermediate: its clients get in, those of the old one still do, the stolen pair does not',
    async () => {
      const rotated = fullchain(['ca', 'rotate', 'intermediate', '--state', state]);
      assert.equal(rotated.status, 0, rotated.stderr);
      const old = copyOf(other, join(directory, 'old'));
      assert.equal((await command('apply')).status, 0);
      assert.equal((await command('rotate', 'clients/app')).status, 0);
      for (const pair of [app, old]) assert.deepEqual(await letIn(pair), EVERY);
      assert.deepEqual(await letIn(stolen), NONE);
      const verified = await command('verify');
      assert.equal(verified.status, 0, verified.output);
    },
  );

  await t.test('the agent hears of it by itself', async () => {
    const lost = copyOf(other, join(directory, 'lost'));
    const agent = startAgent(t, file, state, '--interval', '1s');
    await until(() => agent.log().some(({ msg }) => /was read/.test(msg)), 'the agent');
    assert.equal(fullchain(['cert', 'revoke', serialOf(lost), '--state', state]).status, 0);
    await until(async () => Object.values(await letIn(lost)).every((isIn) => !isIn), 'the refusal');
    assert.deepEqual(await letIn(app), EVERY);
    await agent.stop();
  });

  await t.test('taken out: the lists are gone with everything else', async () => {
    const removed = await command('apply', '--remove');
    assert.equal(removed.status, 0, removed.output);
    assert.ok(!existsSync(join(mariadb.path, 'fullchain-shop')));
  });
});

test('an authority on another host: its lists come over its API, and stay when it is stopped', { skip }, async (t) => {
  const directory = scratch(t);
  const [there, here] = [join(directory, 'authority'), join(directory, 'state')];
  assert.equal(fullchain(['ca', 'init', '--state', there, '--dns', 'localhost']).status, 0);
  const authority = await up(t, there);
  const pg = await startCluster(t, EVERYBODY);
  const file = join(directory, 'fullchain.yaml');
  writeFileSync(
    file,
    `stack: shop
authority: { url: "${authority.ready.url}", fingerprint: ${authority.ready.rootFingerprint}, provisioner: admin, passwordFile: ${there}/secrets/provisioner_password }
services:
  db: { kind: postgresql, names: [localhost], address: "localhost:${pg.port}", data: ${pg.data}, clients: required }
clients:
  app: { connects: [db], names: [app], directory: ${directory}/app }
`,
  );
  const command = (...args: string[]): Promise<Ran> =>
    run(process.execPath, [LAUNCHER, ...args, '--file', file, '--state', here]);
  const applied = await command('apply');
  assert.equal(applied.status, 0, applied.output);
  const app = pairIn(join(directory, 'app'));
  const door = postgresDoor(pg.port, join(directory, 'app/ca.crt'));
  assert.equal(await door(app), true);
  const stolen = copyOf(app, join(directory, 'stolen'));
  assert.equal(fullchain(['cert', 'revoke', serialOf(stolen), '--state', there]).status, 0);
  assert.equal((await command('rotate', 'clients/app')).status, 0);
  assert.equal((await command('apply')).status, 0);
  assert.deepEqual([await door(stolen), await door(app)], [false, true]);
  await authority.stop();
  const planned = await command('plan', '--json');
  assert.equal(planned.status, 0, planned.output);
  assert.deepEqual(
    JSON.parse(planned.stdout).changes.map(({ action }: { action: string }) => action),
    ['none', 'none'],
  );
  assert.equal((await command('apply')).status, 0);
  assert.deepEqual([await door(stolen), await door(app)], [false, true]);
});
