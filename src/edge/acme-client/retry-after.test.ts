import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfterSeconds } from './retry-after.ts';

const DATE = 'Wed, 25 Nov 2026 10:00:00 GMT';

const CASES: readonly (readonly [said: string | undefined, seconds: number | null])[] = [
  ['120', 120],
  [' 120 ', 120],
  ['0', 0],
  ['Wed, 25 Nov 2026 10:01:00 GMT', 60],
  ['Wed, 25 Nov 2026 09:00:00 GMT', 0],
  ['999999999', 604_800],
  ['Wed, 25 Nov 2099 10:01:00 GMT', 604_800],
  [undefined, null],
  ['', null],
  ['-5', null],
  ['1.5', null],
  ['1e9', null],
  ['2027', 2027],
  ['tomorrow', null],
  ['2026-11-25T10:01:00Z', null],
  ['Wed, 99 Nov 2026 10:01:00 GMT', null],
];

test('seconds, a date reckoned from that of the answer, or nothing; never more than a week', () => {
  for (const [said, seconds] of CASES)
    assert.equal(retryAfterSeconds({ headers: { 'retry-after': said, date: DATE } }), seconds, `${said}`);
});

test('a date in an answer without one says nothing', () => {
  assert.equal(retryAfterSeconds({ headers: { 'retry-after': DATE } }), null);
});
