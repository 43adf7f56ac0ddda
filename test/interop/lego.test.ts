/** lego: all three challenges, wildcard names, renewal, revocation. */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { skipWithout } from '../servers/available.ts';
import { type Ran, run } from '../servers/process.ts';
import { type AcmeWorld, startAcmeWorld } from './acme-world.ts';
import { assertChain, assertRevoked, fingerprintOf } from './second-opinions.ts';

/** Options before the verb are lego's global ones; `run` and `renew` get what is theirs. */
async function lego(world: AcmeWorld, options: readonly string[], verb: readonly string[]): Promise<Ran> {
  const ran = await run(
    'lego',
    [
      ...['--server', world.ca.acmeDirectory, '--accept-tos', '--email', 'ops@shop.internal'],
      ...['--path', `${world.directory}/lego`, ...options, ...verb],
    ],
    {
      env: {
        LEGO_CA_CERTIFICATES: world.ca.rootCertificate,
        EXEC_PATH: txtScript(world),
        EXEC_PROPAGATION_TIMEOUT: '10',
        EXEC_POLLING_INTERVAL: '1',
        EXEC_SEQUENCE_INTERVAL: '1',
      },
    },
  );
  assert.equal(ran.status, 0, `lego ${[...options, ...verb].join(' ')}: ${ran.output}\n${world.ca.output()}`);
  return ran;
}

/** lego's exec provider calls it with present or cleanup, the record's name, and its value. */
function txtScript(world: AcmeWorld): string {
  const path = `${world.directory}/txt-record`;
  writeFileSync(path, `#!/bin/sh\nexec curl --silent --fail --data "$3" "${world.txtRecordsUrl}/$1/$2"\n`);
  chmodSync(path, 0o755);
  return path;
}

const certificate = (world: AcmeWorld, name: string): string =>
  `${world.directory}/lego/certificates/${name.replace('*', '_')}.crt`;

test('lego', { skip: skipWithout('lego', 'openssl', 'curl') }, async (t) => {
  await using world = await startAcmeWorld(['http.internal', 'www.http.internal', 'alpn.internal']);
  const http = ['--http', '--http.port', `127.0.0.1:${world.http01Port}`];
  const alpn = ['--tls', '--tls.port', `127.0.0.1:${world.tlsAlpn01Port}`];
  const dns = ['--dns', 'exec', '--dns.disable-cp', '--dns.resolvers', world.dns.address];

  await t.test('obtains a certificate for two names by http-01', async () => {
    await lego(world, [...http, '-d', 'http.internal', '-d', 'www.http.internal'], ['run']);
    await assertChain(world, ['http.internal', 'www.http.internal'], certificate(world, 'http.internal'));
  });

  await t.test('obtains a certificate by tls-alpn-01', async () => {
    await lego(world, [...alpn, '-d', 'alpn.internal'], ['run']);
    await assertChain(world, ['alpn.internal'], certificate(world, 'alpn.internal'));
  });

  await t.test('obtains a wildcard certificate by dns-01, with the name itself beside it', async () => {
    await lego(world, [...dns, '-d', '*.wild.internal', '-d', 'wild.internal'], ['run']);
    await assertChain(world, ['*.wild.internal', 'wild.internal'], certificate(world, '*.wild.internal'));
  });

  for (const type of ['rsa2048', 'rsa4096', 'ec256', 'ec384']) {
    await t.test(`obtains a certificate with account and certificate keys of type ${type}`, async () => {
      const path = `${world.directory}/lego-${type}`;
      await lego(world, [...http, '--path', path, '--key-type', type, '-d', 'http.internal'], ['run']);
      const leaf = await assertChain(world, ['http.internal'], `${path}/certificates/http.internal.crt`);
      assert.equal(leaf.publicKey.asymmetricKeyType, type.startsWith('rsa') ? 'rsa' : 'ec');
    });
  }

  await t.test('obtains a certificate for a CSR that openssl made', async () => {
    const csr = `${world.directory}/openssl.csr`;
    const made = await run('openssl', [
      ...['req', '-new', '-newkey', 'rsa:3072', '-nodes', '-keyout', `${world.directory}/openssl.key`, '-out', csr],
      ...['-subj', '/CN=http.internal', '-addext', 'subjectAltName=DNS:http.internal'],
    ]);
    assert.equal(made.status, 0, made.output);
    await lego(world, [...http, '--csr', csr], ['run']);
    await assertChain(world, ['http.internal'], certificate(world, 'http.internal'));
  });

  await t.test('renews with the same key, and with another', async () => {
    const names = ['-d', 'http.internal', '-d', 'www.http.internal'];
    await lego(world, [...http, ...names], ['run']);
    const file = certificate(world, 'http.internal');
    const first = await assertChain(world, ['http.internal', 'www.http.internal'], file);
    await lego(world, [...http, ...names], ['renew', '--days', '90', '--reuse-key', '--no-random-sleep']);
    const second = await assertChain(world, ['http.internal', 'www.http.internal'], file);
    assert.notEqual(fingerprintOf(second), fingerprintOf(first));
    assert.ok(second.publicKey.equals(first.publicKey));
    await lego(world, [...http, ...names], ['renew', '--days', '90', '--no-random-sleep']);
    const third = await assertChain(world, ['http.internal', 'www.http.internal'], file);
    assert.ok(!third.publicKey.equals(first.publicKey));
  });

  await t.test('revokes, with and without a reason', async () => {
    const keep = ['revoke', '--keep'];
    const alpnLeaf = await assertChain(world, ['alpn.internal'], certificate(world, 'alpn.internal'));
    await lego(world, ['-d', 'alpn.internal'], keep);
    await assertRevoked(world, alpnLeaf, null);
    const wildLeaf = await assertChain(
      world,
      ['*.wild.internal', 'wild.internal'],
      certificate(world, '*.wild.internal'),
    );
    await lego(world, ['-d', '*.wild.internal'], [...keep, '--reason', '5']);
    await assertRevoked(world, wildLeaf, 'Cessation Of Operation');
  });
});
