/** MariaDB and Redis as they come with Debian, and databases at ports that nobody knows. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { skipWithout } from '../servers/available.ts';
import { startMariaDb } from '../services/start-mariadb.ts';
import { skipWithoutPostgresql } from '../services/start-postgresql.ts';
import { startRedis } from '../services/start-redis.ts';
import { freePort } from '../world/free-port.ts';
import { opensslPairs } from './openssl-pairs.ts';
import { probeJson, probeOne } from './run-probe.ts';
import { sslscan, suitesOf } from './sslscan.ts';
import { place, tlsCluster } from './tls-cluster.ts';

const pairs = opensslPairs();

test('databases at ports that nobody knows are recognised by what they answer', {
  skip: skipWithoutPostgresql || skipWithout('redis-server'),
}, async (t) => {
  const server = await tlsCluster(t, pairs, pairs.ecdsa, '');
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

test('MariaDB: versions and suites as sslscan has them, and what is spared it is said', {
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
  const scan = await sslscan(t, server.port, '--starttls-mysql');
  assert.deepEqual([target.protocols, target.untried.length], [scan.protocols, 1]);
  assert.match(String(target.untried), /^SSLv3, TLSv1, TLSv1\.1: .*max_connect_errors; --thorough asks/);
  assert.deepEqual(suitesOf(target), scan.suites);
  const whole = await probeOne(`127.0.0.1:${server.port}`, '--starttls', 'mysql', '--ca', pairs.ca, '--thorough');
  assert.deepEqual([whole.protocols, whole.untried, suitesOf(whole)], [scan.protocols, [], scan.suites]);
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
