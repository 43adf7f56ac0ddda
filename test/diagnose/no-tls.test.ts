/** Where there is no TLS to speak of: nobody listens, nothing comes back, or something else is spoken. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CAUSES } from '../../src/core/diagnosis/causes.ts';
import { scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { IS_ROOT } from '../services/applied.ts';
import { startMariaDb } from '../services/start-mariadb.ts';
import { EVERYBODY, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { startRedis } from '../services/start-redis.ts';
import { startBlackHole } from '../world/black-hole.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import {
  assertCause,
  assertHealthy,
  diagnose,
  keyPem,
  leafOf,
  nginxWith,
  nodeServer,
  pem,
  serverPair,
  switchTlsOn,
  tree,
} from './world.ts';

const needsRoot = !IS_ROOT && 'skipped: needs root, to run servers as their own users';

/** A server that greets, or resets, or says nothing. */
async function talker(
  t: TestContext,
  begin: (write: (text: string) => void, end: (how: 'fin' | 'rst') => void) => void,
): Promise<number> {
  const server = createServer((socket) =>
    begin(
      (text) => void socket.write(text),
      (how) => void (how === 'fin' ? socket.end() : socket.resetAndDestroy()),
    ),
  );
  const { port, close } = await startTcpServer(server, '127.0.0.1', 0);
  t.after(close);
  return port;
}

test('no connection, or one that leads to nothing', { timeout: 60_000 }, async (t) => {
  const hole = await startBlackHole();
  t.after(hole.close);
  const quick = ['--timeout', '1'];
  const cases: readonly (readonly [what: string, id: keyof typeof CAUSES, target: string])[] = [
    ['nobody listens', 'connection-refused', `127.0.0.1:${await freePort()}`],
    ['packets vanish', 'connect-timeout', `127.0.0.1:${hole.port}`],
    ['silence', 'no-answer', `127.0.0.1:${await talker(t, () => {})}`],
    ['closed at once', 'closed-by-peer', `127.0.0.1:${await talker(t, (_write, end) => end('fin'))}`],
    ['reset at once', 'closed-by-peer', `127.0.0.1:${await talker(t, (_write, end) => end('rst'))}`],
    ['no such name', 'name-not-resolved', 'nowhere.invalid:443'],
  ];
  for (const [what, id, target] of cases)
    await t.test(`${what}: ${id}`, async () => {
      assertCause(await diagnose([target, ...quick]), id);
    });
  await t.test('the first address that answers is the one that counts', async () => {
    const { root, intermediate } = tree();
    const ca = join(scratch(t), 'ca.crt');
    writeFileSync(ca, pem(root));
    const leaf = leafOf(intermediate);
    // On 127.0.0.1 alone, while localhost may be ::1 too.
    const port = await nodeServer(t, { cert: pem(leaf, intermediate), key: keyPem(leaf) });
    assertHealthy(await diagnose([`localhost:${port}`, '--ca', ca]));
  });
});

test('what speaks there in plaintext is named', { skip: skipWithout('nginx'), timeout: 60_000 }, async (t) => {
  const { web } = await nginxWith(t, { web: { pair: null } });
  const greets = (text: string) => talker(t, (write) => write(text));
  const cases: readonly (readonly [what: string, target: string, id: keyof typeof CAUSES, protocol: string])[] = [
    ['nginx without TLS, as a URL', `https://127.0.0.1:${web}`, 'plaintext-service', 'http'],
    ['nginx without TLS', `127.0.0.1:${web}`, 'plaintext-service', 'http'],
    ['an SSH server', `127.0.0.1:${await greets('SSH-2.0-OpenSSH_9.2\r\n')}`, 'plaintext-service', 'ssh'],
  ];
  for (const [what, target, id, protocol] of cases)
    await t.test(`${what}: ${id}`, async () => {
      assert.equal(assertCause(await diagnose([target, '--timeout', '2']), id).evidence.protocol, protocol);
    });
});

test('a client that begins in plaintext, at a port that is TLS from the first byte', { timeout: 60_000 }, async (t) => {
  const { ca, pair } = serverPair(scratch(t));
  const port = await nodeServer(t, { cert: readFileSync(pair.cert), key: readFileSync(pair.key) });
  for (const url of [
    `smtp://localhost:${port}`,
    `mysql://localhost:${port}`,
    `ldap://localhost:${port}`,
    `postgresql://app@localhost:${port}/x?sslmode=verify-full`,
    `postgresql://app@localhost:${port}/x?sslmode=disable`,
  ])
    assertCause(await diagnose([url, '--ca', ca, '--timeout', '3']), 'tls-service');
  assertCause(await diagnose([`localhost:${port}`, '--starttls', 'imap', '--ca', ca, '--timeout', '3']), 'tls-service');
});

test('Redis in plaintext, to which every TLS client hangs', {
  skip: skipWithout('redis-server') || needsRoot,
}, async (t) => {
  const redis = await startRedis(t);
  for (const target of [`rediss://localhost:${redis.port}`, `localhost:${redis.port}`])
    assert.equal(
      assertCause(await diagnose([target, '--timeout', '1']), 'plaintext-service').evidence.protocol,
      'redis',
      target,
    );
});

test('PostgreSQL: TLS off, asked for in the wrong way, and plaintext taken beside it', {
  skip: skipWithoutPostgresql || needsRoot,
  timeout: 60_000,
}, async (t) => {
  const { ca, pair } = serverPair(scratch(t));
  const pg = await startCluster(t, EVERYBODY);
  const url = `postgresql://postgres@localhost:${pg.port}/postgres?sslmode=verify-full&sslrootcert=${ca}`;
  assertCause(await diagnose([url]), 'tls-off');
  assertCause(await diagnose([`localhost:${pg.port}`, '--starttls', 'postgres']), 'tls-off');
  assert.equal(
    assertCause(await diagnose([`https://localhost:${pg.port}`, '--timeout', '4']), 'plaintext-service').evidence
      .protocol,
    'postgresql',
  );
  await switchTlsOn(pg, pair);
  assertCause(await diagnose([url]), 'plaintext-accepted');
  writeFileSync(join(pg.data, 'pg_hba.conf'), 'hostssl all all all trust\n');
  await pg.stop();
  await pg.start();
  const before = pg.output().length;
  assertHealthy(await diagnose([url]));
  assertHealthy(await diagnose([`localhost:${pg.port}`, '--starttls', 'postgres', '--ca', ca]));
  assert.doesNotMatch(
    pg.output().slice(before),
    /SSL|ERROR/,
    'what only looks leaves no complaint about TLS in the log',
  );
  const straight = assertCause(await diagnose([`https://localhost:${pg.port}`, '--timeout', '4']), 'starttls-needed');
  assert.equal(straight.evidence.protocol, 'postgresql');
  assert.match(straight.remedy.command ?? '', new RegExp(`localhost:${pg.port} --starttls postgres`));
  // Where only the port said that it is TLS, the answer decides; without a word of it in the log.
  // What was asked in the wrong way may be logged late: a server that has started anew says nothing of it.
  await pg.stop();
  await pg.start();
  const quiet = pg.output().length;
  assertHealthy(await diagnose([`localhost:${pg.port}`, '--ca', ca]));
  assert.doesNotMatch(pg.output().slice(quiet), /SSL|ERROR|invalid length/);
});

test('MariaDB without TLS, and one that turns this host away', {
  skip: skipWithout('mariadbd', 'mariadb', 'mariadb-install-db') || needsRoot,
  timeout: 60_000,
}, async (t) => {
  const maria = await startMariaDb(t);
  assertCause(await diagnose([`mysql://localhost:${maria.port}/?ssl-mode=VERIFY_IDENTITY`]), 'tls-off');
  const straight = await diagnose([`https://localhost:${maria.port}`, '--timeout', '2']);
  assert.equal(assertCause(straight, 'plaintext-service').evidence.protocol, 'mysql');
  // Before anything else, TLS included.
  assert.equal((await maria.overSocket("DROP USER app@'127.0.0.1'; DROP USER IF EXISTS root@'127.0.0.1'")).status, 0);
  const away = assertCause(
    await diagnose([`mysql://localhost:${maria.port}/?ssl-mode=VERIFY_IDENTITY`]),
    'closed-by-peer',
  );
  assert.match(away.what, /turns clients away: Host '127.0.0.1' is not allowed to connect/);
});
