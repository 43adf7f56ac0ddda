import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { nginx } from '../../src/core/services/nginx.ts';
import type { ClientPolicy, ServiceSpec } from '../../src/core/stack/stack.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { until } from '../servers/process.ts';
import { configure, install, remove, run, serviceSpec, take } from './applied.ts';
import { ask } from './fetch.ts';
import { type Look, look, serves, speak } from './look.ts';
import { startNginx } from './start-nginx.ts';
import { type TestPair, testAuthority } from './test-authority.ts';

const skip = skipWithout('nginx');

const authority = testAuthority();
const foreign = testAuthority('Foreign Root');

test('nginx serves a site over TLS, renews without dropping anything, refuses a broken pair, and goes back', {
  skip,
}, async (t) => {
  const { port, redirectHttp, config, webroot, settings } = await startNginx(t);
  const service = serviceSpec(nginx, port, { settings });
  const at: Look = { port, ca: authority.ca };
  const [first, second] = [authority.issue(['serverAuth']), authority.issue(['serverAuth'])];

  const { desired } = configure(nginx, service, { challengeWebroot: webroot });

  await t.test('the plain listener alone comes into force before there is a pair', async () => {
    const early = desired.configuration.filter((change) => change.kind === 'own-file' && change.beforeIssue);
    assert.deepEqual(
      early.map(({ path }) => path),
      [join(config, 'fullchain-svc-redirect.conf')],
    );
    const late = join(config, 'fullchain-svc.conf');
    const text = readFileSync(late);
    spawnSync('rm', [late]);
    await take(desired);
    await until(() => acceptsConnections(redirectHttp), 'the plain listener', 5000);
    assert.equal(
      (await ask({ port: redirectHttp, path: '/.well-known/acme-challenge/token' })).body,
      'token.thumbprint',
    );
    writeFileSync(late, text);
  });

  install(desired, first);
  await take(desired);
  await until(() => serves(at, first), 'TLS', 5000);

  await t.test('nginx has nothing to warn of', () => {
    const { stderr } = spawnSync('/bin/sh', ['-c', `${settings.command} -t`], { encoding: 'utf8' });
    assert.doesNotMatch(stderr, /warn|emerg/);
  });

  await t.test('policy is kept', async () => {
    assert.equal((await look(at)).chainLength, 2);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      assert.equal((await look({ ...at, minVersion: version, maxVersion: version })).version, version);
    await assert.rejects(look({ ...at, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
    await assert.rejects(look({ ...at, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384' }));
    assert.match(await speak(port, 'GET / HTTP/1.1\r\nhost: service.internal\r\n\r\n'), /^HTTP\/1\.1 400 /);
  });

  await t.test('plain HTTP is redirected, but for challenges', async () => {
    const { status, headers } = await ask({ port: redirectHttp, path: '/a?b=c' });
    assert.equal(status, 301);
    assert.equal(headers.location, `https://service.internal:${port}/a?b=c`);
    assert.equal((await ask({ port: redirectHttp, path: '/.well-known/acme-challenge/other' })).status, 404);
  });

  await t.test(
    'requests reach the upstream with what it should know, and nothing that the client made up',
    async () => {
      const made = {
        'x-client-cn': 'admin',
        'x-client-dn': 'CN=admin',
        'x-client-verify': 'SUCCESS',
        'x-forwarded-proto': 'http',
      };
      const { status, headers, body } = await ask({ port, path: '/a?b=c', ca: authority.ca, headers: made });
      assert.equal(status, 200);
      assert.equal(headers['strict-transport-security'], 'max-age=300');
      const seen = JSON.parse(body);
      assert.equal(seen.url, '/a?b=c');
      assert.equal(seen.headers.host, 'service.internal');
      assert.equal(seen.headers['x-forwarded-proto'], 'https');
      assert.equal(seen.headers['x-real-ip'], '127.0.0.1');
      assert.equal(seen.headers['x-client-verify'], 'NONE');
      assert.equal(seen.headers['x-client-cn'], undefined);
      assert.equal(seen.headers['x-client-dn'], undefined);
    },
  );

  await t.test('HTTP/2 is spoken', async () => {
    const session = connectHttp2(`https://service.internal:${port}`, {
      ca: authority.ca,
      host: '127.0.0.1',
      createConnection: () =>
        connectTls({ port, ca: authority.ca, servername: 'service.internal', ALPNProtocols: ['h2'] }),
    });
    const status = await new Promise((resolve, reject) => {
      session.on('error', reject);
      session
        .request({ ':path': '/', ':authority': 'service.internal' })
        .on('response', (headers) => resolve(headers[':status']));
    });
    session.destroy();
    assert.equal(status, 200);
  });

  await t.test('a second run changes nothing', () => {
    assert.equal(configure(nginx, service, { challengeWebroot: webroot }).changed, false);
  });

  await t.test('a new pair is served after the reload, while a download and a WebSocket go on', async () => {
    const download = ask({ port, path: '/slow', ca: authority.ca });
    const socket = connectTls({ port, ca: authority.ca, servername: 'service.internal' });
    let echoed = '';
    socket.on('data', (data) => {
      echoed += data.toString('latin1');
    });
    socket.write(
      'GET /ws HTTP/1.1\r\nhost: service.internal\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n',
    );
    await until(
      () => echoed.startsWith('HTTP/1.1 101 '),
      'the WebSocket',
      5000,
      () => echoed,
    );
    install(desired, second);
    assert.ok(await serves(at, first));
    await take(desired);
    await until(() => serves(at, second), 'the second pair', 5000);
    socket.write('still here');
    await until(
      () => echoed.endsWith('still here'),
      'the echo',
      5000,
      () => echoed,
    );
    socket.destroy();
    assert.equal((await download).body, 'piece\n'.repeat(20));
  });

  await t.test('a pair that does not fit is refused by the check, and the old one is served', async () => {
    install(desired, first, { key: second.key });
    for (const action of [desired.check, desired.reload]) {
      const outcome = action && (await run(action));
      assert.equal(outcome?.ok, false);
      assert.match(outcome.output, /key values mismatch/);
    }
    assert.ok(await serves(at, second));
    install(desired, second);
  });

  await t.test('taken out again, nothing is left and nothing listens', async () => {
    await remove(nginx, service);
    assert.equal(existsSync(join(config, 'fullchain-svc.conf')), false);
    assert.equal(existsSync(join(config, 'fullchain-svc-redirect.conf')), false);
    await until(async () => !(await acceptsConnections(port)), 'the end of the listener', 5000);
  });
});

const alice = authority.issue(['clientAuth'], 'alice');
const upperAlice = authority.issue(['clientAuth'], 'ALICE');
const sneaky = authority.issue(['clientAuth'], 'mallory,CN=alice');
const serverOnly = authority.issue(['serverAuth'], 'alice');
const foreigner = foreign.issue(['clientAuth'], 'alice');

const NAMED: ClientPolicy = { kind: 'required-names', names: ['alice', 'bob.internal'] };

/** What the upstream hears: verification and name; or the status with which nginx itself answers. */
const CASES: readonly (readonly [clients: ClientPolicy, who: string, client: TestPair | undefined, heard: string])[] = [
  [{ kind: 'optional' }, 'nobody', undefined, 'NONE undefined'],
  [{ kind: 'optional' }, 'alice', alice, 'SUCCESS alice'],
  [{ kind: 'optional' }, 'a foreign alice', foreigner, '400'],
  [{ kind: 'optional' }, 'a server', serverOnly, '400'],
  [{ kind: 'required' }, 'nobody', undefined, '400'],
  [{ kind: 'required' }, 'alice', alice, 'SUCCESS alice'],
  [{ kind: 'required' }, 'one who has a comma in its name', sneaky, 'SUCCESS mallory\\,CN=alice'],
  [{ kind: 'required' }, 'a foreign alice', foreigner, '400'],
  [{ kind: 'required' }, 'a server', serverOnly, '400'],
  [NAMED, 'nobody', undefined, '400'],
  [NAMED, 'alice', alice, 'SUCCESS alice'],
  [NAMED, 'ALICE', upperAlice, '403'],
  [NAMED, 'bob', authority.issue(['clientAuth'], 'bob.internal'), 'SUCCESS bob.internal'],
  [NAMED, 'bobXinternal', authority.issue(['clientAuth'], 'bobXinternal'), '403'],
  [NAMED, 'one who has a comma in its name', sneaky, '403'],
];

test('clients are verified as declared, and the upstream hears who they are', { skip }, async (t) => {
  const { port, settings } = await startNginx(t);
  let before: ServiceSpec['clients'] | null = null;
  for (const [clients, who, client, heard] of CASES) {
    const service = serviceSpec(nginx, port, { name: 'my-site_2', clients, settings });
    const { desired } = configure(nginx, service);
    if (clients !== before) {
      const pair = authority.issue(['serverAuth']);
      install(desired, pair);
      await take(desired);
      await until(() => serves({ port, ca: authority.ca }, pair), 'TLS', 5000);
      before = clients;
    }
    await t.test(`clients: ${clients.kind}; ${who}: ${heard}`, async () => {
      const made = { 'x-client-cn': 'root', 'x-client-verify': 'SUCCESS' };
      const { status, body } = await ask({ port, ca: authority.ca, headers: made, ...(client && { client }) });
      const { headers } = status === 200 ? JSON.parse(body) : { headers: {} };
      assert.equal(status === 200 ? `${headers['x-client-verify']} ${headers['x-client-cn']}` : String(status), heard);
    });
  }
});

test('a site without an upstream serves files, and one with TLS 1.3 alone is modern', { skip }, async (t) => {
  const { port, settings, directory } = await startNginx(t);
  const root = join(directory, 'site');
  mkdirSync(root);
  writeFileSync(join(root, 'index.html'), 'hello');
  const { upstream: _, redirectHttp: __, ...others } = settings;
  const service = serviceSpec(nginx, port, { tls: 'modern', settings: { ...others, root, hsts: '0' } });
  const { desired } = configure(nginx, service);
  const pair = authority.issue(['serverAuth']);
  install(desired, pair);
  await take(desired);
  await until(() => serves({ port, ca: authority.ca }, pair), 'TLS', 5000);
  const { body, headers } = await ask({ port, ca: authority.ca });
  assert.equal(body, 'hello');
  assert.equal(headers['strict-transport-security'], undefined);
  await assert.rejects(look({ port, ca: authority.ca, maxVersion: 'TLSv1.2' }));
});
