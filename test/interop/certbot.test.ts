/** certbot, as Debian has it: standalone and webroot, renewal, revocation, the account's life. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { skipWithout } from '../servers/available.ts';
import { startNginx } from '../servers/nginx.ts';
import { type Ran, run } from '../servers/process.ts';
import { type AcmeWorld, startAcmeWorld } from './acme-world.ts';
import { assertChain, assertRevoked, assertServed, fingerprintOf, recordedState } from './second-opinions.ts';

async function certbot(world: AcmeWorld, ...args: readonly string[]): Promise<Ran> {
  const ran = await tryCertbot(world, ...args);
  assert.equal(ran.status, 0, `certbot ${args.join(' ')}: ${ran.output}\n${world.ca.output()}`);
  return ran;
}

function tryCertbot(world: AcmeWorld, ...args: readonly string[]): Promise<Ran> {
  const at = `${world.directory}/certbot`;
  return run(
    'certbot',
    [
      ...args,
      ...['--non-interactive', '--server', world.ca.acmeDirectory],
      ...['--config-dir', at, '--work-dir', `${at}/work`, '--logs-dir', `${at}/logs`],
    ],
    { env: { REQUESTS_CA_BUNDLE: world.ca.rootCertificate } },
  );
}

const live = (world: AcmeWorld, name: string): string => `${world.directory}/certbot/live/${name}`;

test('certbot', { skip: skipWithout('certbot', 'openssl', 'curl') }, async (t) => {
  await using world = await startAcmeWorld(['shop.internal', 'www.shop.internal', 'rsa.internal', 'web.internal']);
  const standalone = ['--standalone', '--http-01-port', `${world.http01Port}`, '--http-01-address', '127.0.0.1'];
  const terms = ['--agree-tos', '--email', 'ops@shop.internal'];

  await t.test('standalone obtains a certificate for two names by http-01', async () => {
    await certbot(world, 'certonly', ...standalone, ...terms, '-d', 'shop.internal', '-d', 'www.shop.internal');
    const names = ['shop.internal', 'www.shop.internal'];
    const leaf = await assertChain(world, names, `${live(world, 'shop.internal')}/fullchain.pem`);
    await assertChain(
      world,
      names,
      `${live(world, 'shop.internal')}/cert.pem`,
      `${live(world, 'shop.internal')}/chain.pem`,
    );
    assert.equal(await recordedState(world, leaf), 'valid');
  });

  await t.test('obtains a certificate for an RSA key', async () => {
    await certbot(world, 'certonly', ...standalone, '--key-type', 'rsa', '-d', 'rsa.internal');
    const leaf = await assertChain(world, ['rsa.internal'], `${live(world, 'rsa.internal')}/fullchain.pem`);
    assert.equal(leaf.publicKey.asymmetricKeyType, 'rsa');
  });

  await t.test('renew obtains another certificate for the same names', async () => {
    const file = `${live(world, 'shop.internal')}/fullchain.pem`;
    const names = ['shop.internal', 'www.shop.internal'];
    const before = await assertChain(world, names, file);
    await certbot(world, 'renew', '--force-renewal', '--no-random-sleep-on-renew', '--cert-name', 'shop.internal');
    const after = await assertChain(world, names, file);
    assert.notEqual(fingerprintOf(after), fingerprintOf(before));
    assert.equal(await recordedState(world, before), 'valid');
  });

  await t.test('renew --dry-run against the same authority leaves the certificate as it is', async () => {
    const file = `${live(world, 'shop.internal')}/fullchain.pem`;
    const names = ['shop.internal', 'www.shop.internal'];
    const before = await assertChain(world, names, file);
    await certbot(world, 'renew', '--dry-run', '--no-random-sleep-on-renew', '--cert-name', 'shop.internal');
    assert.equal(fingerprintOf(await assertChain(world, names, file)), fingerprintOf(before));
  });

  await t.test('update_account changes the contact', async () => {
    await certbot(world, 'update_account', '--email', 'other@shop.internal');
  });

  await t.test('revoke by the account, with a reason, reaches the records and the CRL', async () => {
    const file = `${live(world, 'shop.internal')}/cert.pem`;
    const leaf = await assertChain(
      world,
      ['shop.internal', 'www.shop.internal'],
      file,
      `${live(world, 'shop.internal')}/chain.pem`,
    );
    await certbot(world, 'revoke', '--cert-path', file, '--reason', 'superseded', '--no-delete-after-revoke');
    await assertRevoked(world, leaf, 'Superseded');
  });

  await t.test('revoke by the key of the certificate reaches the records and the CRL', async () => {
    const at = live(world, 'rsa.internal');
    const leaf = await assertChain(world, ['rsa.internal'], `${at}/fullchain.pem`);
    const byKey = ['--cert-path', `${at}/cert.pem`, '--key-path', `${at}/privkey.pem`];
    await certbot(world, 'revoke', ...byKey, '--reason', 'keycompromise', '--no-delete-after-revoke');
    await assertRevoked(world, leaf, 'Key Compromise');
  });

  await t.test(
    'webroot: nginx serves the challenges, then the certificate over TLS',
    {
      skip: skipWithout('nginx'),
    },
    async () => {
      const webroot = `${world.directory}/webroot`;
      mkdirSync(webroot);
      await using _plain = await startNginx({
        directory: `${world.directory}/nginx-plain`,
        webroot,
        httpPort: world.http01Port,
      });
      await certbot(world, 'certonly', '--webroot', '--webroot-path', webroot, ...terms, '-d', 'web.internal');
      const at = live(world, 'web.internal');
      const leaf = await assertChain(world, ['web.internal'], `${at}/fullchain.pem`);
      await using nginx = await startNginx({
        directory: `${world.directory}/nginx-tls`,
        tls: { certificate: `${at}/fullchain.pem`, key: `${at}/privkey.pem` },
      });
      await assertServed(world, 'web.internal', nginx.httpsPort, leaf);
    },
  );

  await t.test('a name that does not resolve is refused, and certbot prints what the authority saw', async () => {
    const ran = await tryCertbot(world, 'certonly', ...standalone, '-d', 'nowhere.internal');
    assert.equal(ran.status, 1, ran.output);
    assert.match(ran.output, /Type: {3}dns\n.*Detail: .*nowhere\.internal/);
  });

  await t.test('unregister deactivates the account; a new one is made for the next certificate', async () => {
    await certbot(world, 'unregister');
    await certbot(
      world,
      'certonly',
      ...standalone,
      ...terms,
      '--force-renewal',
      '-d',
      'shop.internal',
      '-d',
      'www.shop.internal',
    );
  });
});
