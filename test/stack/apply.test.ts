import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fullchain, scratch } from '../ca/command-line.ts';
import { freePort } from '../world/free-port.ts';

const POSTGRES = ['/usr/lib/postgresql/15/bin', '/usr/lib/postgresql/16/bin', '/usr/lib/postgresql/17/bin'].find(
  (path) => existsSync(join(path, 'initdb')),
);
const ROOT = process.getuid?.() === 0;

function asUser(user: string, argv: readonly string[]) {
  const [uid, gid] = [idOf(user, 2), idOf(user, 3)];
  return spawnSync('setpriv', [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...argv], { encoding: 'utf8' });
}

function idOf(user: string, field: number): number {
  return Number(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((line) => line.startsWith(`${user}:`))
      ?.split(':')[field],
  );
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (condition()) return;
    await sleep(100);
  }
  assert.fail(`waited 10 s for ${what}`);
}

/** A fresh cluster without TLS on a free port. */
async function postgres(t: TestContext, directory: string): Promise<{ readonly data: string; readonly port: number }> {
  const data = join(directory, 'pg');
  mkdirSync(data);
  chmodSync(directory, 0o755);
  chownSync(data, idOf('postgres', 2), idOf('postgres', 3));
  const port = await freePort();
  const made = asUser('postgres', [
    join(POSTGRES ?? '', 'initdb'),
    '-D',
    data,
    '-A',
    'trust',
    '--no-sync',
    '-U',
    'postgres',
  ]);
  assert.equal(made.status, 0, made.stderr);
  writeFileSync(
    join(data, 'postgresql.conf'),
    `${readFileSync(join(data, 'postgresql.conf'), 'utf8')}\nport = ${port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '${data}'\nfsync = off\n`,
  );
  assert.equal(
    asUser('postgres', [join(POSTGRES ?? '', 'pg_ctl'), '-D', data, '-w', '-l', join(data, 'log'), 'start']).status,
    0,
  );
  t.after(() => asUser('postgres', [join(POSTGRES ?? '', 'pg_ctl'), '-D', data, '-m', 'immediate', 'stop']));
  return { data, port };
}

async function redis(t: TestContext, directory: string): Promise<{ readonly config: string; readonly port: number }> {
  const data = join(directory, 'redis');
  mkdirSync(data);
  chownSync(data, idOf('redis', 2), idOf('redis', 3));
  const port = await freePort();
  const config = join(data, 'redis.conf');
  writeFileSync(config, `bind 127.0.0.1\nport ${port}\ndir ${data}\nsave ""\n`);
  chownSync(config, idOf('redis', 2), idOf('redis', 3));
  const child = spawn(
    'setpriv',
    [`--reuid=${idOf('redis', 2)}`, `--regid=${idOf('redis', 3)}`, '--clear-groups', 'redis-server', config],
    { stdio: 'ignore' },
  );
  t.after(() => child.kill('SIGKILL'));
  await until(
    () => spawnSync('redis-cli', ['-p', String(port), 'ping'], { encoding: 'utf8' }).stdout.startsWith('PONG'),
    'Redis',
  );
  return { config, port };
}

function psql(
  port: number,
  options: string,
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(
    'psql',
    [
      `host=127.0.0.1 port=${port} user=postgres dbname=postgres connect_timeout=5 ${options}`,
      '-Atc',
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    ],
    { encoding: 'utf8' },
  );
}

const skip = !ROOT
  ? 'needs root, to run servers as their own users'
  : !POSTGRES
    ? 'PostgreSQL is not installed'
    : !existsSync('/usr/bin/redis-server') && 'redis-server is not installed';

test('PostgreSQL and Redis from plaintext to proven TLS by one command; again changes nothing; rotation and removal', {
  skip,
}, async (t) => {
  const directory = scratch(t);
  const state = join(directory, 'state');
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  const [pg, store] = [await postgres(t, directory), await redis(t, directory)];
  const file = join(directory, 'fullchain.yaml');
  writeFileSync(
    file,
    `stack: test
services:
  db:
    kind: postgresql
    names: [db, db.test, localhost, 127.0.0.1]
    address: 127.0.0.1:${pg.port}
    data: ${pg.data}
  cache:
    kind: redis
    names: [cache, localhost, 127.0.0.1]
    address: 127.0.0.1:${store.port}
    config: ${store.config}
`,
  );
  const run = (...args: string[]) => {
    const ran = fullchain([...args, '--json', '--file', file, '--state', state]);
    return { status: ran.status, answer: JSON.parse(ran.stdout || '{}'), stderr: ran.stderr };
  };
  assert.equal(psql(pg.port, 'sslmode=disable').stdout.trim(), 'f', 'plaintext before');

  const plan = run('plan');
  assert.equal(plan.status, 0, plan.stderr);
  assert.ok(
    plan.answer.changes.some(
      (change: { service: string; action: string; diff?: string }) =>
        change.service === 'db' && change.action === 'configure' && /ssl = on/.test(change.diff ?? ''),
    ),
  );

  const applied = run('apply');
  assert.equal(applied.status, 0, JSON.stringify(applied.answer, null, 1) + applied.stderr);
  const verified = run('verify');
  assert.ok(verified.answer.services, JSON.stringify(verified));
  for (const service of verified.answer.services) {
    for (const check of service.checks)
      assert.notEqual(check.ok, false, `${service.name} ${check.id}: wanted ${check.wanted}; ${check.observed}`);
    assert.equal(service.checks.length, 11);
  }
  assert.equal(verified.status, 0);

  // Others' clients agree.
  const ca = join(state, 'certs/root_ca.crt');
  assert.equal(psql(pg.port, `sslmode=verify-full sslrootcert=${ca}`).stdout.trim(), 't');
  assert.notEqual(psql(pg.port, 'sslmode=disable').status, 0);
  const pong = spawnSync('redis-cli', ['--tls', '--cacert', ca, '-p', String(store.port), 'ping'], {
    encoding: 'utf8',
  });
  assert.match(pong.stdout, /PONG/);

  const again = run('apply');
  assert.deepEqual(
    again.answer.services.map(({ action }: { action: string }) => action),
    ['none', 'none'],
    'a second apply changes nothing',
  );
  assert.deepEqual(
    run('plan').answer.changes.map(({ action }: { action: string }) => action),
    ['none', 'none'],
  );

  const serial = (port: number, ...more: string[]) => {
    const shown = spawnSync(
      'sh',
      [
        '-c',
        `openssl s_client -connect 127.0.0.1:${port} ${more.join(' ')} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
      ],
      { encoding: 'utf8' },
    );
    return shown.stdout.trim();
  };
  const before = [serial(pg.port, '-starttls', 'postgres'), serial(store.port)];
  const rotated = run('rotate');
  assert.equal(rotated.status, 0, JSON.stringify(rotated.answer, null, 1));
  const after = [serial(pg.port, '-starttls', 'postgres'), serial(store.port)];
  assert.ok(before[0] !== after[0] && before[1] !== after[1], 'new certificates are served');
  assert.equal(
    run('status').answer.services.every(({ state: is }: { state: string }) => is === 'ok'),
    true,
  );

  const removed = run('apply', '--remove');
  assert.equal(removed.status, 0, JSON.stringify(removed.answer));
  assert.equal(existsSync(join(pg.data, 'fullchain')), false);
  assert.equal(psql(pg.port, 'sslmode=disable').stdout.trim(), 'f', 'plaintext again');
});
