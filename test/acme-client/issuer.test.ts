import assert from 'node:assert/strict';
import { chmodSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { OperatorFault } from '../../src/core/faults/operator-faults.ts';
import { subjectAltNames } from '../../src/core/x509/subject-alt-name.ts';
import { certificateId } from '../../src/edge/acme-client/renewal-info.ts';
import { startAcmeWorld } from '../interop/acme-world.ts';
import { skipWithout } from '../servers/available.ts';
import { startPebble } from '../servers/pebble.ts';
import { temporaryDirectory } from '../servers/process.ts';
import { cleanup } from '../services/cleanup.ts';
import { startDnsServer } from '../world/dns-server.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { issuerAt, newKey, serviceFor } from './issuing.ts';

const NAMES = ['site.test', 'www.site.test'];

function namesOf(leaf: Parameters<typeof subjectAltNames>[0] | undefined): readonly string[] {
  return leaf ? subjectAltNames(leaf).flatMap((name) => (name.kind === 'dns' ? [name.value] : [])) : [];
}

function rejectsWith(code: OperatorFault['code'], message: RegExp, facts: OperatorFault['facts']) {
  return (fault: OperatorFault): boolean => {
    assert.equal(fault.code, code, fault.message);
    assert.match(fault.message, message);
    assert.deepEqual(fault.facts, facts);
    return true;
  };
}

test('our authority: one account, kept; renewal information; the order says what it replaces', async (t) => {
  const stack = cleanup(t);
  const world = stack.use(await startAcmeWorld(NAMES));
  const accounts = join(world.directory, 'accounts');
  const options = {
    directory: world.ca.acmeDirectory,
    caFile: world.ca.rootCertificate,
    challenge: { kind: 'http-01-listen', listen: `127.0.0.1:${world.http01Port}` },
    accounts,
  } as const;
  const issuer = await issuerAt(options);
  const { chain, trust } = await issuer.issue(serviceFor(...NAMES), newKey());
  const [leaf] = chain;
  assert.ok(leaf);
  assert.deepEqual(namesOf(leaf), NAMES);
  assert.deepEqual(
    trust.map(({ fingerprint }) => fingerprint),
    [world.ca.rootFingerprint],
  );

  await t.test('the account key is for nobody else, and one that others may read is not used', async () => {
    const [file = ''] = readdirSync(accounts);
    assert.equal(statSync(join(accounts, file)).mode & 0o777, 0o600);
    chmodSync(join(accounts, file), 0o644);
    await assert.rejects(issuerAt(options), { code: 'state-exposed' });
    chmodSync(join(accounts, file), 0o600);
  });

  await t.test('renewal information lies within the lifetime', async () => {
    const info = await issuer.renewalInfo(leaf);
    assert.ok(info && info.start > leaf.validity.notBefore && info.end < leaf.validity.notAfter);
    assert.ok(info.retryAfterSeconds >= 60);
  });

  await t.test('a second process has the same account, and replaces the leaf once; again is no fault', async () => {
    const again = await issuerAt(options);
    const next = await again.issue(serviceFor(...NAMES), newKey(), leaf);
    assert.notEqual(next.chain[0]?.serial, leaf.serial);
    const third = await again.issue(serviceFor(...NAMES), newKey(), leaf);
    assert.notEqual(third.chain[0]?.serial, next.chain[0]?.serial);
    assert.equal(readdirSync(accounts).length, 1);
    // The server itself holds that an order took the place of the first leaf.
    const orders = ordersReplacing(world.ca.state, certificateId(leaf) ?? '');
    assert.equal(orders, 1);
  });

  await t.test('what the server held against a name is told, with the name', async () => {
    await assert.rejects(
      issuer.issue(serviceFor('site.test', 'nowhere.test'), newKey()),
      rejectsWith('challenge-failed', /nowhere\.test .*NXDOMAIN/, { issuer: 'ours', identifier: 'nowhere.test' }),
    );
  });

  await t.test('several orders at once share the listener', async () => {
    const issued = await Promise.all(NAMES.map((name) => issuer.issue(serviceFor(name), newKey())));
    assert.deepEqual(
      issued.map((one) => namesOf(one.chain[0])),
      NAMES.map((name) => [name]),
    );
  });

  await t.test('the listener is gone after success and failure', async () => {
    await (await startTcpServer(createServer(), '127.0.0.1', world.http01Port)).close();
  });

  await t.test('an authority that is gone is a fault of the network', async () => {
    await world.ca.stop();
    await assert.rejects(issuer.issue(serviceFor(...NAMES), newKey()), { code: 'authority-unreachable' });
  });
});

function ordersReplacing(state: string, id: string): number {
  const db = new DatabaseSync(join(state, 'db', 'fullchain.db'), { readOnly: true });
  const row = db.prepare('SELECT count(*) AS n FROM acme_order WHERE replaces = ?').get(id);
  db.close();
  return Number(row?.n);
}

test('Pebble, which refuses every third nonce: issued, issued again by the same account, refused with its words', {
  skip: skipWithout('pebble'),
}, async (t) => {
  const stack = cleanup(t);
  const directory = stack.use(temporaryDirectory()).path;
  const dns = stack.adopt(await startDnsServer(), ({ close }) => close());
  for (const name of NAMES) dns.set(name, { A: ['127.0.0.1'] });
  const httpPort = await freePort();
  const pebble = stack.use(
    await startPebble({ directory: join(directory, 'pebble'), httpPort, resolver: dns.address, nonceRefusals: 33 }),
  );
  const options = {
    directory: pebble.directoryUrl,
    caFile: pebble.caFile,
    challenge: { kind: 'http-01-listen', listen: `127.0.0.1:${httpPort}` },
    accounts: join(directory, 'accounts'),
  } as const;
  const issuer = await issuerAt(options);
  const { chain, trust } = await issuer.issue(serviceFor(...NAMES), newKey());
  assert.deepEqual([...namesOf(chain[0])].sort(), NAMES);
  assert.equal(trust.length, 1);
  const again = await issuerAt(options);
  assert.equal((await again.issue(serviceFor('site.test'), newKey(), chain[0] ?? null)).chain.length, chain.length);
  const [leaf] = chain;
  assert.ok(leaf);
  const suggested = await issuer.renewalInfo(leaf);
  // Older versions have none.
  assert.ok(suggested === null || suggested.start < suggested.end);
  await assert.rejects(issuer.issue(serviceFor('nowhere.test'), newKey()), (fault: OperatorFault) => {
    assert.equal(fault.code, 'challenge-failed', fault.message);
    assert.equal(fault.facts.identifier, 'nowhere.test');
    assert.match(fault.message, /nowhere\.test\S* \S/);
    return true;
  });
});
