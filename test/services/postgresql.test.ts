import assert from 'node:assert/strict';
import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { postgresql } from '../../src/core/services/postgresql.ts';
import type { ClientPolicy } from '../../src/core/stack/stack.ts';
import { until } from '../servers/process.ts';
import { configure, install, remove, serviceSpec, take } from './applied.ts';
import { connected, type Look, look, serves, speak } from './look.ts';
import {
  ASKED,
  EVERYBODY,
  LOGGED_IN,
  postgresPreamble,
  REFUSED,
  skipWithoutPostgresql,
  startCluster,
  startupMessage,
} from './start-postgresql.ts';
import { type TestPair, testAuthority } from './test-authority.ts';

const skip = skipWithoutPostgresql;

const authority = testAuthority();
const foreign = testAuthority('Foreign Root');

test('PostgreSQL changes from plaintext to TLS by SIGHUP, renews, keeps the old pair when the new one is broken, and goes back', {
  skip,
}, async (t) => {
  const { port, data, psql, directory } = await startCluster(t, EVERYBODY);
  const before = ['postgresql.conf', 'pg_hba.conf'].map((name) => readFileSync(join(data, name), 'utf8'));
  const service = serviceSpec(postgresql, port, { settings: { data } });
  const [first, second] = [authority.issue(['serverAuth']), authority.issue(['serverAuth'])];
  const at: Look = { port, ca: authority.ca, preamble: postgresPreamble };

  const { desired } = configure(postgresql, service);
  install(desired, first);
  await take(desired);
  await until(() => serves(at, first), 'TLS with the first pair', 5000);

  await t.test('the chain is sent without the root, and policy is kept', async () => {
    assert.equal((await look(at)).chainLength, 2);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      assert.equal((await look({ ...at, minVersion: version, maxVersion: version })).version, version);
    await assert.rejects(look({ ...at, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
    const weak = { ...at, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA' } as const;
    await assert.rejects(look(weak));
  });

  await t.test('the key belongs to the user of the server alone, outside of the data directory', () => {
    const { mode, uid } = statSync(join(desired.install.directory, 'current', 'tls.key'));
    assert.equal(mode & 0o777, 0o600);
    assert.equal(uid, statSync(data).uid);
    assert.equal(desired.install.directory.startsWith(`${data}/`), false);
  });

  await t.test('plaintext is refused in IPv4 and IPv6, for replication too; the socket is as before', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      assert.match(await speak(port, startupMessage('postgres'), host), /^E.*pg_hba\.conf rejects/s);
      assert.match(await speak(port, startupMessage('postgres', true), host), /^E.*pg_hba\.conf rejects/s);
    }
    assert.deepEqual(await psql(`host=${directory} port=${port} user=postgres dbname=postgres`), {
      status: 0,
      stdout: '1\n',
      output: '1\n',
    });
  });

  await t.test('a verifying client gets in by each name, and not by another or with another root', async () => {
    const root = join(directory, 'root.crt');
    writeFileSync(root, authority.ca);
    const url = (host: string, ca: string): string =>
      `host=${host} hostaddr=127.0.0.1 port=${port} user=postgres dbname=postgres sslmode=verify-full sslrootcert=${ca}`;
    for (const host of ['localhost', 'service.internal', '127.0.0.1'])
      assert.equal((await psql(url(host, root))).output, '1\n');
    assert.match((await psql(url('other.internal', root))).output, /does not match host name "other.internal"/);
    const other = join(directory, 'other.crt');
    writeFileSync(other, foreign.ca);
    assert.match((await psql(url('localhost', other))).output, /certificate verify failed/);
  });

  await t.test('a second run changes nothing', () => {
    assert.equal(configure(postgresql, service).changed, false);
  });

  await t.test('a new pair is served after SIGHUP, and a session from before goes on', async () => {
    const session = await connected('127.0.0.1', port);
    await postgresPreamble(session);
    install(desired, second);
    assert.equal((await look(at)).fingerprint, first.fingerprint);
    await take(desired);
    await until(() => serves(at, second), 'the second pair', 5000);
    assert.equal(session.destroyed, false);
    session.destroy();
  });

  await t.test('a pair that does not fit is not served: the old one is', async () => {
    install(desired, first, { key: second.key });
    await take(desired);
    // The only word about it is in the log, so there is nothing to wait for.
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(await serves(at, second));
    install(desired, second);
  });

  await t.test('taken out again, both files are as they were and plaintext is served', async () => {
    await remove(postgresql, service);
    assert.deepEqual(
      ['postgresql.conf', 'pg_hba.conf'].map((name) => readFileSync(join(data, name), 'utf8')),
      before,
    );
    await until(async () => LOGGED_IN.test(await speak(port, startupMessage('postgres'))), 'plaintext', 5000);
  });
});

const alice = authority.issue(['clientAuth'], 'alice');
const bob = authority.issue(['clientAuth'], 'bob');
const postgres = authority.issue(['clientAuth'], 'postgres');
const serverOnly = authority.issue(['serverAuth'], 'postgres');
const foreigner = foreign.issue(['clientAuth'], 'postgres');

const OWN_ROWS = [
  'local all all trust',
  '# a person’s own rows, with a continued line',
  'host all postgres \\',
  '  127.0.0.1/32   trust # in here',
  'hostssl all "bob" samehost scram-sha-256',
  'host all alice 0.0.0.0/0 reject',
  '',
].join('\n');

interface Case {
  readonly clients: ClientPolicy;
  readonly user: string;
  readonly client: TestPair | undefined;
  readonly answer: RegExp | 'handshake refused';
}

const CASES: readonly (readonly [title: string, one: Case])[] = [
  [
    'optional: nobody is asked for one',
    { clients: { kind: 'optional' }, user: 'postgres', client: undefined, answer: LOGGED_IN },
  ],
  [
    'optional: a right one is accepted',
    { clients: { kind: 'optional' }, user: 'postgres', client: postgres, answer: LOGGED_IN },
  ],
  [
    'optional: a foreign one is refused',
    { clients: { kind: 'optional' }, user: 'postgres', client: foreigner, answer: 'handshake refused' },
  ],
  [
    'optional: one for servers is refused',
    { clients: { kind: 'optional' }, user: 'postgres', client: serverOnly, answer: 'handshake refused' },
  ],
  [
    'required: none is refused',
    { clients: { kind: 'required' }, user: 'postgres', client: undefined, answer: REFUSED },
  ],
  [
    'required: a foreign one is refused',
    { clients: { kind: 'required' }, user: 'postgres', client: foreigner, answer: 'handshake refused' },
  ],
  [
    'required: one for servers is refused',
    { clients: { kind: 'required' }, user: 'postgres', client: serverOnly, answer: 'handshake refused' },
  ],
  [
    'required: a right one comes on top of the own row, here trust',
    { clients: { kind: 'required' }, user: 'postgres', client: alice, answer: LOGGED_IN },
  ],
  ['required: and here a password', { clients: { kind: 'required' }, user: 'bob', client: alice, answer: ASKED }],
  [
    'required: an own row that rejects still does',
    { clients: { kind: 'required' }, user: 'alice', client: alice, answer: REFUSED },
  ],
  [
    'names: the name in the certificate is the user',
    { clients: { kind: 'required-names', names: ['postgres'] }, user: 'postgres', client: postgres, answer: LOGGED_IN },
  ],
  [
    'names: another one’s certificate is refused',
    { clients: { kind: 'required-names', names: ['postgres', 'bob'] }, user: 'postgres', client: bob, answer: REFUSED },
  ],
  [
    'names: none is refused',
    { clients: { kind: 'required-names', names: ['postgres'] }, user: 'postgres', client: undefined, answer: REFUSED },
  ],
  [
    'names: who is not named is refused',
    { clients: { kind: 'required-names', names: ['postgres'] }, user: 'bob', client: bob, answer: REFUSED },
  ],
];

test('clients are verified as declared', { skip }, async (t) => {
  const { port, data, psql, directory, output } = await startCluster(t, OWN_ROWS);
  const made = await psql(
    `host=${directory} port=${port} user=postgres dbname=postgres`,
    "CREATE ROLE bob LOGIN PASSWORD 'b'; CREATE ROLE alice LOGIN",
  );
  assert.equal(made.status, 0, made.output);
  const pair = authority.issue(['serverAuth']);
  for (const [title, { clients, user, client, answer }] of CASES) {
    await t.test(title, async () => {
      const service = serviceSpec(postgresql, port, { clients, settings: { data } });
      const { desired, changed } = configure(postgresql, service);
      install(desired, pair);
      const reloads = (): number => output().split('received SIGHUP').length;
      const before = reloads();
      if (changed) {
        await take(desired);
        await until(() => reloads() > before, 'the reload', 5000, output);
        await until(() => serves({ port, ca: authority.ca, preamble: postgresPreamble }, pair), 'TLS', 5000);
      }
      const seen = look({
        port,
        ca: authority.ca,
        preamble: postgresPreamble,
        ...(client && { client }),
        say: startupMessage(user),
      });
      if (answer === 'handshake refused') await assert.rejects(seen);
      else assert.match((await seen).answer, answer);
      assert.equal((await psql(`host=${directory} port=${port} user=postgres dbname=postgres`)).output, '1\n');
    });
  }
  await t.test('libpq shows the certificate that connection URLs name', async () => {
    for (const [name, text] of Object.entries({
      'client.crt': postgres.chain,
      'client.key': postgres.key,
      'ca.crt': authority.ca,
    })) {
      writeFileSync(join(directory, name), text);
      chmodSync(join(directory, name), name === 'client.key' ? 0o600 : 0o644);
    }
    chownSync(join(directory, 'client.key'), statSync(data).uid, statSync(data).gid);
    const url = `postgresql://postgres@localhost:${port}/postgres?sslmode=verify-full&sslrootcert=${directory}/ca.crt&sslcert=${directory}/client.crt&sslkey=${directory}/client.key`;
    assert.equal((await psql(url)).output, '1\n');
  });
});

/** The guide's row for administrators, before the rows of everybody else: the first row that fits decides. */
const ADMINISTRATORS_FIRST = [
  'local all all trust',
  'hostssl all postgres 0.0.0.0/0 cert clientcert=verify-full',
  'host all all 127.0.0.1/32 scram-sha-256',
  '',
].join('\n');

test('the superuser by certificate alone, by a row of the person’s own, and others as before', { skip }, async (t) => {
  const { port, data, psql, directory, output } = await startCluster(t, ADMINISTRATORS_FIRST);
  const local = `host=${directory} port=${port} user=postgres dbname=postgres`;
  assert.equal((await psql(local, "CREATE ROLE bob LOGIN PASSWORD 'b'")).status, 0);
  const pair = authority.issue(['serverAuth']);
  const { desired } = configure(
    postgresql,
    serviceSpec(postgresql, port, { clients: { kind: 'optional' }, settings: { data } }),
  );
  install(desired, pair);
  await take(desired);
  await until(() => serves({ port, ca: authority.ca, preamble: postgresPreamble }, pair), 'TLS', 5000, output);
  const answer = async (user: string, client?: TestPair): Promise<string> =>
    (
      await look({
        ...{ port, ca: authority.ca, preamble: postgresPreamble, say: startupMessage(user) },
        ...(client && { client }),
      })
    ).answer;
  assert.match(await answer('postgres'), REFUSED);
  assert.match(await answer('postgres', alice), REFUSED);
  assert.match(await answer('postgres', postgres), LOGGED_IN);
  assert.match(await answer('bob'), ASKED);
  // In the order of the guide the row is never reached, and the superuser is asked for a password.
  const [, row, everybody] = ADMINISTRATORS_FIRST.split('\n');
  const hba = join(data, 'pg_hba.conf');
  const reloads = (): number => output().split('received SIGHUP').length;
  const before = reloads();
  writeFileSync(hba, readFileSync(hba, 'utf8').replace(`${row}\n${everybody}`, `${everybody}\n${row}`));
  await take(desired);
  await until(() => reloads() > before, 'the reload', 5000, output);
  await until(async () => ASKED.test(await answer('postgres')), 'the order of the guide', 5000, output);
});
