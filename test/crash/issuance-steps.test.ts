import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { authorizationStatus } from '../../src/core/acme/authorization.ts';
import { orderStatus } from '../../src/core/acme/order.ts';
import { parseCrl, verifyCrlSignature } from '../../src/core/revocation/crl.ts';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import type { CertificateRecord } from '../../src/flow/ca/store-ports.ts';
import { type CrashWorld, makeCrashWorld, openCrashWorld } from './crash-world.ts';
import { FLOWS, type FlowName, type HandedOut } from './flows.ts';

const DYING = new URL('./dying-flow.ts', import.meta.url).pathname;

let scratch = '';
let sound = '';

before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'fullchain-crash-'));
  sound = mkdtempSync(join(scratch, 'sound-'));
  await makeCrashWorld(sound);
});
after(() => rmSync(scratch, { recursive: true }));

interface Crash {
  readonly directory: string;
  /** What left the authority before it died; null when nothing did. */
  readonly handedOut: HandedOut | null;
  readonly killed: boolean;
}

async function crash(flow: FlowName, when: 'before' | 'after', call: number): Promise<Crash> {
  const directory = mkdtempSync(join(scratch, `${flow}-`));
  cpSync(sound, directory, { recursive: true });
  const child = spawn(process.execPath, [DYING, directory, flow, when, String(call)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // A hundred processes run the same code.
    env: { ...process.env, NODE_COMPILE_CACHE: join(scratch, 'compiled') },
  });
  let printed = '';
  child.stdout.on('data', (text) => {
    printed += text;
  });
  const [status, signal] = await once(child, 'close');
  assert.ok(signal === 'SIGKILL' || status === 0, `${flow} ended with ${status}`);
  return { directory, handedOut: printed === '' ? null : JSON.parse(printed), killed: signal !== null };
}

async function certificates({ records }: CrashWorld, name?: string): Promise<readonly CertificateRecord[]> {
  return records.listCertificates({ limit: 1000, now: wallClock(), ...(name && { name }) });
}

/** What holds after every crash, whatever the flow. */
async function holds(world: CrashWorld, handedOut: readonly (HandedOut | null)[]): Promise<void> {
  const { records, facts } = world;
  const listed = await certificates(world);
  const serials = listed.map(({ serial }) => serial);
  assert.equal(new Set(serials).size, serials.length, 'no serial twice');
  for (const { der, serial, fingerprint } of listed) {
    const certificate = parseCertificate(der ?? new Uint8Array());
    assert.deepEqual([certificate.serial, certificate.fingerprint], [serial, fingerprint]);
  }
  for (const out of handedOut)
    if (out?.kind === 'certificate')
      assert.ok(
        listed.some(({ fingerprint }) => fingerprint === out.what),
        'what was handed out is in the list',
      );
  assert.deepEqual(await records.listUnfinishedIntents(), [], 'nothing is left half done');
  assert.deepEqual(await records.listUnfinishedAttempts(), []);
  const interrupted = await records.loadOrder(facts.interruptedOrderId);
  assert.ok(interrupted);
  assert.equal(orderStatus(interrupted, wallClock()), 'valid', 'an order that was being signed has its certificate');
  assert.equal((await certificates(world, 'half.test')).length, 1);
  const begun = await records.loadAuthorization(facts.interruptedAuthorizationId);
  assert.ok(begun);
  assert.equal(
    authorizationStatus(begun, wallClock()),
    'valid',
    'a challenge that was being looked at has its outcome',
  );
}

/** What holds for each flow besides, after the restart and when the client has repeated its step. */
const ENDS: Readonly<
  Record<FlowName, (world: CrashWorld, first: HandedOut | null, again: HandedOut) => Promise<void>>
> = {
  'new-order': async ({ records, facts }, first, again) => {
    assert.equal(again.kind, 'order');
    const ids = await records.listOrderIds(facts.accountId, 0, 100);
    for (const out of [first, again]) if (out) assert.ok(ids.includes(Number(out.what)));
    for (const id of ids) {
      const snapshot = await records.loadOrder(id);
      assert.equal(snapshot?.authorizations.length, snapshot?.order.identifiers.length, 'an order is whole');
    }
  },
  finalize: async (world, first, again) => {
    assert.equal(again.kind, 'certificate');
    if (first) assert.deepEqual(again.what, first.what, 'the second answer is the first one');
    assert.equal((await certificates(world, 'order.test')).length, 1);
    const snapshot = await world.records.loadOrder(world.facts.readyOrderId);
    assert.ok(snapshot);
    assert.equal(orderStatus(snapshot, wallClock()), 'valid');
  },
  token: async (world, first, again) => {
    const issued = await certificates(world, 'token.test');
    assert.ok(issued.length <= 1, 'at most one certificate a token');
    if (again.kind === 'refused') assert.match(again.what, /the token has been used already/);
    // Recorded and not handed out: the token is spent, and its client asks for a new one.
    if (again.kind === 'certificate' || first !== null) assert.equal(issued.length, 1);
  },
  renew: async (world, first, again) => {
    assert.equal(again.kind, 'certificate');
    const names = await certificates(world, 'old.test');
    assert.ok(names.length >= (first ? 3 : 2));
  },
  challenge: authorized,
  'slow-challenge': authorized,
  revoke: async (world, first, again) => {
    if (first) assert.deepEqual(again, { kind: 'refused', what: 'alreadyRevoked' });
    const [record] = await certificates(world, 'old.test');
    assert.equal(record?.revocationReason, 'superseded');
    const { kind, what } = await FLOWS.crl(world);
    assert.equal(`${kind} ${what}`, 'crl 2');
    const crl = await world.records.latestCrl(world.ports.issuer.keyId);
    assert.deepEqual(
      parseCrl(crl?.der ?? new Uint8Array()).entries.map(({ serial }) => serial),
      [record?.serial],
    );
  },
  crl: async ({ records, ports }, first, again) => {
    assert.ok(Number(again.what) >= Number(first?.what ?? 2), 'numbers only rise');
    const latest = await records.latestCrl(ports.issuer.keyId);
    assert.ok(latest);
    assert.equal(latest.number, Number(again.what));
    const parsed = parseCrl(latest.der);
    assert.ok(verifyCrlSignature(parsed, ports.issuer.certificate));
  },
  recovery: async (_world, _first, again) => {
    assert.deepEqual(again, { kind: 'recovered', what: '0 finished, 0 abandoned' });
  },
};

async function authorized({ records, facts }: CrashWorld): Promise<void> {
  const snapshot = await records.loadOrder(facts.pendingOrderId);
  assert.ok(snapshot);
  assert.equal(orderStatus(snapshot, wallClock()), 'ready');
}

async function restartAndRepeat(flow: FlowName, { directory, handedOut }: Crash): Promise<void> {
  const world = openCrashWorld(directory);
  try {
    await FLOWS.recovery(world);
    const again = await FLOWS[flow](world);
    await holds(world, [handedOut, again]);
    await ENDS[flow](world, handedOut, again);
  } finally {
    world.close();
  }
}

for (const flow of Object.keys(FLOWS) as FlowName[]) {
  test(`${flow}, killed before and after each call of a port: nothing handed out is lost, nothing twice, nothing stuck`, async (t) => {
    let calls = 0;
    for (let running = true; running; ) {
      calls++;
      const crashes = await Promise.all([crash(flow, 'before', calls), crash(flow, 'after', calls)]);
      for (const [index, each] of crashes.entries()) {
        try {
          await restartAndRepeat(flow, each);
        } catch (fault) {
          throw new Error(`killed ${index === 0 ? 'before' : 'after'} call ${calls}`, { cause: fault });
        }
        rmSync(each.directory, { recursive: true });
      }
      running = crashes.some(({ killed }) => killed);
    }
    assert.ok(calls > 3);
    t.diagnostic(`${calls - 1} calls, ${2 * (calls - 1)} kills`);
  });
}
