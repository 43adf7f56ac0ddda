import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64UrlFromBytes, bytesFromBase64Url } from './base64url.ts';
import { bytesFromHex, type Hex } from './hex.ts';

/** RFC 4648 §10 without padding; RFC 7515 appendix C; and the two characters in which base64url differs. */
const PAIRS: readonly (readonly [hex: string, text: string])[] = [
  ['', ''],
  ['66', 'Zg'],
  ['666f', 'Zm8'],
  ['666f6f', 'Zm9v'],
  ['666f6f62', 'Zm9vYg'],
  ['666f6f6261', 'Zm9vYmE'],
  ['666f6f626172', 'Zm9vYmFy'],
  ['03ecffe0c1', 'A-z_4ME'],
  ['fb', '-w'],
  ['ff', '_w'],
  ['fbff', '-_8'],
  ['000000', 'AAAA'],
];

const MUST_NOT_DECODE: readonly (readonly [text: string, why: string])[] = [
  ['Zg==', 'padding (RFC 7515 §2)'],
  ['Zm8=', 'padding'],
  ['Zm9v=', 'padding that nothing needs'],
  ['-w+', 'the "+" of base64'],
  ['_w/', 'the "/" of base64'],
  ['Zm9v\n', 'a final line break'],
  [' Zm9v', 'a leading space'],
  ['Zm 9v', 'a space inside'],
  ['Z', 'a length that no octets have'],
  ['Zm9vY', 'a length that no octets have, later'],
  ['Zh', 'non-zero trailing bits of one octet'],
  ['Zm9', 'non-zero trailing bits of two octets'],
  ['Zm9vYh', 'non-zero trailing bits, later'],
  ['Zé', 'a letter outside ASCII'],
  ['Zm9v\0', 'a NUL'],
];

test('bytes and base64url without padding are one spelling of each other (RFC 4648 §5, §10)', () => {
  for (const [hex, text] of PAIRS) {
    const bytes = bytesFromHex(hex as Hex);
    assert.equal(base64UrlFromBytes(bytes), text);
    assert.deepEqual(bytesFromBase64Url(text), bytes, text);
  }
});

test('every other spelling is refused (RFC 7515 §2)', () => {
  for (const [text, why] of MUST_NOT_DECODE) assert.equal(bytesFromBase64Url(text), null, `${why}: ${text}`);
});

test('a view into a larger buffer gives its own octets only', () => {
  const whole = Uint8Array.from([1, 2, 3, 4, 5]);
  assert.equal(base64UrlFromBytes(whole.subarray(1, 3)), base64UrlFromBytes(Uint8Array.from([2, 3])));
});
