import assert from 'node:assert/strict';
import test from 'node:test';
import { hex } from '../../../test/vectors/made-certificate.ts';
import { parseIpAddress } from './ip-address.ts';
import { formatIpRange, ipRangeContains, parseIpRange } from './ip-range.ts';

const RANGES: readonly [text: string, octets: string, canonical: string][] = [
  // The example of RFC 5280 §4.2.1.10.
  ['192.0.2.0/24', 'c0000200ffffff00', '192.0.2.0/24'],
  ['10.0.0.0/8', '0a000000ff000000', '10.0.0.0/8'],
  ['10.1.2.3', '0a010203ffffffff', '10.1.2.3/32'],
  ['0.0.0.0/0', '0000000000000000', '0.0.0.0/0'],
  ['10.0.128.0/255.0.128.0', '0a008000ff008000', '10.0.128.0/255.0.128.0'],
  ['fd00::/8', `fd${'00'.repeat(15)}ff${'00'.repeat(15)}`, 'fd00::/8'],
  ['2001:db8::1', `20010db8${'00'.repeat(11)}01${'ff'.repeat(16)}`, '2001:db8::1/128'],
];

for (const [text, octets, canonical] of RANGES) {
  test(`${text} is ${octets} (RFC 5280 §4.2.1.10)`, () => {
    assert.equal(Buffer.from(parseIpRange(text) ?? []).toString('hex'), octets);
    assert.equal(formatIpRange(hex(octets)), canonical);
  });
}

for (const text of [
  '',
  '10.0.0.0/33',
  '10.0.0.1/8',
  'fd00::/129',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '10.0.0.0/ffff::',
  '10/8',
  '10.0.0.0/08',
]) {
  test(`${JSON.stringify(text)} is not an address range`, () => assert.equal(parseIpRange(text), null));
}

test('octets of other lengths are not a range', () => {
  for (const length of [0, 4, 16, 31]) assert.equal(formatIpRange(new Uint8Array(length)), null);
});

const CONTAINS: readonly [range: string, address: string, inside: boolean | null][] = [
  ['10.0.0.0/8', '10.255.255.255', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['10.0.0.0/9', '10.128.0.0', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['0.0.0.0/0', '::1', false],
  ['::/0', '10.0.0.1', false],
  ['fd00::/8', 'fdff::1', true],
  // Bits outside the mask do not count, as certificates of others have them.
  ['10.1.2.3/8', '10.9.9.9', true],
  ['nonsense', '10.9.9.9', null],
];

for (const [range, address, inside] of CONTAINS) {
  test(`${range} contains ${address}: ${inside}`, () => {
    const parsed = parseIpAddress(address);
    assert.ok(parsed);
    assert.equal(ipRangeContains(range, parsed), inside);
  });
}
