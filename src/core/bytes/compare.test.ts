import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesEqual, concatBytes } from './compare.ts';

const bytes = (...octets: number[]): Uint8Array => Uint8Array.from(octets);

const ROWS: readonly (readonly [a: Uint8Array, b: Uint8Array, equal: boolean])[] = [
  [bytes(), bytes(), true],
  [bytes(0), bytes(), false],
  [bytes(1, 2), bytes(1, 2), true],
  [bytes(1, 2), bytes(1, 3), false],
  [bytes(1, 2), bytes(1, 2, 0), false],
  [bytes(9, 1, 2).subarray(1), Buffer.from([1, 2]), true],
];

test('octets are equal when length and every octet are', () => {
  for (const [a, b, equal] of ROWS) {
    assert.equal(bytesEqual(a, b), equal);
    assert.equal(bytesEqual(b, a), equal);
  }
});

test('concatenation keeps the order and copies', () => {
  const first = bytes(1);
  const joined = concatBytes(first, bytes(), bytes(2, 3));
  first[0] = 9;
  assert.deepEqual([...joined], [1, 2, 3]);
});
