/** Caddy as ACME client: http-01 and tls-alpn-01 on other ports than usual, and renewal of short lifetimes. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { skipWithout } from '../servers/available.ts';
import { startCaddy } from '../servers/caddy.ts';
import { type RunningProgram, until } from '../servers/process.ts';
import { type AcmeWorld, startAcmeWorld } from './acme-world.ts';
import { assertChain, assertServed, fingerprintOf, readChain, recordedState } from './second-opinions.ts';

const RENEWAL_WITHIN_MS = 60_000;

interface Site {
  readonly name: string;
  readonly acmeDirectory: string;
  readonly without: 'disable_http_challenge' | 'disable_tlsalpn_challenge';
}

/** Caddy asks at the ports at which the authority validates. */
function caddyfile(world: AcmeWorld, { name, acmeDirectory, without }: Site): string {
  return `{
  admin off
  http_port ${world.http01Port}
  https_port ${world.tlsAlpn01Port}
  default_bind 127.0.0.1
  email ops@shop.internal
  acme_ca ${acmeDirectory}
  acme_ca_root ${world.ca.rootCertificate}
  renew_interval 1s
  skip_install_trust
}
${name} {
  tls {
    issuer acme ${acmeDirectory} {
      trusted_roots ${world.ca.rootCertificate}
      ${without}
    }
  }
  respond "served by Caddy"
}
`;
}

/** Where Caddy keeps the certificate of a site, once it has one. */
function certificateOf(directory: string, name: string): string | null {
  const found = readdirSync(directory, { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith(`${name}.crt`),
  );
  return found === undefined ? null : join(directory, found);
}

async function obtained(world: AcmeWorld, caddy: RunningProgram, directory: string, name: string): Promise<string> {
  await until(
    () => certificateOf(directory, name) !== null,
    `Caddy has a certificate for ${name}`,
    30_000,
    () => `${caddy.output()}\n${world.ca.output()}`,
  );
  return certificateOf(directory, name) ?? '';
}

test('Caddy', { skip: skipWithout('caddy', 'openssl', 'curl') }, async (t) => {
  const names = ['http.internal', 'alpn.internal', 'short.internal'];
  await using world = await startAcmeWorld(names);

  for (const [challenge, name, without] of [
    ['http-01', 'http.internal', 'disable_tlsalpn_challenge'],
    ['tls-alpn-01', 'alpn.internal', 'disable_http_challenge'],
  ] as const) {
    await t.test(`obtains a certificate by ${challenge} and serves it`, async () => {
      const directory = `${world.directory}/caddy-${challenge}`;
      const site = { name, acmeDirectory: world.ca.acmeDirectory, without };
      await using caddy = await startCaddy(directory, caddyfile(world, site), { port: world.tlsAlpn01Port });
      const leaf = await assertChain(world, [name], await obtained(world, caddy, directory, name));
      await assertServed(world, name, world.tlsAlpn01Port, leaf);
    });
  }

  await t.test('renews a short-lived certificate by itself and serves the new one', async () => {
    await world.fullchain(
      'provisioner',
      'add',
      'short',
      '--type',
      'acme',
      '--default-lifetime',
      '1m',
      '--max-lifetime',
      '1m',
    );
    const directory = `${world.directory}/caddy-short`;
    const name = 'short.internal';
    const acmeDirectory = world.ca.acmeDirectory.replace('/acme/acme/', '/acme/short/');
    const site = { name, acmeDirectory, without: 'disable_tlsalpn_challenge' } as const;
    const options = { port: world.tlsAlpn01Port, renewAtRemainingFraction: 0.9 };
    await using caddy = await startCaddy(directory, caddyfile(world, site), options);
    const file = await obtained(world, caddy, directory, name);
    const first = await assertChain(world, [name], file);
    const current = () => readChain(file)[0] ?? first;
    await until(
      () => fingerprintOf(current()) !== fingerprintOf(first),
      'Caddy has renewed',
      RENEWAL_WITHIN_MS,
      () => `${caddy.output()}\n${world.ca.output()}`,
    );
    const second = await assertChain(world, [name], file);
    assert.ok(second.validToDate > first.validToDate);
    assert.equal(await recordedState(world, second), 'valid');
    await until(
      () =>
        assertServed(world, name, world.tlsAlpn01Port, current()).then(
          () => true,
          () => false,
        ),
      'Caddy serves the renewed certificate',
      RENEWAL_WITHIN_MS,
      () => `${caddy.output()}\n${world.ca.output()}`,
    );
  });
});
