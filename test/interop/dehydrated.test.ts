/** dehydrated: a client in shell, with openssl and curl below it; http-01 by a webroot, dns-01 by a hook. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { skipWithout } from '../servers/available.ts';
import { startNginx } from '../servers/nginx.ts';
import { type Ran, run } from '../servers/process.ts';
import { type AcmeWorld, startAcmeWorld } from './acme-world.ts';
import { assertChain, assertRevoked, fingerprintOf } from './second-opinions.ts';

async function dehydrated(world: AcmeWorld, ...args: readonly string[]): Promise<Ran> {
  const ran = await run('dehydrated', [...args, '--config', `${world.directory}/dehydrated.conf`]);
  assert.equal(ran.status, 0, `dehydrated ${args.join(' ')}: ${ran.output}\n${world.ca.output()}`);
  return ran;
}

/** Hooks of dns-01 get the name, a file name that is empty, and the value. */
const HOOK = (world: AcmeWorld): string => `#!/bin/sh
case "$1" in
  deploy_challenge) verb=present ;;
  clean_challenge) verb=cleanup ;;
  *) exit 0 ;;
esac
exec curl --silent --fail --data "$4" "${world.txtRecordsUrl}/$verb/_acme-challenge.$2"
`;

function configure(world: AcmeWorld, webroot: string): void {
  const hook = `${world.directory}/hook`;
  writeFileSync(hook, HOOK(world));
  chmodSync(hook, 0o755);
  const acmeChallenges = `${webroot}/.well-known/acme-challenge`;
  mkdirSync(acmeChallenges, { recursive: true });
  writeFileSync(
    `${world.directory}/dehydrated.conf`,
    `CA=${world.ca.acmeDirectory}
CURL_OPTS="--cacert ${world.ca.rootCertificate}"
BASEDIR=${world.directory}/dehydrated
WELLKNOWN=${acmeChallenges}
CONTACT_EMAIL=ops@shop.internal
`,
  );
  mkdirSync(`${world.directory}/dehydrated`, { recursive: true });
}

test('dehydrated', { skip: skipWithout('dehydrated', 'nginx', 'openssl', 'curl') }, async (t) => {
  const names = ['shop.internal', 'www.shop.internal'];
  await using world = await startAcmeWorld(names);
  const webroot = `${world.directory}/webroot`;
  configure(world, webroot);
  const directory = `${world.directory}/nginx`;
  await using _nginx = await startNginx({ directory, webroot, httpPort: world.http01Port });
  const shop = `${world.directory}/dehydrated/certs/shop.internal`;
  const wild = `${world.directory}/dehydrated/certs/wild`;

  await t.test('registers an account, and changes its contact', async () => {
    await dehydrated(world, '--register', '--accept-terms');
    await dehydrated(world, '--account');
  });

  await t.test('obtains a certificate by http-01 with a webroot', async () => {
    await dehydrated(world, '--cron', '--domain', 'shop.internal www.shop.internal');
    await assertChain(world, names, `${shop}/fullchain.pem`);
  });

  await t.test('obtains a wildcard certificate by dns-01 with a hook, for an RSA key', async () => {
    const by = ['--challenge', 'dns-01', '--hook', `${world.directory}/hook`, '--algo', 'rsa'];
    await dehydrated(world, '--cron', ...by, '--alias', 'wild', '--domain', '*.wild.internal wild.internal');
    const leaf = await assertChain(world, ['*.wild.internal', 'wild.internal'], `${wild}/fullchain.pem`);
    assert.equal(leaf.publicKey.asymmetricKeyType, 'rsa');
  });

  await t.test('renews when forced', async () => {
    const before = await assertChain(world, names, `${shop}/fullchain.pem`);
    await dehydrated(world, '--cron', '--force', '--force-validation', '--domain', 'shop.internal www.shop.internal');
    const after = await assertChain(world, names, `${shop}/fullchain.pem`);
    assert.notEqual(fingerprintOf(after), fingerprintOf(before));
  });

  await t.test('signs a CSR', async () => {
    const csr = `${world.directory}/csr.pem`;
    const made = await run('openssl', [
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-nodes'],
      ...['-keyout', `${world.directory}/csr.key`, '-out', csr],
      ...['-subj', '/', '-addext', 'subjectAltName=DNS:shop.internal'],
    ]);
    assert.equal(made.status, 0, made.output);
    const signed = await dehydrated(world, '--signcsr', csr, '--full-chain');
    const file = `${world.directory}/from-csr.pem`;
    writeFileSync(file, signed.stdout);
    await assertChain(world, ['shop.internal'], file);
  });

  await t.test('revokes', async () => {
    const leaf = await assertChain(world, names, `${shop}/fullchain.pem`);
    await dehydrated(world, '--revoke', `${shop}/cert.pem`);
    await assertRevoked(world, leaf, null);
  });

  await t.test('deactivates its account', async () => {
    await dehydrated(world, '--deactivate');
  });
});
