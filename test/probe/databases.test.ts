/** Databases as they come with Debian: what they offer, and what a look at them leaves behind. */
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, chownSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { skipWithout } from '../servers/available.ts';
import { account, IS_ROOT } from '../services/applied.ts';
import { startMariaDb } from '../services/start-mariadb.ts';
import { type Cluster, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { startRedis } from '../services/start-redis.ts';
import { freePort } from '../world/free-port.ts';
import { opensslPairs, type PairFiles } from './openssl-pairs.ts';
import { idsOf, probeJson, probeOne } from './run-probe.ts';
import { sslscan, suitesOf } from './sslscan.ts';

const pairs = opensslPairs();
const WITH_PASSWORD =
  'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all ::1/128 scram-sha-256\n';

/** Owned by the service's user, as it insists on. */
function place(file: string, to: string, user: string): void {
  copyFileSync(file, to);
  chmodSync(to, 0o600);
  const { uid, gid } = account([user]);
  if (IS_ROOT) chownSync(to, uid, gid);
}

async function cluster(t: TestContext, { cert, key }: PairFiles, settings: string): Promise<Cluster> {
  const made = await startCluster(t, WITH_PASSWORD);
  place(cert, join(made.data, 'server.crt'), 'postgres');
  place(key, join(made.data, 'server.key'), 'postgres');
  place(pairs.ca, join(made.data, 'root.crt'), 'postgres');
  appendFileSync(join(made.data, 'postgresql.conf'), `ssl = on\n${settings}`);
  await made.stop();
  await made.start();
  return made;
}

/** What the server writes while something is done. */
async function loggedDuring(server: Cluster, work: () => Promise<void>): Promise<string> {
  // Of the look that found it ready.
  await sleep(500);
  const before = server.output().length;
  await work();
  await sleep(500);
  return server.output().slice(before);
}

const CLUSTERS: readonly (readonly [what: string, pair: PairFiles, settings: string, serverOrder: boolean])[] = [
  ['an ECDSA certificate and PostgreSQL’s own list', pairs.ecdsa, '', true],
  ['an RSA certificate and PostgreSQL’s own list', pairs.rsa, "ssl_ecdh_curve = 'secp384r1'\n", true],
  [
    'the client’s order, and asks for client certificates',
    pairs.ecdsa,
    "ssl_prefer_server_ciphers = off\nssl_ca_file = 'root.crt'\n",
    false,
  ],
];

for (const [what, pair, settings, serverOrder] of CLUSTERS)
  test(`PostgreSQL with ${what}: everything it takes is found, and its log has no line more`, {
    skip: skipWithoutPostgresql || skipWithout('sslscan'),
  }, async (t) => {
    const server = await cluster(t, pair, settings);
    const logged = await loggedDuring(server, async () => {
      const target = await probeOne(`127.0.0.1:${server.port}`, '--starttls', 'postgres', '--ca', pairs.ca);
      assert.deepEqual([target.reachable, target.starttls, target.serverOrder], [true, 'postgres', serverOrder]);
      assert.deepEqual(target.protocols, ['TLSv1.2', 'TLSv1.3']);
      assert.deepEqual([...target.groups], [settings.includes('secp384r1') ? 'secp384r1' : 'secp256r1']);
      assert.equal(target.trust.anchor, 'CN=probe-root');
      const asks = settings.includes('ssl_ca_file');
      assert.deepEqual(
        [target.clientCertificate, target.acceptedAuthorities],
        asks ? ['optional', ['CN=probe-root']] : ['none', []],
      );
      assert.match(target.untried.join(), /TLSv1\.1: the server writes every refusal into its log/);
      t.diagnostic(`${target.suites.length} suites`);
      seen.push(...suitesOf(target));
    });
    assert.equal(logged, '');
    // The second opinion is not as quiet.
    assert.deepEqual(seen.splice(0), (await sslscan(t, server.port, '--starttls-psql')).suites);
  });

const seen: string[] = [];

test('PostgreSQL that takes TLS 1.3 only, with --thorough: its refusals are asked for, and in its log', {
  skip: skipWithoutPostgresql,
}, async (t) => {
  const server = await cluster(t, pairs.ecdsa, "ssl_min_protocol_version = 'TLSv1.3'\n");
  const url = `postgresql+asyncpg://app@127.0.0.1:${server.port}/orders`;
  const logged = await loggedDuring(server, async () => {
    const target = await probeOne(url, '--ca', pairs.ca, '--thorough');
    assert.deepEqual([target.target, target.protocols, target.untried], [url, ['TLSv1.3'], []]);
    assert.deepEqual(idsOf(target), []);
  });
  assert.match(logged, /could not accept SSL connection: unsupported protocol/);
});

test('PostgreSQL that demands client certificates at login: unknown while its log is spared, known with --thorough', {
  skip: skipWithoutPostgresql,
}, async (t) => {
  const server = await cluster(t, pairs.ecdsa, "ssl_ca_file = 'root.crt'\n");
  writeFileSync(join(server.data, 'pg_hba.conf'), 'local all all trust\nhostssl all all 127.0.0.1/32 cert\n');
  await server.psql(
    `host=${server.directory} port=${server.port} user=postgres dbname=postgres`,
    'SELECT pg_reload_conf()',
  );
  const at = ['--starttls', 'postgres', '--ca', pairs.ca, `127.0.0.1:${server.port}`];
  const spared = await probeOne(...at);
  assert.equal(spared.clientCertificate, 'optional');
  assert.match(spared.untried.join(), /whether a login demands a client certificate/);
  const thorough = await probeOne(...at, '--thorough');
  assert.deepEqual([thorough.clientCertificate, thorough.untried], ['required', []]);
});

test('a service of a stack file is known to take TLS 1.3 only, and is not asked for 1.2', {
  skip: skipWithoutPostgresql,
}, async (t) => {
  const server = await cluster(t, pairs.ecdsa, "ssl_min_protocol_version = 'TLSv1.3'\n");
  const file = join(server.directory, 'fullchain.yaml');
  writeFileSync(
    file,
    `stack: shop\nservices:\n  orders:\n    kind: postgresql\n    names: [localhost]\n    address: 127.0.0.1:${server.port}\n    tls: modern\n    data: ${server.data}\n`,
  );
  const logged = await loggedDuring(server, async () => {
    const target = await probeOne('-f', file, '--ca', pairs.ca);
    assert.deepEqual([target.target, target.protocols], [`localhost:${server.port}`, ['TLSv1.3']]);
    assert.match(target.untried.join(), /TLSv1\.2/);
  });
  assert.equal(logged, '');
});

test('PostgreSQL without TLS is said to have it switched off', { skip: skipWithoutPostgresql }, async (t) => {
  const server = await startCluster(t, 'local all all trust\nhost all all 127.0.0.1/32 trust\n');
  const target = await probeOne(`127.0.0.1:${server.port}`, '--starttls', 'postgres');
  assert.deepEqual([target.reachable, idsOf(target), target.grade], [true, ['tls-off'], null]);
});

test('databases at ports that nobody knows are recognised by what they answer', {
  skip: skipWithoutPostgresql || skipWithout('redis-server'),
}, async (t) => {
  const server = await cluster(t, pairs.ecdsa, '');
  const redis = await startRedis(t);
  const { targets } = await probeJson(
    `127.0.0.1:${server.port}`,
    `127.0.0.1:${redis.port}`,
    '--ca',
    pairs.ca,
    '--timeout',
    '2',
  );
  const [postgres, plain] = targets;
  assert.deepEqual([postgres?.starttls, postgres?.protocols], ['postgres', ['TLSv1.2', 'TLSv1.3']]);
  const [finding] = plain?.findings ?? [];
  assert.deepEqual([finding?.id, finding?.evidence], ['plaintext-service', { protocol: 'redis' }]);
});

test('MariaDB: versions and suites as sslscan has them, over few enough connections not to be shut out', {
  skip: skipWithout('mariadbd', 'sslscan'),
}, async (t) => {
  const server = await startMariaDb(t);
  for (const [from, name] of [
    [pairs.ecdsa.cert, 'tls.crt'],
    [pairs.ecdsa.key, 'tls.key'],
    [pairs.ca, 'ca.crt'],
  ] as const)
    place(from, join(server.path, name), 'mysql');
  writeFileSync(
    join(server.config, 'tls.cnf'),
    `[mysqld]\nssl-cert=${server.path}/tls.crt\nssl-key=${server.path}/tls.key\nssl-ca=${server.path}/ca.crt\ntls_version=TLSv1.2,TLSv1.3\n`,
  );
  await server.restart();
  const target = await probeOne(`127.0.0.1:${server.port}`, '--starttls', 'mysql', '--ca', pairs.ca);
  const { output } = await server.overSocket("SHOW STATUS LIKE 'Aborted_connects'");
  const aborted = Number(/\d+/.exec(output)?.[0]);
  // max_connect_errors is 100.
  assert.ok(aborted > 0 && aborted < 80, `${aborted} connections that came to nothing`);
  const scan = await sslscan(t, server.port, '--starttls-mysql');
  assert.deepEqual([target.protocols, target.untried], [scan.protocols, []]);
  assert.deepEqual(suitesOf(target), scan.suites);
  assert.equal(target.trust.ok, true);
});

test('Redis that insists on client certificates is looked at in full all the same', {
  skip: skipWithout('redis-server'),
}, async (t) => {
  const tlsPort = await freePort();
  const at = (name: string): string => join(pairs.directory, name);
  place(pairs.ecdsa.key, at('redis.key'), 'redis');
  await startRedis(
    t,
    `tls-port ${tlsPort}\ntls-cert-file ${pairs.ecdsa.cert}\ntls-key-file ${at('redis.key')}\ntls-ca-cert-file ${pairs.ca}\ntls-auth-clients yes\n`,
  );
  const target = await probeOne(`rediss://localhost:${tlsPort}`, '--connect', '127.0.0.1', '--ca', pairs.ca);
  // Redis does not say whom it accepts.
  assert.deepEqual([target.clientCertificate, target.acceptedAuthorities], ['required', []]);
  assert.deepEqual(
    target.findings.map(({ id, severity }) => `${severity} ${id}`).filter((id) => !id.includes('suites')),
    ['info client-certificate-required'],
  );
  assert.deepEqual(target.untried, []);
  // sslscan 2.0.7 sees none of TLS 1.2 here.
  assert.ok(suitesOf(target).includes('TLSv1.2 0xC02B'), `${suitesOf(target)}`);
  const client = ['--client-cert', pairs.client.cert, '--client-key', pairs.client.key];
  const shown = await probeOne(`rediss://localhost:${tlsPort}`, '--connect', '127.0.0.1', '--ca', pairs.ca, ...client);
  assert.deepEqual(suitesOf(shown), suitesOf(target));
  assert.deepEqual(
    suitesOf(target).filter((suite) => suite.startsWith('TLSv1.3')),
    ['TLSv1.3 0x1301', 'TLSv1.3 0x1302', 'TLSv1.3 0x1303'],
  );
});
