/** PostgreSQL, which logs every handshake that comes to nothing: everything is seen of it, and nothing is left behind. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { skipWithout } from '../servers/available.ts';
import { type Cluster, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { opensslPairs, type PairFiles } from './openssl-pairs.ts';
import { idsOf, probeOne, runProbe } from './run-probe.ts';
import { sslscan, suitesOf } from './sslscan.ts';
import { tlsCluster } from './tls-cluster.ts';

const pairs = opensslPairs();

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
    const server = await tlsCluster(t, pairs, pair, settings);
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
  const server = await tlsCluster(t, pairs, pairs.ecdsa, "ssl_min_protocol_version = 'TLSv1.3'\n");
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
  const server = await tlsCluster(t, pairs, pairs.ecdsa, "ssl_ca_file = 'root.crt'\n");
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

test('PostgreSQL that takes TLS 1.3 only: one line is left in its log, and that is said', {
  skip: skipWithoutPostgresql,
}, async (t) => {
  const server = await tlsCluster(t, pairs, pairs.ecdsa, "ssl_min_protocol_version = 'TLSv1.3'\n");
  const logged = await loggedDuring(server, async () => {
    const { stdout } = await runProbe(`127.0.0.1:${server.port}`, '--ca', pairs.ca);
    assert.match(
      stdout,
      /not all could be asked: SSLv3, TLSv1, TLSv1\.1 \(the server writes every refusal into its log/,
    );
    assert.match(stdout, /left in the server’s log: one line, since it refuses TLS 1\.2/);
    assert.match(stdout, /^✓ at best A /);
  });
  assert.deepEqual(logged.match(/LOG: .*/g), ['LOG:  could not accept SSL connection: unsupported protocol']);
});

test('a service of a stack file is known to take TLS 1.3 only, and is not asked for 1.2', {
  skip: skipWithoutPostgresql,
}, async (t) => {
  const server = await tlsCluster(t, pairs, pairs.ecdsa, "ssl_min_protocol_version = 'TLSv1.3'\n");
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

for (const [what, hasTls] of [
  ['takes TLS', true],
  ['has TLS switched off', false],
] as const)
  test(`a PostgreSQL that ${what}, at a port that nobody knows, is found without a line in its log`, {
    skip: skipWithoutPostgresql,
  }, async (t) => {
    const server = hasTls
      ? await tlsCluster(t, pairs, pairs.ecdsa, '')
      : await startCluster(t, 'local all all trust\nhost all all 127.0.0.1/32 trust\n');
    const logged = await loggedDuring(server, async () => {
      const target = await probeOne(`127.0.0.1:${server.port}`, '--ca', pairs.ca);
      assert.deepEqual([target.starttls, idsOf(target)], ['postgres', hasTls ? ['suites-weak'] : ['tls-off']]);
    });
    assert.equal(logged, '');
  });

test('a server that greets with an S is not taken for a PostgreSQL', async (t) => {
  const ssh = createServer((socket) => void socket.on('error', () => {}).write('SSH-2.0-OpenSSH_9.2p1\r\n'));
  const server = await startTcpServer(ssh, '127.0.0.1', 0);
  t.after(server.close);
  const target = await probeOne(`127.0.0.1:${server.port}`, '--timeout', '2');
  assert.deepEqual([target.starttls, target.findings[0]?.evidence], [null, { protocol: 'ssh' }]);
});
