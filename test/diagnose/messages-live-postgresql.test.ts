/** What PostgreSQL, its log and its clients say: psql, psycopg2, asyncpg. */
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { skipWithoutPython } from '../clients/python.ts';
import { run } from '../servers/process.ts';
import { account, IS_ROOT } from '../services/applied.ts';
import { as } from '../services/own-user.ts';
import { type Cluster, POSTGRES_BIN, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { freePort } from '../world/free-port.ts';
import { assertExplained, type Expected } from './messages-assert.ts';
import { brokenPairs, type PairFiles } from './messages-pairs.ts';
import { writtenSince } from './messages-servers.ts';

const pairs = brokenPairs();
const skip = skipWithoutPostgresql || (!IS_ROOT && 'skipped: needs root, to run the server as its own user');
const skipPython = await skipWithoutPython();

const RULES = `local all all trust
hostssl all shown 127.0.0.1/32 trust clientcert=verify-ca
hostssl all client.internal 127.0.0.1/32 cert
hostssl all someone 127.0.0.1/32 cert
hostssl all all 127.0.0.1/32 trust
`;

/** Before PostgreSQL 16 the log has no reason. */
const UNREASONED = [
  'likely client-certificate-untrusted',
  'possible client-certificate-wrong-purpose',
  'possible client-certificate-expired',
];

/** Owned as the server or the client insists. */
function place(from: string, to: string, user: string, mode = 0o600): string {
  copyFileSync(from, to);
  chmodSync(to, mode);
  const { uid, gid } = account([user]);
  chownSync(to, uid, gid);
  return to;
}

async function psql(...words: readonly string[]): Promise<string> {
  const { output } = await run('psql', ['-XAtc', 'SELECT 1', words.join(' ')], {
    env: { HOME: pairs.directory },
    withinMs: 20_000,
  });
  return output;
}

async function python(program: string): Promise<string> {
  return (await run('/usr/bin/python3', ['-c', program], { withinMs: 20_000 })).output;
}

/** What the client says, and what the server logs of it. */
async function both(
  server: Cluster,
  words: () => Promise<string>,
  client: Expected,
  log: Expected | null,
): Promise<void> {
  const before = server.output().length;
  assertExplained(await words(), null, client, 'the client');
  if (log !== null) assertExplained(await writtenSince(server, before), null, log, 'the log');
}

async function withTls(t: TestContext): Promise<Cluster> {
  const server = await startCluster(t, RULES);
  place(pairs.good.cert, join(server.data, 'server.crt'), 'postgres');
  place(pairs.good.key, join(server.data, 'server.key'), 'postgres');
  place(pairs.root, join(server.data, 'root.crt'), 'postgres');
  appendFileSync(
    join(server.data, 'postgresql.conf'),
    "ssl = on\nssl_ca_file = 'root.crt'\nssl_min_protocol_version = 'TLSv1.3'\nlog_min_messages = info\n",
  );
  await server.stop();
  await server.start();
  return server;
}

test('PostgreSQL without TLS', { skip }, async (t) => {
  const server = await startCluster(t, 'local all all trust\nhost all all 127.0.0.1/32 trust\n');
  assertExplained(
    await psql(`host=127.0.0.1 port=${server.port} user=postgres sslmode=require`),
    null,
    ['certain tls-off'],
    'psql',
  );
  if (skipPython) return t.diagnostic(skipPython);
  assertExplained(
    await python(
      `import psycopg2; psycopg2.connect("host=127.0.0.1 port=${server.port} user=postgres sslmode=verify-full sslrootcert=${pairs.root}")`,
    ),
    null,
    ['certain tls-off'],
    'psycopg2',
  );
  assertExplained(
    await python(
      `import asyncio, asyncpg; asyncio.run(asyncpg.connect(host="127.0.0.1", port=${server.port}, user="postgres", ssl="require"))`,
    ),
    null,
    ['certain tls-off'],
    'asyncpg',
  );
});

test('PostgreSQL with TLS, and clients that get it wrong', { skip }, async (t) => {
  const server = await withTls(t);
  const at = `port=${server.port} dbname=postgres`;
  const local = `host=localhost hostaddr=127.0.0.1 ${at}`;
  const trusted = `sslmode=verify-full sslrootcert=${pairs.root}`;
  const shown = ({ cert, key }: PairFiles): string =>
    `sslcert=${cert} sslkey=${place(key, join(pairs.directory, 'client-of-psql.key'), 'root')}`;

  await t.test('no TLS asked for', () =>
    both(server, () => psql(local, 'user=postgres sslmode=disable'), ['likely tls-required'], ['likely tls-required']),
  );
  await t.test('a root that is not the server’s', () =>
    both(
      server,
      () => psql(local, 'user=postgres sslmode=verify-full', `sslrootcert=${pairs.otherRoot}`),
      ['likely unknown-ca', 'possible chain-incomplete', 'possible certificate-expired'],
      ['likely unknown-ca', 'likely chain-incomplete'],
    ),
  );
  await t.test('no file of roots', () =>
    both(server, () => psql(local, 'user=postgres sslmode=verify-full'), ['certain file-missing'], null),
  );
  await t.test('another name', () =>
    both(
      server,
      () => psql(`host=wrong.internal hostaddr=127.0.0.1 ${at}`, 'user=postgres', trusted),
      ['certain name-mismatch'],
      null,
    ),
  );
  await t.test('no client certificate, where one is wanted', () =>
    both(
      server,
      () => psql(local, 'user=shown', trusted),
      ['certain client-certificate-required'],
      ['certain client-certificate-required'],
    ),
  );
  for (const [what, pair, client, log] of [
    [
      'of another authority',
      pairs.otherClient,
      ['certain client-certificate-untrusted'],
      ['certain client-certificate-untrusted'],
    ],
    [
      'that is expired',
      pairs.expiredClient,
      ['certain client-certificate-expired'],
      ['likely client-certificate-expired', 'possible clock-skew'],
    ],
    [
      'for servers',
      pairs.serverAsClient,
      ['certain client-certificate-wrong-purpose'],
      ['certain client-certificate-wrong-purpose'],
    ],
  ] as const)
    await t.test(`a client certificate ${what}`, async () => {
      const before = server.output().length;
      assertExplained(await psql(local, 'user=shown', trusted, shown(pair)), null, client, 'psql');
      const logged = await writtenSince(server, before);
      assertExplained(logged, null, /failed at depth/.test(logged) ? log : UNREASONED, 'the log');
    });
  await t.test('a client certificate of another user', async () => {
    await both(
      server,
      () => psql(local, 'user=someone', trusted, shown(pairs.client)),
      ['certain client-certificate-wrong-user'],
      ['certain client-certificate-wrong-user'],
    );
    const best = assertExplained(
      (await writtenSince(server, 0))
        .split('\n')
        .filter((line) => /provided user name/.test(line))
        .join('\n'),
      null,
      ['likely client-certificate-wrong-user'],
      'the first line of the log alone',
    );
    assert.deepEqual([best.evidence.user, best.evidence.certificateUser], ['someone', 'client.internal']);
  });
  await t.test('a key of the client that others may read', () =>
    both(
      server,
      () => psql(local, 'user=shown', trusted, `sslcert=${pairs.client.cert} sslkey=${pairs.client.key}`),
      ['certain key-permissions'],
      null,
    ),
  );
  await t.test('a key of the client that is another’s', () =>
    both(
      server,
      () => psql(local, 'user=shown', trusted, shown({ cert: pairs.client.cert, key: pairs.otherClient.key })),
      ['likely key-mismatch', 'possible chain-order'],
      null,
    ),
  );
  await t.test('TLS 1.2 where 1.3 is the least', () =>
    both(
      server,
      () => psql(local, 'user=postgres', trusted, 'ssl_max_protocol_version=TLSv1.2'),
      ['certain no-common-protocol'],
      ['certain no-common-protocol'],
    ),
  );
  await t.test('TLS from the first byte', async () => {
    const before = server.output().length;
    await run('openssl', ['s_client', '-connect', `127.0.0.1:${server.port}`], { withinMs: 10_000 });
    assertExplained(await writtenSince(server, before), null, ['likely starttls-needed'], 'the log');
  });
  await t.test('parameters that a driver does not know', async () => {
    for (const [url, parameter] of [
      ['ssl=require', 'ssl'],
      ['sslmode=ssl', 'ssl'],
    ]) {
      const best = assertExplained(
        await psql(`postgresql://postgres@127.0.0.1:${server.port}/postgres?${url}`),
        null,
        ['certain url-parameter-invalid'],
        'psql',
      );
      assert.equal(best.evidence.parameter, parameter);
    }
    if (skipPython) return t.diagnostic(skipPython);
    const connect = `asyncio.run(asyncpg.connect(host="127.0.0.1", port=${server.port}, user="postgres", sslmode="require"))`;
    assertExplained(
      await python(`import asyncio, asyncpg; ${connect}`),
      null,
      ['certain url-parameter-invalid'],
      'asyncpg',
    );
  });
  await t.test('asyncpg and a root that is not the server’s', { skip: skipPython }, async () => {
    const context = `c = ssl.create_default_context(cafile="${pairs.otherRoot}")`;
    const connect = `asyncio.run(asyncpg.connect(host="127.0.0.1", port=${server.port}, user="postgres", ssl=c))`;
    assertExplained(
      await python(`import asyncio, asyncpg, ssl; ${context}; ${connect}`),
      null,
      ['likely unknown-ca', 'likely chain-incomplete'],
      'asyncpg',
    );
  });
  await t.test('a port where nobody listens', async () => {
    const port = await freePort();
    assertExplained(
      await psql(`host=127.0.0.1 port=${port} user=postgres`),
      null,
      ['certain connection-refused'],
      'psql',
    );
    const ready = (await run('pg_isready', ['-h', '127.0.0.1', '-p', `${port}`])).output;
    const best = assertExplained(ready, null, ['likely connection-refused', 'likely connect-timeout'], 'pg_isready');
    assert.deepEqual([best.evidence.host, best.evidence.port], ['127.0.0.1', `${port}`]);
  });
});

/** Of the server's start, which fails. */
const STARTS: readonly (readonly [what: string, cert: string, key: string, mode: number, expected: Expected])[] = [
  ['a key that others may read', pairs.good.cert, pairs.good.key, 0o644, ['certain key-permissions']],
  ['another’s key', pairs.otherKey.cert, pairs.otherKey.key, 0o600, ['likely key-mismatch', 'possible chain-order']],
  [
    'a key of another type',
    pairs.otherTypeOfKey.cert,
    pairs.otherTypeOfKey.key,
    0o600,
    ['likely key-type-mismatch', 'possible key-mismatch'],
  ],
  [
    'a chain from the intermediate on',
    pairs.fromIntermediate.cert,
    pairs.fromIntermediate.key,
    0o600,
    ['likely key-mismatch', 'possible chain-order'],
  ],
  ['no certificate', '', pairs.good.key, 0o600, ['certain file-missing']],
  ['no key', pairs.good.cert, '', 0o600, ['certain file-missing']],
  ['an empty certificate', pairs.write('empty', ''), pairs.good.key, 0o600, ['likely file-unusable']],
  ['a key that is none', pairs.good.cert, pairs.root, 0o600, ['likely file-unusable']],
];

test('PostgreSQL that does not start', { skip }, async (t) => {
  const server = await startCluster(t, RULES);
  await server.stop();
  for (const [i, [what, cert, key, mode, expected]] of STARTS.entries())
    await t.test(what, async () => {
      const directory = join(server.directory, `pair-${i}`);
      mkdirSync(directory);
      const { uid, gid } = account(['postgres']);
      chownSync(directory, uid, gid);
      const [crt, priv] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
      if (cert !== '') place(cert, crt, 'postgres');
      if (key !== '') place(key, priv, 'postgres', mode);
      const settings = ['-c', 'ssl=on', '-c', `ssl_cert_file=${crt}`, '-c', `ssl_key_file=${priv}`];
      const { status, output } = await run(
        ...as('postgres', [`${POSTGRES_BIN}/postgres`, '-D', server.data, ...settings]),
        { withinMs: 20_000 },
      );
      assert.notEqual(status, 0);
      assertExplained(output, null, expected, 'the log');
    });
  await t.test('a certificate that its user may not reach', async () => {
    const directory = join(pairs.directory, 'closed');
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(join(directory, 'tls.crt'), '');
    const settings = ['-c', 'ssl=on', '-c', `ssl_cert_file=${join(directory, 'tls.crt')}`];
    const { output } = await run(...as('postgres', [`${POSTGRES_BIN}/postgres`, '-D', server.data, ...settings]), {
      withinMs: 20_000,
    });
    const best = assertExplained(output, null, ['certain key-permissions'], 'the log');
    assert.equal(best.evidence.file, join(directory, 'tls.crt'));
  });
});
