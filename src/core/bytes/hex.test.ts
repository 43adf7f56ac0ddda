import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesFromHex, hexFromBytes, parseHex } from './hex.ts';

const READABLE: readonly (readonly [text: string, hex: string])[] = [
  ['00', '00'],
  ['0aff', '0aff'],
  ['0AFF', '0aff'],
  ['0A:FF', '0aff'],
  ['0a ff', '0aff'],
  ['0a:FF\n01', '0aff01'],
  [' 0aff ', '0aff'],
];

const UNREADABLE: readonly string[] = ['', ' ', ':', '0', '0af', '0x0a', '0g', 'zz', '0a-ff', '٠٠', '0a,ff'];

test('hex as people write it has one canonical form, which round-trips', () => {
  for (const [text, hex] of READABLE) {
    const parsed = parseHex(text);
    assert.equal(parsed, hex, text);
    if (parsed !== null) assert.equal(hexFromBytes(bytesFromHex(parsed)), hex);
  }
});

test('what is not hex is refused', () => {
  for (const text of UNREADABLE) assert.equal(parseHex(text), null, JSON.stringify(text));
});

test('a view into a larger buffer gives its own octets only', () => {
  assert.equal(hexFromBytes(Uint8Array.from([1, 2, 3]).subarray(1, 2)), '02');
});
