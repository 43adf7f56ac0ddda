import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { skipWithout } from '../servers/available.ts';
import { run } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { type Look, look, speak } from '../services/look.ts';
import { postgresPreamble, REFUSED, skipWithoutPostgresql, startupMessage } from '../services/start-postgresql.ts';
import { testAuthority } from '../services/test-authority.ts';
import { type Bakery, startBakery } from './bakery.ts';

const skip =
  skipWithoutPostgresql ||
  skipWithout('redis-server', 'openssl') ||
  (!IS_ROOT && 'skipped: needs root, to run servers as their own users');

interface Applied {
  readonly ok: boolean;
  readonly services: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly action: string;
    readonly certificate: { readonly serial: string } | null;
    readonly steps: readonly {
      readonly step: string;
      readonly ok: boolean;
      readonly detail: string;
      readonly remedy: string | null;
    }[];
  }[];
}

interface Verified {
  readonly ok: boolean;
  readonly services: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly checks: readonly { readonly id: string; readonly ok: boolean | null; readonly observed: string }[];
  }[];
}

const SERVICES = 15;
const CHECKS = 11;
/** The figure of S-08, most of it the services' own. */
const WITHIN_MS = 60_000;

test('the Bakery: fourteen PostgreSQL clusters and a Redis', { skip }, async (t) => {
  const bakery = await startBakery(t);
  const { databases, redisPort, state, query, ping } = bakery;
  const ca = join(state, 'certs/root_ca.crt');
  const apply = async (...args: readonly string[]): Promise<{ readonly status: unknown; readonly answer: Applied }> => {
    const { status, stdout, output } = await bakery.fullchain(...(args.length === 0 ? ['apply'] : args));
    assert.match(stdout, /^\{.*\}\n$/, output);
    return { status, answer: JSON.parse(stdout) };
  };
  const verify = async (): Promise<Verified> => JSON.parse((await bakery.fullchain('verify')).stdout);
  assert.equal(databases.length + 1, SERVICES);

  await t.test('S-08: from plaintext to proven in one command, within a minute', async (t) => {
    const begun = performance.now();
    const { status, answer } = await apply();
    const ms = Math.round(performance.now() - begun);
    t.diagnostic(`${SERVICES} services from plaintext to proven in ${ms} ms`);
    assert.deepEqual([status, answer.ok, answer.services.length], [0, true, SERVICES], JSON.stringify(answer));
    assert.ok(ms < WITHIN_MS, `${ms} ms`);
  });

  await t.test(
    'S-08: each database has a certificate of its own with its names, and a key that its user alone reads',
    () => {
      const seen = new Set<string>();
      for (const { name, data } of databases) {
        const directory = join(dirname(data), `fullchain-${name}`, 'current');
        const leaf = new X509Certificate(readFileSync(join(directory, 'tls.crt')));
        seen.add(leaf.fingerprint256);
        const names = [
          name,
          `${name}.bakery-ia`,
          `${name}.bakery-ia.svc.cluster.local`,
          `${name}-service`,
          'localhost',
        ];
        for (const host of names) assert.equal(leaf.checkHost(host), host);
        assert.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1');
        const { mode, uid } = statSync(join(directory, 'tls.key'));
        assert.deepEqual([mode & 0o777, uid], [0o600, statSync(data).uid]);
      }
      assert.equal(seen.size, databases.length);
    },
  );

  await t.test(
    'S-08: a verifying client gets in by each name; in plaintext, by another name, with another authority, nobody does',
    async () => {
      const foreign = join(bakery.directory, 'foreign.crt');
      writeFileSync(foreign, testAuthority('Foreign Root').ca);
      for (const { name, port } of databases) {
        for (const host of [name, `${name}.bakery-ia`, `${name}-service.bakery-ia.svc.cluster.local`, 'localhost'])
          assert.equal((await query(port, host, ca)).stdout, 't\n', host);
        assert.match((await query(port, 'other-db', ca)).output, /does not match host name "other-db"/);
        assert.match((await query(port, name, foreign)).output, /certificate verify failed/);
        assert.match(await speak(port, startupMessage('postgres')), REFUSED);
        const weak: Look = {
          port,
          ca: readFileSync(ca, 'utf8'),
          preamble: postgresPreamble,
          maxVersion: 'TLSv1.2',
          ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA',
        };
        await assert.rejects(look(weak));
      }
    },
  );

  await t.test('S-08: Redis answers over TLS, by its name, and not in plaintext', async () => {
    assert.match((await ping(ca)).stdout, /\+PONG/);
    assert.doesNotMatch((await ping(ca, 'other-redis')).stdout, /PONG/);
    assert.equal(await plaintextPing(redisPort), '');
  });

  await t.test(
    'S-08: one report of fifteen services with eleven checks; a database that is down is its line alone',
    async () => {
      const good = await verify();
      const [first] = databases;
      if (!first) assert.fail();
      assert.deepEqual(
        good.services.flatMap(({ name, checks }) =>
          checks.filter(({ ok }) => ok === false).map(({ id, observed }) => `${name} ${id}: ${observed}`),
        ),
        [],
      );
      assert.deepEqual([good.ok, good.services.length], [true, SERVICES]);
      for (const { checks } of good.services) assert.equal(checks.length, CHECKS);
      await first.server.stop();
      const bad = await verify();
      assert.equal(bad.ok, false);
      assert.deepEqual(
        bad.services.filter(({ ok }) => !ok).map(({ name }) => name),
        [first.name],
      );
    },
  );

  const left = databases.slice(1);
  const names = [...left.map(({ name }) => name), 'redis'];

  await t.test(
    'S-10: all are rotated under load: new certificates are served, the authority is the same, and no query fails',
    async (t) => {
      const [root, prints] = [digest(ca), await served(bakery, left)];
      const load = startLoad(bakery, left, ca);
      const { status, answer } = await apply('rotate', ...names);
      const { failures, queries } = await load.stop();
      t.diagnostic(`${queries} queries while ${names.length} services were rotated`);
      assert.equal(status, 0, JSON.stringify(answer));
      assert.deepEqual(failures, []);
      assert.ok(queries >= names.length, `${queries} queries`);
      assert.equal(digest(ca), root);
      const now = await served(bakery, left);
      for (const [name, fingerprint] of prints) assert.notEqual(now.get(name), fingerprint, name);
    },
  );

  await t.test(
    'S-10: a wrong key planted before the reload is refused: the old certificate stays, and the remedy is named',
    async () => {
      const [victim] = left;
      if (!victim) assert.fail();
      const directory = join(dirname(victim.data), `fullchain-${victim.name}`);
      const planted = join(bakery.directory, 'planted');
      // Once, in between of install and reload: another key lies where the new one was.
      const wrong = testAuthority('Planted').issue(['serverAuth']).key;
      writeFileSync(`${planted}.key`, wrong, { mode: 0o600 });
      const reload = `test -e ${planted} || cat ${planted}.key > ${directory}/current/tls.key; touch ${planted}; kill -HUP $(head -1 ${victim.data}/postmaster.pid)`;
      const text = readFileSync(bakery.file, 'utf8');
      const data = `    data: ${victim.data}\n`;
      writeFileSync(bakery.file, text.replace(data, `${data}    reload: ${JSON.stringify(reload)}\n`));
      const before = await served(bakery, [victim]);
      const { status, answer } = await apply('rotate', victim.name);
      const [result] = answer.services;
      assert.deepEqual([status, result?.ok, result?.action], [1, false, 'restored'], JSON.stringify(answer));
      const failed = result?.steps.find(({ ok }) => !ok);
      assert.equal(failed?.step, 'confirm');
      assert.match(failed?.remedy ?? '', /log/);
      assert.deepEqual(await served(bakery, [victim]), before);
      assert.equal((await query(victim.port, victim.name, ca)).stdout, 't\n');
      writeFileSync(bakery.file, text);
      const again = await apply('rotate', victim.name);
      assert.equal(again.status, 0, JSON.stringify(again.answer));
      assert.notDeepEqual(await served(bakery, [victim]), before);
    },
  );

  await t.test(
    'S-11: another root under load: both roots first, then the leaves, then the old root out, and no query fails',
    async (t) => {
      const client = join(bakery.directory, 'clients/auth-service/tls');
      const clientCa = join(client, 'ca.crt');
      const ca = async (...args: readonly string[]) => {
        const { status, output } = await bakery.fullchain('ca', ...args);
        assert.equal(status, 0, output);
      };
      // The one that is down is not part of it.
      const [, ...clients] = databases.map(({ name }) =>
        name.replace(/-db$/, '-service').replace('processor-service', 'processor'),
      );
      const everybody = [...names, 'clients/auth-service', ...clients];
      const bundle = (): readonly string[] =>
        readFileSync(clientCa, 'utf8').match(/-----BEGIN[\s\S]*?END CERTIFICATE-----/g) ?? [];
      const [oldRoot] = bundle();
      const oldPair = join(bakery.directory, 'old-pair');
      await run('cp', ['-rL', join(client, 'current'), oldPair]);
      const before = await served(bakery, left);
      const load = startLoad(bakery, left, clientCa);

      await ca('rotate', 'root', '--prepare');
      const both = await apply('apply', ...everybody);
      assert.equal(both.status, 0, JSON.stringify(both.answer));
      assert.deepEqual([bundle().length, bundle()[0]], [2, oldRoot]);
      assert.deepEqual(await served(bakery, left), before, 'the leaves are as they were');

      await ca('rotate', 'root', '--activate');
      const leaves = await apply('apply', ...everybody);
      assert.equal(leaves.status, 0, JSON.stringify(leaves.answer));
      for (const { name, action } of leaves.answer.services) assert.deepEqual([name, action], [name, 'issued']);
      assert.deepEqual([bundle().length, bundle()[1]], [2, oldRoot]);

      const early = await bakery.fullchain('ca', 'rotate', 'root', '--retire');
      assert.notEqual(early.status, 0, 'certificates of the old root are still on record');
      assert.match(early.output, /--force/);
      await ca('rotate', 'root', '--retire', '--force');
      const last = await apply('apply', ...everybody);
      assert.equal(last.status, 0, JSON.stringify(last.answer));
      assert.equal(bundle().length, 1);
      assert.notEqual(bundle()[0], oldRoot);

      const { failures, queries } = await load.stop();
      t.diagnostic(`${queries} queries while the root was replaced`);
      assert.deepEqual(failures, []);
      const [database] = left;
      if (!database) assert.fail();
      const own = `sslcert=${client}/client.crt sslkey=${client}/client.key`;
      assert.equal((await query(database.port, database.name, clientCa, own)).stdout, 't\n');
      const old = `sslcert=${oldPair}/client.crt sslkey=${oldPair}/client.key`;
      assert.match(
        (await query(database.port, database.name, clientCa, old)).output,
        /unknown ca/,
        'a client of the old root',
      );
      const oldBundle = join(bakery.directory, 'old-ca.crt');
      writeFileSync(oldBundle, oldRoot ?? '');
      assert.match((await query(database.port, database.name, oldBundle)).output, /certificate verify failed/);
      assert.deepEqual(
        (await verify()).services.filter(({ ok }) => !ok).map(({ name }) => name),
        [databases[0]?.name],
      );
    },
  );
});

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Fingerprints by name, as a client sees them. */
async function served({ state }: Bakery, databases: Bakery['databases']): Promise<Map<string, string>> {
  const ca = readFileSync(join(state, 'certs/root_ca.crt'), 'utf8');
  const seen = new Map<string, string>();
  for (const { name, port } of databases)
    seen.set(name, (await look({ port, ca, preamble: postgresPreamble, servername: 'localhost' })).fingerprint);
  return seen;
}

interface Load {
  readonly stop: () => Promise<{ readonly queries: number; readonly failures: readonly string[] }>;
}

/** Verifying clients that go round, one connection a query. */
function startLoad(bakery: Bakery, databases: Bakery['databases'], ca: string): Load {
  let [on, queries] = [true, 0];
  const failures: string[] = [];
  const round = async (): Promise<void> => {
    while (on) {
      for (const { name, port } of databases) {
        if (!on) break;
        const { stdout, output } = await bakery.query(port, name, ca);
        queries++;
        if (stdout !== 't\n') failures.push(`${name}: ${output}`);
      }
      const { stdout, output } = await bakery.ping(ca);
      queries++;
      if (!stdout.includes('+PONG')) failures.push(`redis: ${output}`);
    }
  };
  const running = Promise.all([round(), round(), round()]);
  return {
    async stop() {
      on = false;
      await running;
      return { queries, failures };
    },
  };
}

async function plaintextPing(port: number): Promise<string> {
  const socket = createConnection({ port, host: '127.0.0.1' });
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk;
  });
  socket.on('error', () => {});
  socket.write('PING\r\n');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await Promise.race([closed, sleep(3000)]);
  socket.destroy();
  return heard.replace(/^[^\x20-\x7e]*$/, '');
}
