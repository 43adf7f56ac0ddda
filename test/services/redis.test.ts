import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { redis } from '../../src/core/services/redis.ts';
import type { ClientPolicy } from '../../src/core/stack/stack.ts';
import { skipWithout } from '../servers/available.ts';
import { configure, gather, install, remove, run, serviceSpec, take } from './applied.ts';
import { connected, type Look, look, serves, speak } from './look.ts';
import { PASSWORD, startRedis } from './start-redis.ts';
import { type TestPair, testAuthority } from './test-authority.ts';

const skip = skipWithout('redis-server');

const authority = testAuthority();
const foreign = testAuthority('Foreign Root');
const PING = 'PING\r\n';

test('Redis changes from plaintext to TLS on the same port without a restart, renews, refuses a broken pair, and goes back', {
  skip,
}, async (t) => {
  const { server, start, port, config, text, passwordFile } = await startRedis(t);
  const service = serviceSpec(redis, port, { settings: { config, passwordFile } });
  const [first, second] = [authority.issue(['serverAuth']), authority.issue(['serverAuth'])];
  const at: Look = { port, ca: authority.ca };
  assert.match(await speak(port, PING), /^-NOAUTH/);
  const session = await connected('127.0.0.1', port);

  const { desired } = configure(redis, service);
  install(desired, first);
  await take(desired);

  await t.test('TLS is served, and the session from before goes on', async () => {
    assert.equal((await look({ ...at, say: `AUTH "${PASSWORD}"\r\n` })).answer, '+OK\r\n');
    assert.ok(await serves(at, first));
    session.write(PING);
    assert.equal(session.destroyed, false);
    session.destroy();
  });

  await t.test('plaintext and TLS 1.1 are refused, and suites outside of the policy', async () => {
    assert.equal(await speak(port, PING), '');
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      assert.equal((await look({ ...at, minVersion: version, maxVersion: version })).version, version);
    await assert.rejects(look({ ...at, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
    await assert.rejects(look({ ...at, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384' }));
  });

  await t.test('a second run changes nothing, and the same commands once more do no harm', async () => {
    assert.equal(configure(redis, service).changed, false);
    await take(desired);
    assert.ok(await serves(at, first));
  });

  await t.test('a new pair is served after the reload', async () => {
    install(desired, second);
    assert.equal((await look(at)).fingerprint, first.fingerprint);
    await take(desired);
    assert.ok(await serves(at, second));
  });

  await t.test('a pair that does not fit is refused with an error, and the old one is served', async () => {
    install(desired, first, { key: second.key });
    const outcome = desired.reload && (await run(desired.reload));
    assert.match(outcome?.output ?? '', /Unable to update TLS configuration/);
    assert.ok(await serves(at, second));
    install(desired, second);
  });

  await t.test('what was written is what a restart reads', async () => {
    await server.stop();
    await start();
    assert.ok(await serves(at, second));
    assert.equal(await speak(port, PING), '');
  });

  await t.test('taken out again, the file is as it was and plaintext is served', async () => {
    await remove(redis, service);
    assert.equal(readFileSync(config, 'utf8'), text);
    assert.match(await speak(port, PING), /^-NOAUTH/);
  });
});

test('a pair that does not fit leaves a plaintext Redis in plaintext', { skip }, async (t) => {
  const { port, config, passwordFile } = await startRedis(t);
  const { desired } = configure(redis, serviceSpec(redis, port, { settings: { config, passwordFile } }));
  install(desired, authority.issue(['serverAuth']), { key: authority.issue(['serverAuth']).key });
  const outcome = desired.reload && (await run(desired.reload));
  assert.equal(outcome?.ok, false);
  assert.match(await speak(port, PING), /^-NOAUTH/);
});

test('commands of the time before 7.0, one directive each, do the same', { skip }, async (t) => {
  const { port, config, passwordFile } = await startRedis(t);
  const service = serviceSpec(redis, port, { settings: { config, passwordFile } });
  const facts = { ...gather(redis, service), version: '6.2.14' };
  const desired = redis.desired(service, facts, { verifyClients: false });
  const [first, second] = [authority.issue(['serverAuth']), authority.issue(['serverAuth'])];
  for (const pair of [first, second]) {
    install(desired, pair);
    await take(desired);
    assert.ok(await serves({ port, ca: authority.ca }, pair));
  }
  assert.equal(await speak(port, PING), '');
});

const client = authority.issue(['clientAuth'], 'app');
const serverOnly = authority.issue(['serverAuth'], 'app');
const foreigner = foreign.issue(['clientAuth'], 'app');

const CASES: readonly (readonly [
  policy: ClientPolicy['kind'],
  who: string,
  client: TestPair | undefined,
  accepted: boolean,
])[] = [
  ['none', 'nobody', undefined, true],
  ['optional', 'nobody', undefined, true],
  ['optional', 'a client', client, true],
  ['optional', 'a foreigner', foreigner, false],
  ['optional', 'a server', serverOnly, false],
  ['required', 'nobody', undefined, false],
  ['required', 'a client', client, true],
  ['required', 'a foreigner', foreigner, false],
  ['required', 'a server', serverOnly, false],
];

test('clients are verified as declared, and a pair that is a peer’s renews itself', { skip }, async (t) => {
  const { port, config, passwordFile } = await startRedis(t);
  const tried = (who: TestPair | undefined) =>
    look({ port, ca: authority.ca, ...(who && { client: who }), say: PING }).then(
      ({ answer }) => answer.startsWith('-NOAUTH'),
      () => false,
    );
  for (const policy of ['none', 'optional', 'required'] as const) {
    const service = serviceSpec(redis, port, { clients: { kind: policy }, settings: { config, passwordFile } });
    assert.equal(redis.profile(service), policy === 'none' ? 'server' : 'peer');
    const { desired } = configure(redis, service);
    for (let renewal = 0; renewal < 2; renewal++) {
      const pair = authority.issue(['serverAuth', 'clientAuth']);
      install(desired, pair);
      await take(desired);
      assert.ok(await serves({ port, ca: authority.ca }, pair), `renewal ${renewal} with clients: ${policy}`);
    }
    for (const [, who, identity, accepted] of CASES.filter(([kind]) => kind === policy)) {
      await t.test(`clients: ${policy}; ${who} is ${accepted ? 'accepted' : 'refused'}`, async () => {
        assert.equal(await tried(identity), accepted);
      });
    }
  }
});

test('a replica follows its primary over TLS, with its own pair as a peer', { skip }, async (t) => {
  const pair = authority.issue(['serverAuth', 'clientAuth']);
  const primary = await startRedis(t, 'repl-diskless-sync-delay 0\n');
  const replica = await startRedis(t, `replicaof 127.0.0.1 ${primary.port}\nmasterauth "${PASSWORD}"\n`);
  for (const { port, config, passwordFile } of [primary, replica]) {
    const service = serviceSpec(redis, port, { clients: { kind: 'required' }, settings: { config, passwordFile } });
    const { desired } = configure(redis, service);
    install(desired, pair);
    await take(desired);
  }
  const say = `AUTH "${PASSWORD}"\r\nINFO replication\r\n`;
  const deadline = Date.now() + 15_000;
  let info = '';
  while (!info.includes('master_link_status:up') && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    info = (await look({ port: replica.port, ca: authority.ca, client, say })).answer;
  }
  assert.match(info, /master_link_status:up/);
});
