import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { haproxy } from '../../src/core/services/haproxy.ts';
import type { ClientPolicy, ServiceSpec } from '../../src/core/stack/stack.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { until } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { configure, install, remove, run, serviceSpec, take } from './applied.ts';
import { ask } from './fetch.ts';
import { type Look, look, serves, speak } from './look.ts';
import { startHaproxy } from './start-haproxy.ts';
import { type TestPair, testAuthority } from './test-authority.ts';
import { startUpstream } from './upstream.ts';

const skip = skipWithout('haproxy');

const authority = testAuthority();
const foreign = testAuthority('Foreign Root');

test('HAProxy gets a frontend with TLS, renews, refuses a broken pair, and goes back', { skip }, async (t) => {
  const { start, config, pidFile, text } = await startHaproxy(t);
  await start();
  await using upstream = await startUpstream();
  const port = await freePort();
  const service = serviceSpec(haproxy, port, { settings: { config, pidFile, upstream: upstream.url } });
  const at: Look = { port, ca: authority.ca };
  const [first, second] = [authority.issue(['serverAuth']), authority.issue(['serverAuth'])];

  const { desired } = configure(haproxy, service);
  install(desired, first);
  await take(desired);
  await until(() => serves(at, first), 'TLS', 10_000);

  await t.test('policy is kept', async () => {
    assert.equal((await look(at)).chainLength, 2);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      assert.equal((await look({ ...at, minVersion: version, maxVersion: version })).version, version);
    await assert.rejects(look({ ...at, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
    await assert.rejects(look({ ...at, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384' }));
    assert.doesNotMatch(await speak(port, 'GET / HTTP/1.1\r\nhost: service.internal\r\n\r\n'), /^HTTP\/1\.1 [23]/);
    assert.ok(await serves({ ...at, host: '::1' }, first));
  });

  await t.test('requests reach the upstream, without what the client made up', async () => {
    const made = { 'x-client-cn': 'admin', 'x-client-dn': 'CN=admin', 'x-client-verify': 'SUCCESS' };
    // Many upstreams read these as the names above.
    const alike = { x_client_cn: 'admin', 'X_CLIENT-DN': 'CN=admin', 'X-Client_Verify': 'SUCCESS', x_other: 'kept' };
    const { headers } = JSON.parse((await ask({ port, ca: authority.ca, headers: { ...made, ...alike } })).body);
    const odd = Object.keys(headers).filter((name) => name.includes('_'));
    assert.deepEqual(odd, ['x_other']);
    assert.equal(headers['x-forwarded-proto'], 'https');
    assert.equal(headers['x-client-verify'], 'NONE');
    assert.equal(headers['x-client-cn'], undefined);
    assert.equal(headers['x-client-dn'], undefined);
  });

  await t.test('a second run changes nothing', () => {
    assert.equal(configure(haproxy, service).changed, false);
  });

  await t.test('a new pair is served after the reload, while a download goes on', async () => {
    const download = ask({ port, path: '/slow', ca: authority.ca });
    install(desired, second);
    assert.ok(await serves(at, first));
    await take(desired);
    await until(() => serves(at, second), 'the second pair', 10_000);
    assert.equal((await download).body, 'piece\n'.repeat(20));
  });

  await t.test(
    'a pair that does not fit is refused by the check, and the old one is served even after a reload',
    async () => {
      install(desired, first, { key: second.key });
      const outcome = desired.check && (await run(desired.check));
      assert.equal(outcome?.ok, false);
      assert.match(outcome.output, /inconsistencies/);
      if (desired.reload) await run(desired.reload);
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.ok(await serves(at, second));
      install(desired, second);
    },
  );

  await t.test('taken out again, the file is as it was', async () => {
    await remove(haproxy, service);
    assert.equal(readFileSync(config, 'utf8'), text);
    await until(async () => !(await acceptsConnections(port)), 'the end of the listener', 10_000);
  });
});

const alice = authority.issue(['clientAuth'], 'alice');
const NAMED: ClientPolicy = { kind: 'required-names', names: ['alice', 'bob.internal'] };

const CASES: readonly (readonly [clients: ClientPolicy, who: string, client: TestPair | undefined, heard: string])[] = [
  [{ kind: 'optional' }, 'nobody', undefined, 'NONE undefined undefined'],
  [{ kind: 'optional' }, 'alice', alice, 'SUCCESS CN=alice alice'],
  [{ kind: 'optional' }, 'a foreign alice', foreign.issue(['clientAuth'], 'alice'), 'refused'],
  [{ kind: 'required' }, 'nobody', undefined, 'refused'],
  [{ kind: 'required' }, 'alice', alice, 'SUCCESS CN=alice alice'],
  [{ kind: 'required' }, 'a server', authority.issue(['serverAuth'], 'alice'), 'refused'],
  [NAMED, 'nobody', undefined, 'refused'],
  [NAMED, 'alice', alice, 'SUCCESS CN=alice alice'],
  [NAMED, 'ALICE', authority.issue(['clientAuth'], 'ALICE'), '403'],
  [NAMED, 'one who has a comma in its name', authority.issue(['clientAuth'], 'mallory,CN=alice'), '403'],
];

test('clients are verified as declared, and the upstream hears who they are', { skip }, async (t) => {
  const { start, config, pidFile } = await startHaproxy(t);
  await start();
  await using upstream = await startUpstream();
  const port = await freePort();
  let before: ServiceSpec['clients'] | null = null;
  for (const [clients, who, client, heard] of CASES) {
    const service = serviceSpec(haproxy, port, { clients, settings: { config, pidFile, upstream: upstream.url } });
    const { desired } = configure(haproxy, service);
    if (clients !== before) {
      const pair = authority.issue(['serverAuth']);
      install(desired, pair);
      await take(desired);
      await until(
        () => serves({ port, ca: authority.ca, ...(clients.kind !== 'optional' && { client: alice }) }, pair),
        'TLS',
        10_000,
      );
      before = clients;
    }
    await t.test(`clients: ${clients.kind}; ${who}: ${heard}`, async () => {
      const asked = ask({ port, ca: authority.ca, headers: { 'x-client-cn': 'root' }, ...(client && { client }) });
      if (heard === 'refused') return void (await assert.rejects(asked));
      const { status, body } = await asked;
      const { headers } = status === 200 ? JSON.parse(body) : { headers: {} };
      const [verified, dn, name] = ['verify', 'dn', 'cn'].map((what) => headers[`x-client-${what}`]);
      assert.equal(status === 200 ? `${verified} ${dn} ${name}` : String(status), heard);
    });
  }
});

test('a frontend of a person’s own names the pair in a fixed place', { skip }, async (t) => {
  const port = await freePort();
  const { start, config, pidFile, text, directory } = await startHaproxy(
    t,
    (path) =>
      `frontend site\n    bind 127.0.0.1:${port} ssl crt ${path}/site.pem\n    http-request return status 204\n`,
  );
  const service = serviceSpec(haproxy, port, {
    settings: { config, pidFile, certificate: join(directory, 'site.pem') },
  });
  const { desired, changed } = configure(haproxy, service);
  assert.equal(changed, false);
  assert.deepEqual(desired.notes, []);
  const [first, second] = [authority.issue(['serverAuth']), authority.issue(['serverAuth'])];
  install(desired, first);
  await start();
  assert.ok(await serves({ port, ca: authority.ca }, first));
  install(desired, second);
  await take(desired);
  await until(() => serves({ port, ca: authority.ca }, second), 'the second pair', 10_000);
  assert.equal(readFileSync(config, 'utf8'), text);
});
