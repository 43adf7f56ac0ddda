/**
 * uacme: a client in C over GnuTLS. It trusts the system's store and nothing else, so it runs in a mount namespace
 * of its own in which that file is our root; making one takes root.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { skipWithout } from '../servers/available.ts';
import { startNginx } from '../servers/nginx.ts';
import { type Ran, run } from '../servers/process.ts';
import { type AcmeWorld, startAcmeWorld } from './acme-world.ts';
import { assertChain, assertRevoked, fingerprintOf } from './second-opinions.ts';

const WITH_OUR_ROOT = 'mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec uacme "$@"';

async function uacme(world: AcmeWorld, ...args: readonly string[]): Promise<Ran> {
  const ran = await tryUacme(world, ...args);
  assert.equal(ran.status, 0, `uacme ${args.join(' ')}: ${ran.output}\n${world.ca.output()}`);
  return ran;
}

function tryUacme(world: AcmeWorld, ...args: readonly string[]): Promise<Ran> {
  const acmeDirectory = world.ca.acmeDirectory.replace('/acme/acme/', '/acme/long/');
  const own = ['--verbose', '--yes', '--confdir', `${world.directory}/uacme`, '--acme-url', acmeDirectory];
  const inNamespace = ['--mount', 'sh', '-c', WITH_OUR_ROOT, world.ca.rootCertificate];
  return run('unshare', [...inNamespace, ...own, '--hook', `${world.directory}/hook`, ...args]);
}

/**
 * uacme calls it with the step, the challenge, the name, the token and what proves control. Names below wild.internal
 * have no address: their http-01 is declined, and uacme offers dns-01 instead.
 */
function writeHook(world: AcmeWorld, webroot: string): void {
  const challenges = `${webroot}/.well-known/acme-challenge`;
  mkdirSync(challenges, { recursive: true });
  const path = `${world.directory}/hook`;
  writeFileSync(
    path,
    `#!/bin/sh
case "$1 $2 $3" in
  "begin http-01 wild.internal") exit 1 ;;
  "begin http-01 "*) printf %s "$5" > "${challenges}/$4" ;;
  *" http-01 "*) rm -f "${challenges}/$4" ;;
  "begin dns-01 "*) exec curl --silent --fail --data "$5" "${world.txtRecordsUrl}/present/_acme-challenge.$3" ;;
  *" dns-01 "*) exec curl --silent --fail --data "$5" "${world.txtRecordsUrl}/cleanup/_acme-challenge.$3" ;;
  *) exit 1 ;;
esac
`,
  );
  chmodSync(path, 0o755);
}

const needsRoot =
  process.getuid?.() === 0
    ? false
    : 'skipped: uacme takes its roots from the system alone; replacing them for it needs root';

test('uacme', { skip: skipWithout('uacme', 'unshare', 'nginx', 'openssl', 'curl') || needsRoot }, async (t) => {
  const names = ['shop.internal', 'www.shop.internal'];
  await using world = await startAcmeWorld([...names, 'rekeyed.internal']);
  await world.fullchain('provisioner', 'add', 'long', '--type', 'acme', '--default-lifetime', '90d');
  const webroot = `${world.directory}/webroot`;
  writeHook(world, webroot);
  const directory = `${world.directory}/nginx`;
  await using _nginx = await startNginx({ directory, webroot, httpPort: world.http01Port });
  const at = `${world.directory}/uacme`;

  await t.test('makes an account, and changes its contact', async () => {
    await uacme(world, 'new', 'ops@shop.internal');
    await uacme(world, 'update', 'other@shop.internal');
  });

  await t.test('obtains a certificate for two names by http-01', async () => {
    await uacme(world, 'issue', ...names);
    await assertChain(world, names, `${at}/shop.internal/cert.pem`);
  });

  await t.test('obtains a wildcard certificate by dns-01', async () => {
    await uacme(world, '--type', 'EC', 'issue', '*.wild.internal', 'wild.internal');
    await assertChain(world, ['*.wild.internal', 'wild.internal'], `${at}/wild.internal/cert.pem`);
  });

  await t.test('leaves a certificate that is good for long enough as it is, and replaces it when forced', async () => {
    const file = `${at}/shop.internal/cert.pem`;
    const before = await assertChain(world, names, file);
    const declined = await tryUacme(world, 'issue', ...names);
    // Its manual: "1: Certificate not reissued because it is still current".
    assert.equal(declined.status, 1, declined.output);
    assert.equal(fingerprintOf(await assertChain(world, names, file)), fingerprintOf(before));
    await uacme(world, '--force', 'issue', ...names);
    assert.notEqual(fingerprintOf(await assertChain(world, names, file)), fingerprintOf(before));
  });

  await t.test('changes the key of its account', async () => {
    await uacme(world, 'newkey');
    await uacme(world, 'issue', 'rekeyed.internal');
    await assertChain(world, ['rekeyed.internal'], `${at}/rekeyed.internal/cert.pem`);
  });

  await t.test('revokes by the account, and by the key of the certificate', async () => {
    const shop = await assertChain(world, names, `${at}/shop.internal/cert.pem`);
    await uacme(world, '--reason', '4', 'revoke', `${at}/shop.internal/cert.pem`);
    await assertRevoked(world, shop, 'Superseded');
    const wild = await assertChain(world, ['*.wild.internal', 'wild.internal'], `${at}/wild.internal/cert.pem`);
    await uacme(world, 'revoke', `${at}/wild.internal/cert.pem`, `${at}/private/wild.internal/key.pem`);
    await assertRevoked(world, wild, null);
  });

  await t.test('deactivates its account', async () => {
    await uacme(world, 'deactivate');
  });
});
