import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dns, makeIntermediate, makeLeaf, makeRoot } from '../../../test/vectors/made-certificate.ts';
import { sequence, time, unsignedInteger } from '../asn1/der-writer.ts';
import { addSeconds, type Instant, instantFromSeconds } from '../time/instant.ts';
import { validityFrom } from '../time/validity-period.ts';
import type { TbsCertificate } from '../x509/certificate.ts';
import {
  type RenewalDecision,
  renewalDecision,
  renewalInstant,
  spreadOf,
  type WantedCertificate,
} from './renewal-due.ts';

const START = instantFromSeconds(1_800_000_000);
const DAY = 86_400;
const intermediate = makeIntermediate(makeRoot());

/** Valid from START; its serial number ends in zeros, so that its spread is 0. */
function leafOf(lifetimeSeconds: number, serial = '7f00000000'): TbsCertificate {
  const { notBefore, notAfter } = validityFrom(START, lifetimeSeconds);
  const parts = {
    validity: sequence(time(notBefore), time(notAfter)),
    serial: unsignedInteger(Buffer.from(serial, 'hex')),
  };
  return makeLeaf(intermediate, parts).certificate;
}

function decided(leaf: TbsCertificate, seconds: number, suggested: Instant | null = null): RenewalDecision {
  return renewalDecision(
    { kind: 'installed', leaf, root: 'active', revocation: null },
    { names: dns('api.internal'), key: 'ecdsa-p256', purposes: ['serverAuth'] },
    false,
    addSeconds(START, seconds),
    suggested,
  );
}

test('due after two thirds of the lifetime, whatever the lifetime is', () => {
  for (const [lifetime, due] of [
    [90 * DAY, 60 * DAY],
    [DAY, 16 * 3600],
    [180, 120],
  ] as const) {
    const leaf = leafOf(lifetime);
    assert.equal(spreadOf(leaf), 0);
    assert.equal(decided(leaf, 0).renewAt, addSeconds(START, due), `${lifetime} s`);
    assert.deepEqual([decided(leaf, due - 1).reason, decided(leaf, due - 1).due], ['not-due', false]);
    assert.deepEqual([decided(leaf, due).reason, decided(leaf, due).due], ['due', true]);
    assert.match(decided(leaf, due).why, /^two thirds of its life have passed; /);
    assert.equal(decided(leaf, lifetime - 1).reason, 'due');
    assert.equal(decided(leaf, lifetime).reason, 'expired');
  }
});

test('jitter is a tenth of the last third, and only earlier', () => {
  const validity = validityFrom(START, 90 * DAY);
  assert.deepEqual(
    [0, 0.5, 1].map((spread) => (renewalInstant(validity, spread) - START) / DAY),
    [60, 58.5, 57],
  );
  assert.equal(renewalInstant(validityFrom(START, 180), 1), addSeconds(START, 114));
});

test('a thousand certificates of the same second come due over days, no hour of which has more than its share', () => {
  const validity = validityFrom(START, 90 * DAY);
  // As the authority draws them: at random.
  const serials = Array.from({ length: 1000 }, (_, index) => Math.imul(index + 1, 0x9e3779b1) >>> 0);
  const perHour = new Map<number, number>();
  for (const number of serials) {
    const spread = spreadOf({ serial: number.toString(16).padStart(8, '0') as TbsCertificate['serial'] });
    const hour = Math.floor((renewalInstant(validity, spread) - START) / 3600);
    perHour.set(hour, (perHour.get(hour) ?? 0) + 1);
  }
  assert.ok(perHour.size > 60, `${perHour.size} of 72 hours`);
  assert.ok(Math.max(...perHour.values()) < 50, `${Math.max(...perHour.values())} in one hour`);
});

test('the same certificate is due at the same instant, whoever reads it again', () => {
  const first = leafOf(90 * DAY, '7fc0ffee00');
  const again = leafOf(90 * DAY, '7fc0ffee00');
  assert.equal(decided(first, 0).renewAt, decided(again, 50 * DAY).renewAt);
  assert.notEqual(decided(first, 0).renewAt, decided(leafOf(90 * DAY, '7fc0ffee01ff'), 0).renewAt);
});

test('what the issuer suggests comes in place of two thirds: earlier or later', () => {
  const leaf = leafOf(90 * DAY);
  const early = addSeconds(START, 10 * DAY);
  assert.equal(decided(leaf, 10 * DAY - 1, early).due, false);
  assert.deepEqual([decided(leaf, 10 * DAY, early).due, decided(leaf, 10 * DAY, early).renewAt], [true, early]);
  assert.match(decided(leaf, 10 * DAY, early).why, /^its issuer wants it replaced; /);
  assert.equal(decided(leaf, 0, addSeconds(START, -3600)).due, true, 'a window in the past means: now');
  const late = addSeconds(START, 75 * DAY);
  assert.deepEqual([decided(leaf, 60 * DAY, late).due, decided(leaf, 60 * DAY, late).renewAt], [false, late]);
  assert.equal(decided(leaf, 75 * DAY, late).due, true);
});

test('however late the issuer suggests it, a tenth of the lifetime is left for trying', () => {
  const leaf = leafOf(90 * DAY);
  const never = addSeconds(START, 1000 * DAY);
  assert.deepEqual([decided(leaf, 81 * DAY - 1, never).due, decided(leaf, 81 * DAY, never).due], [false, true]);
});

test('a clock that was set: forwards it is due at once, backwards not yet; before its first second it is kept', () => {
  const leaf = leafOf(180);
  assert.equal(decided(leaf, 30).due, false);
  assert.equal(decided(leaf, 30 + 3600).reason, 'expired', 'an hour forwards');
  assert.equal(decided(leaf, 125).due, true);
  assert.equal(decided(leaf, 125 - 60).due, false, 'a minute back again');
  assert.equal(decided(leaf, -DAY).reason, 'not-due', 'a day back');
});

test('what comes before any date: nothing, unreadable, revoked, other names, another key, another issuer', () => {
  const wanted: WantedCertificate = { names: dns('api.internal'), key: 'ecdsa-p256', purposes: ['serverAuth'] };
  const leaf = leafOf(90 * DAY);
  const installed = { kind: 'installed', leaf, root: 'active', revocation: null } as const;
  const revocation = { revokedAt: addSeconds(START, 5), reason: 'keyCompromise' } as const;
  const reasonOf = (...[one, want, asked]: Partial<Parameters<typeof renewalDecision>>): string => {
    const { due, reason } = renewalDecision(one ?? installed, want ?? wanted, asked ?? false, START);
    return `${reason}${due ? '' : ', not due'}`;
  };
  assert.equal(reasonOf(), 'not-due, not due');
  assert.equal(reasonOf(undefined, undefined, true), 'asked');
  assert.equal(reasonOf({ kind: 'missing' }), 'missing');
  assert.equal(reasonOf({ kind: 'unreadable', why: 'no PEM' }), 'unreadable');
  assert.equal(reasonOf({ ...installed, revocation }), 'revoked');
  assert.equal(reasonOf(undefined, { ...wanted, names: dns('api.internal', 'b.internal') }), 'names-changed');
  assert.equal(reasonOf(undefined, { ...wanted, names: dns('b.internal') }), 'names-changed');
  assert.equal(reasonOf(undefined, { ...wanted, key: 'rsa-2048' }), 'key-changed');
  assert.equal(reasonOf(undefined, { ...wanted, purposes: ['serverAuth', 'clientAuth'] }), 'usage-changed');
  assert.equal(reasonOf(undefined, { ...wanted, purposes: [] }), 'not-due, not due');
  assert.equal(reasonOf({ ...installed, root: 'unknown' }), 'issuer-changed');
  assert.equal(reasonOf({ ...installed, root: 'outgoing' }), 'root-outgoing');
});
