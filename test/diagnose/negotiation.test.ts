/** Client and server that have no version, suite or group in common; and those that refuse although they have. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { testKey } from '../vectors/made-certificate.ts';
import { breakNetwork } from '../world/broken-network.ts';
import {
  assertCause,
  assertHealthy,
  diagnose,
  keyPem,
  leafOf,
  nginxWith,
  nodeServer,
  opensslServer,
  pem,
  tree,
  usageOf,
  writePair,
} from './world.ts';

const skip = skipWithout('openssl');
const OLD = ['-cipher', 'ALL:@SECLEVEL=0'];

test('no version, suite or group in common: which one, and what both sides have', {
  skip,
  timeout: 120_000,
}, async (t) => {
  const directory = scratch(t);
  const { root, intermediate } = tree();
  const ca = join(directory, 'ca.crt');
  writeFileSync(ca, pem(root));
  const leaf = leafOf(intermediate);
  const ec = writePair(directory, 'ec', pem(leaf, intermediate), keyPem(leaf));
  const rsaLeaf = leafOf(intermediate, { parts: { key: testKey('rsa-2048') } });
  const rsa = writePair(directory, 'rsa', pem(rsaLeaf, intermediate), keyPem(rsaLeaf));
  const at = (port: number, ...args: string[]) => diagnose([`localhost:${port}`, '--ca', ca, ...args]);

  await t.test('a server of TLS 1.1: no-common-protocol, and both lists', async () => {
    const port = await opensslServer(t, ec, '-tls1_1', ...OLD);
    const { evidence } = assertCause(await at(port), 'no-common-protocol');
    assert.deepEqual(evidence, { client: ['TLSv1.2', 'TLSv1.3'], server: ['TLSv1.1'] });
  });
  await t.test('a client of TLS 1.3 at a server of 1.2: no-common-protocol', async () => {
    const port = await opensslServer(t, ec, '-tls1_2');
    const { evidence } = assertCause(await at(port, '--tls-min', '1.3'), 'no-common-protocol');
    assert.deepEqual(evidence, { client: ['TLSv1.3'], server: ['TLSv1.2'] });
    assertHealthy(await at(port));
  });
  await t.test('RSA key exchange alone: no-common-suite, for a client of today', async () => {
    const port = await opensslServer(t, rsa, '-tls1_2', '-cipher', 'AES128-SHA:AES256-SHA');
    const { evidence } = assertCause(await at(port), 'no-common-suite');
    assert.deepEqual(evidence.server, ['TLS_RSA_WITH_AES_128_CBC_SHA', 'TLS_RSA_WITH_AES_256_CBC_SHA']);
    assertHealthy(await at(port, '--suites', 'TLS_RSA_WITH_AES_128_CBC_SHA'));
  });
  await t.test('suites for ECDSA at a server with an RSA certificate: no-common-suite', async () => {
    const port = await opensslServer(t, rsa, '-tls1_2');
    const suites = ['--tls-max', '1.2', '--suites', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'];
    const { evidence } = assertCause(await at(port, ...suites), 'no-common-suite');
    assert.deepEqual(evidence.client, ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256']);
  });
  await t.test('a group that the server does not have: no-common-group', async () => {
    const port = await opensslServer(t, ec, '-groups', 'P-384');
    const { evidence } = assertCause(await at(port, '--groups', 'x25519:secp256r1'), 'no-common-group');
    assert.deepEqual(evidence, { client: ['x25519', 'secp256r1'], server: ['secp384r1'] });
    assertHealthy(await at(port));
  });
  await t.test('a group that Mozilla’s clients do not have: no-common-group', async () => {
    const port = await opensslServer(t, ec, '-groups', 'P-521');
    const { evidence } = assertCause(await at(port), 'no-common-group');
    assert.deepEqual(evidence.server, ['secp521r1']);
  });
  await t.test('suites for RSA at a server with an ECDSA certificate: two readings, both likely', async () => {
    const port = await opensslServer(t, ec, '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256');
    const answer = await at(port);
    assert.equal(assertCause(answer, 'no-common-suite').confidence, 'likely');
    assert.equal(assertCause(answer, 'key-type-mismatch').confidence, 'likely');
  });
  await t.test('a client of TLS 1.0 whose library refuses it: local-policy', async () => {
    const port = await opensslServer(t, ec, '-tls1', ...OLD);
    const finding = assertCause(await at(port, '--tls-min', '1.0', '--tls-max', '1.0'), 'local-policy');
    assert.equal(finding.evidence.withoutPolicy, 'TLSv1');
  });
  await t.test('an RSA key beside an ECDSA certificate: key-type-mismatch, likely', async () => {
    // Node starts with such a pair; so does Redis.
    const port = await nodeServer(t, { cert: pem(leaf, intermediate), key: keyPem(rsaLeaf) });
    const finding = assertCause(await at(port), 'key-type-mismatch');
    assert.equal(finding.confidence, 'likely');
    assert.match(finding.remedy.command ?? '', /--cert FILE --key FILE/);
  });
  await t.test('the same of nginx, whose own check lets it pass', { skip: skipWithout('nginx') }, async () => {
    const mixed = writePair(directory, 'mixed', pem(leaf, intermediate), keyPem(rsaLeaf));
    const { site } = await nginxWith(t, { site: { pair: mixed } });
    assertCause(await diagnose([`https://localhost:${site}`, '--ca', ca]), 'key-type-mismatch');
    // On its own host the files decide.
    const finding = assertCause(
      await diagnose([`https://localhost:${site}`, '--ca', ca, '--cert', mixed.cert, '--key', mixed.key]),
      'key-type-mismatch',
    );
    assert.equal(finding.confidence, undefined);
  });
  await t.test('wrong words are told with what is right', async () => {
    for (const [args, message] of [
      [['--tls-min', '1.4'], /SSLv3, 1\.0, 1\.1, 1\.2, 1\.3/],
      [['--suites', 'AES128-SHA'], /IANA names/],
      [['--groups', 'p25'], /x25519:secp256r1/],
      [['--tls-min', '1.3', '--tls-max', '1.2'], /above/],
    ] as const) {
      assert.match(await usageOf(['localhost:1', ...args]), message);
    }
  });
});

test('a network that dies while it is asked: nothing is said to be missing that may only not have been seen', {
  timeout: 120_000,
}, async (t) => {
  const { root, intermediate } = tree();
  const ca = join(scratch(t), 'ca.crt');
  writeFileSync(ca, pem(root));
  const leaf = leafOf(intermediate);
  const port = await nodeServer(t, {
    cert: pem(leaf, intermediate),
    key: keyPem(leaf),
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.2',
    honorCipherOrder: true,
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-GCM-SHA384:@SECLEVEL=0',
    ecdhCurve: 'P-256:P-384',
  });
  const told: string[] = [];
  // All three are what the server takes, the last two behind what it likes better.
  const clients = [
    ['--tls-min', '1.2', '--tls-max', '1.2'],
    ['--tls-max', '1.2', '--suites', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
    ['--tls-max', '1.2', '--groups', 'secp384r1'],
  ];
  const behind = async (most: number, client: readonly string[]): Promise<void> => {
    const cut = await breakNetwork(t, port, (count) => count > 1 && count <= most);
    const answer = await diagnose([`https://localhost:${cut}`, '--ca', ca, '--timeout', '1', ...client]);
    const [finding, ...others] = answer.findings;
    assert.deepEqual([finding?.id, others], ['closed-by-peer', []], `${most} ${client}: ${answer.output}`);
    if (finding?.confidence === 'likely') told.push(`${finding.what} ${finding.remedy.command}`);
  };
  for (const most of [4, 8, 12]) await Promise.all(clients.map((client) => behind(most, client)));
  assert.ok(told.length > 3, String(told.length));
  for (const words of told)
    assert.match(words, /in common is not known: the asking was cut short .*fullchain probe -v --rate 2 https:/);
  // What was seen to be refused is no less refused.
  const whole = await diagnose([`https://localhost:${port}`, '--ca', ca, '--tls-min', '1.3']);
  assertCause(whole, 'no-common-protocol');
});
