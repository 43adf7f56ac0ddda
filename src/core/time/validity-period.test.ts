import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instant } from './instant.ts';
import { contains, instantAtFraction, lifetimeSeconds, remainingSeconds, validityFrom } from './validity-period.ts';

const START = 1_800_000_000;
const DAY = validityFrom(START as Instant, 86400);

test('a period of a day ends in its last second, not in the first of the next (RFC 5280 §4.1.2.5)', () => {
  assert.deepEqual(DAY, { notBefore: START, notAfter: START + 86399 });
  assert.equal(lifetimeSeconds(DAY), 86400);
  assert.deepEqual(validityFrom(START as Instant, 1), { notBefore: START, notAfter: START });
});

test('both ends belong to the period (RFC 5280 §4.1.2.5: "inclusive")', () => {
  for (const [offset, inside, remaining] of [
    [-1, false, 86401],
    [0, true, 86400],
    [1, true, 86399],
    [86398, true, 2],
    [86399, true, 1],
    [86400, false, 0],
    [86401, false, -1],
  ] as const) {
    const now = (START + offset) as Instant;
    assert.equal(contains(DAY, now), inside, `${offset}`);
    assert.equal(remainingSeconds(DAY, now), remaining, `${offset}`);
  }
});

test('a fraction of the lifetime is a moment between its ends', () => {
  for (const [fraction, offset] of [
    [0, 0],
    [0.5, 43200],
    [2 / 3, 57600],
    [1, 86400],
  ] as const) {
    assert.equal(instantAtFraction(DAY, fraction), START + offset);
  }
});
