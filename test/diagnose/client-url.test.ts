/** A client's URL beside the server that it leads to: what its driver would do, and what of it comes to pass. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { IS_ROOT } from '../services/applied.ts';
import { skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { startRedis } from '../services/start-redis.ts';
import { freePort } from '../world/free-port.ts';
import { assertCause, assertHealthy, diagnose, nginxWith, serverPair, switchTlsOn, usageOf } from './world.ts';

const needsRoot = !IS_ROOT && 'skipped: needs root, to run servers as their own users';

test('http:// and redis:// at ports that speak TLS, and at ports that do not', {
  skip: skipWithout('nginx', 'redis-server') || needsRoot,
  timeout: 60_000,
}, async (t) => {
  const directory = scratch(t);
  const { ca, pair } = serverPair(directory);
  const ports = await nginxWith(t, {
    tls: { pair },
    plain: { pair: null },
    redirect: { pair: null, lines: 'return 301 https://localhost$request_uri;' },
  });
  assertCause(await diagnose([`http://localhost:${ports.tls}`]), 'tls-service');
  assert.equal(
    assertCause(await diagnose([`http://localhost:${ports.plain}`]), 'plaintext-service').evidence.protocol,
    'http',
  );
  assertHealthy(await diagnose([`http://localhost:${ports.redirect}`]));
  chmodSync(directory, 0o755);
  chmodSync(pair.key, 0o644);
  const port = await freePort();
  const redis = await startRedis(
    t,
    `tls-port ${port}\ntls-cert-file ${pair.cert}\ntls-key-file ${pair.key}\ntls-ca-cert-file ${ca}\ntls-auth-clients no\n`,
  );
  assertCause(await diagnose([`redis://localhost:${port}`, '--timeout', '2']), 'tls-service');
  assert.equal(
    assertCause(await diagnose([`redis://localhost:${redis.port}`, '--timeout', '2']), 'plaintext-service').evidence
      .protocol,
    'redis',
  );
  assertHealthy(
    await diagnose([`rediss://localhost:${port}/0?ssl_cert_reqs=required&ssl_check_hostname=true&ssl_ca_certs=${ca}`]),
  );
  // Without a word of what is inside TLS, nothing is asked that it would be offended by.
  assertHealthy(await diagnose([`localhost:${port}`, '--ca', ca]));
  assertCause(await diagnose([`rediss://localhost:${port}/0?ssl_cert_reqs=none`]), 'url-not-verifying');
});

test('PostgreSQL’s URLs: plaintext where TLS is demanded, TLS that verifies nothing, parameters of another driver', {
  skip: skipWithoutPostgresql || needsRoot,
  timeout: 60_000,
}, async (t) => {
  const { ca, pair } = serverPair(scratch(t));
  const pg = await startCluster(t, 'hostssl all all all trust\n');
  await switchTlsOn(pg, pair);
  const url = (query: string, scheme = 'postgresql'): string =>
    `${scheme}://postgres@localhost:${pg.port}/postgres?${query}`;
  assertHealthy(await diagnose([url(`sslmode=verify-full&sslrootcert=${ca}`)]));
  assertCause(await diagnose([url('sslmode=disable')]), 'tls-required');
  assertCause(await diagnose([url('sslmode=require'), '--ca', ca]), 'url-not-verifying');
  // Its driver does not look at the chain: that is not what stands in its way.
  const blind = await diagnose([url('sslmode=require')]);
  assertCause(blind, 'url-not-verifying');
  assert.equal(blind.findings.find(({ id }) => id === 'unknown-ca')?.severity, 'warning');
  assertCause(await diagnose([url('sslmode=verify-everything'), '--ca', ca]), 'url-parameter-invalid');
  assertCause(await diagnose([url('sslmode=verify-full', 'postgresql+asyncpg'), '--ca', ca]), 'url-parameter-invalid');
  assertCause(await diagnose([url('sslmode=verify-full&sslrootcert=/nowhere/ca.crt')]), 'file-missing');
});

test('http-01: the token that this webroot would serve, as a command', { skip: skipWithout('nginx') }, async (t) => {
  const directory = scratch(t);
  const ports = await nginxWith(t, {
    right: { pair: null, lines: `location /.well-known/acme-challenge/ { root ${directory}; }` },
    wrong: { pair: null },
    swallowed: { pair: null, lines: 'return 301 /login;' },
  });
  const at = (name: string) => diagnose([`http-01://localhost:${ports[name]}`, '--webroot', directory]);
  assertHealthy(await at('right'));
  assertCause(await at('wrong'), 'http01-wrong-server');
  assertCause(await at('swallowed'), 'http01-redirected');
  assert.match(await usageOf([`http-01://localhost:${ports.right}`]), /--webroot DIR/);
});
