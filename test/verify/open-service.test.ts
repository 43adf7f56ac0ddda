/** Checks that other servers than nginx fail: plaintext that is let in, a foreign root that is trusted; and servers that want to harm whoever looks. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type SecureContextOptions } from 'node:tls';
import { handshake } from '../../src/edge/probe/service-handshake.ts';
import { foreignCa } from '../../src/flow/agent/verify/identity-checks.ts';
import { fullchain, scratch } from '../ca/command-line.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { EVERYBODY, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { testAuthority } from '../services/test-authority.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';

interface Check {
  readonly id: string;
  readonly ok: boolean | null;
  readonly observed: string;
  readonly remedy: string | null;
}

const failed = (checks: readonly Check[]): readonly string[] =>
  checks.filter(({ ok }) => ok === false).map(({ id }) => id);

test('PostgreSQL that a person has opened for plaintext again: plaintext', {
  skip: skipWithoutPostgresql || (!IS_ROOT && 'skipped: needs root, to run servers as their own users'),
}, async (t) => {
  const directory = scratch(t);
  const pg = await startCluster(t, EVERYBODY);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  writeFileSync(
    file,
    `stack: test\nservices:\n  db: { kind: postgresql, names: [localhost, 127.0.0.1], address: 127.0.0.1:${pg.port}, data: ${pg.data} }\n`,
  );
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  const applied = fullchain(['apply', '--file', file, '--state', state]);
  assert.equal(applied.status, 0, applied.stdout);
  const verify = (): readonly Check[] =>
    JSON.parse(fullchain(['verify', '--json', '--file', file, '--state', state]).stdout).services[0].checks;
  assert.deepEqual(failed(verify()), []);
  const hba = join(pg.data, 'pg_hba.conf');
  writeFileSync(hba, `host all all 127.0.0.1/32 trust\n${readFileSync(hba, 'utf8')}`);
  process.kill(Number(readFileSync(join(pg.data, 'postmaster.pid'), 'utf8').split('\n', 1)[0]), 'SIGHUP');
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual(failed(verify()), ['plaintext']);

  // Later lines rule in this file, also over what is included.
  appendFileSync(join(pg.data, 'postgresql.auto.conf'), 'ssl = off\n');
  process.kill(Number(readFileSync(join(pg.data, 'postmaster.pid'), 'utf8').split('\n', 1)[0]), 'SIGHUP');
  await new Promise((resolve) => setTimeout(resolve, 500));
  const off = verify();
  assert.deepEqual(failed(off), ['served', 'plaintext'], 'TLS is off, and whoever comes is let in');
  assert.match(off.find(({ id }) => id === 'served')?.remedy ?? '', /Switch TLS on/);

  await pg.stop();
  const checks = verify();
  assert.deepEqual(failed(checks), ['served'], 'a service that is down is said once');
  assert.match(checks.find(({ id }) => id === 'served')?.observed ?? '', /nothing listens at 127\.0\.0\.1:\d+/);
  assert.match(checks.find(({ id }) => id === 'served')?.remedy ?? '', /Start db/);
});

test('a client that trusts only another authority, and is let in all the same: foreign-ca', async (t) => {
  const authority = testAuthority();
  const { chain, key } = authority.issue(['serverAuth']);
  const server = await startTcpServer(createTlsServer({ cert: chain, key }), '127.0.0.1', 0);
  t.after(server.close);
  const base = {
    protocol: 'tls',
    address: { host: '127.0.0.1', port: server.port },
    serverName: 'localhost',
    anchors: null,
    exchange: false,
    timeoutMs: 5000,
  } as const;
  const against = (rootPem: string) =>
    foreignCa({ handshake, foreign: { rootPem } } as unknown as Parameters<typeof foreignCa>[0], base, null);
  assert.equal((await against(testAuthority('Foreign Root').ca)).ok, true);
  const { ok, observed, remedy } = await against(authority.ca);
  assert.deepEqual([ok, observed], [false, 'it was accepted']);
  assert.match(remedy ?? '', /fullchain cert inspect/);
});

/** What each of them does with a connection. */
const HOSTILE: Readonly<Record<string, (socket: Socket) => void>> = {
  'never says a word': () => {},
  'closes at once': (socket) => socket.destroy(),
  'talks without an end': (socket) => {
    const block = Buffer.alloc(65_536, 'A');
    const more = (): void => {
      while (socket.writable && socket.write(block));
      socket.once('drain', more);
    };
    more();
  },
  'sends records that are none': (socket) => socket.write(Buffer.from('160303ffff', 'hex')),
  'sends a certificate that is none': (socket) => {
    const hello = `0303${'11'.repeat(32)}00c02b00`;
    const message = (type: string, body: string): string =>
      `${type}${(body.length / 2).toString(16).padStart(6, '0')}${body}`;
    const flight = message('02', hello) + message('0b', '000006000003deadbe') + message('0e', '');
    socket.write(Buffer.from(`160303${(flight.length / 2).toString(16).padStart(4, '0')}${flight}`, 'hex'));
  },
  'sends a handshake that does not end': (socket) => {
    const record = Buffer.concat([
      Buffer.from('1603034000', 'hex'),
      Buffer.from('0b00ffff', 'hex'),
      Buffer.alloc(16_380),
    ]);
    const more = (): void => {
      while (socket.writable && socket.write(record));
      socket.once('drain', more);
    };
    more();
  },
};

test('servers that want to harm whoever looks: each is a line, all within bounds', { timeout: 120_000 }, async (t) => {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  const services: string[] = [];
  for (const [what, talk] of Object.entries(HOSTILE)) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      talk(socket);
    });
    const { port, close } = await startTcpServer(server, '127.0.0.1', 0);
    t.after(close);
    services.push(entry(directory, what.replaceAll(' ', '-'), port));
  }
  services.push(entry(directory, 'long-chain', await longChain(t)));
  services.push(entry(directory, 'nobody', await freePort()));
  writeFileSync(file, `stack: test\nservices:\n${services.join('')}`);
  const begun = performance.now();
  const { status, stdout, output } = await run(process.execPath, [
    LAUNCHER,
    'verify',
    '--json',
    '--file',
    file,
    '--state',
    state,
  ]);
  const seconds = (performance.now() - begun) / 1000;
  assert.match(stdout, /^\{/, output);
  assert.equal(status, 1, output);
  const answer: { services: { name: string; ok: boolean; checks: Check[] }[] } = JSON.parse(stdout);
  assert.equal(answer.services.length, services.length);
  for (const { name, ok, checks } of answer.services) {
    assert.equal(ok, false, name);
    assert.ok(failed(checks).includes('served'), name);
    for (const { id, ok: passed, observed } of checks)
      assert.ok(observed.length > 0 && observed.length < 2000, `${name} ${id} ${passed}`);
  }
  assert.ok(seconds < 90, `${seconds} s`);
});

function entry(directory: string, name: string, port: number): string {
  return `  ${name}: { kind: files, names: [localhost], address: 127.0.0.1:${port}, certificate: ${directory}/${name}.crt, key: ${directory}/${name}.key }\n`;
}

/** A real server with a chain of a hundred. */
async function longChain(t: TestContext): Promise<number> {
  const authority = testAuthority('Long Root');
  const { chain, key } = authority.issue(['serverAuth']);
  const options: SecureContextOptions = { cert: chain + authority.ca.repeat(100), key };
  const server = await startTcpServer(createTlsServer(options), '127.0.0.1', 0);
  t.after(server.close);
  return server.port;
}
