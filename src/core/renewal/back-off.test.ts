import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backOffSeconds } from './back-off.ts';

const failure = { failures: 1, remainingSeconds: null, retryAfterSeconds: null };

test('doubles from five seconds to an hour', () => {
  const waits = [1, 2, 3, 9, 10, 11, 12, 500].map((failures) => backOffSeconds({ ...failure, failures }, 1));
  assert.deepEqual(waits, [5, 10, 20, 1280, 2560, 3600, 3600, 3600]);
});

test('half of it is jitter', () => {
  assert.equal(backOffSeconds({ ...failure, failures: 11 }, 0), 1800);
  assert.equal(backOffSeconds({ ...failure, failures: 11 }, 0.5), 2700);
});

test('near the end of the certificate eight tries fit into what is left', () => {
  assert.equal(backOffSeconds({ ...failure, failures: 20, remainingSeconds: 80 }, 1), 10);
  assert.equal(
    backOffSeconds({ ...failure, failures: 1, remainingSeconds: 86_400 }, 1),
    5,
    'not longer than otherwise',
  );
});

test('after the end it is as if there were none: nobody is hammered', () => {
  assert.equal(backOffSeconds({ ...failure, failures: 11, remainingSeconds: 0 }, 1), 3600);
});

test('Retry-After is a floor, even near the end', () => {
  assert.equal(backOffSeconds({ failures: 3, remainingSeconds: 80, retryAfterSeconds: 120 }, 1), 120);
  assert.equal(backOffSeconds({ ...failure, failures: 11, retryAfterSeconds: 10 }, 1), 3600, 'but no ceiling');
});

test('at least a second, at most an hour unless asked', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.option(fc.integer({ min: -1000, max: 1_000_000 }), { nil: null }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, remainingSeconds, draw) => {
        const wait = backOffSeconds({ failures, remainingSeconds, retryAfterSeconds: null }, draw);
        assert.ok(wait >= 1 && wait <= 3600, String(wait));
      },
    ),
  );
});
