import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import test from 'node:test';
import fc from 'fast-check';
import { formatIpAddress, ipAddressOctets, parseIpAddress } from './ip-address.ts';

/** RFC 5952 §4 and §5, and the spellings that RFC 4291 §2.2 allows. */
const CANONICAL: readonly [text: string, canonical: string][] = [
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['::', '::'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['::1', '::1'],
  ['fe80::', 'fe80::'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['1::3:4:5:6:7:8', '1:0:3:4:5:6:7:8'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['::ffff:c000:201', '::ffff:192.0.2.1'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
];

for (const [text, canonical] of CANONICAL) {
  test(`${text} is written ${canonical} (RFC 5952 §4)`, () => {
    const address = parseIpAddress(text);
    assert.equal(address, canonical);
    assert.ok(address);
    assert.equal(formatIpAddress(ipAddressOctets(address)), canonical);
  });
}

const REFUSED = [
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '01.2.3.4',
  '1.2.3.4 ',
  '1.2.3.-4',
  '0x7f.0.0.1',
  '127.1',
  '1.2.3.4:80',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '12345::',
  'g::',
  '::1%eth0',
  '[::1]',
  '1:2:3:4:5:6:7::8',
  ':1:2:3:4:5:6:7:8',
  '1:2:3:4:5:6:7:8:',
  '::1.2.3',
  '::1.2.3.4:5',
  '1.2.3.4::',
  '::256.1.1.1',
  '::ffff:01.2.3.4',
  '١.٢.٣.٤',
];

for (const text of REFUSED) {
  test(`${JSON.stringify(text)} is not an IP address`, () => assert.equal(parseIpAddress(text), null));
}

for (const length of [0, 3, 5, 8, 15, 17, 32]) {
  test(`${length} octets are not an IP address`, () => assert.equal(formatIpAddress(new Uint8Array(length)), null));
}

test('all octets go to text that Node.js accepts and back', () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    sparse(),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(octets, (bytes) => {
      const text = formatIpAddress(bytes);
      assert.ok(text !== null && (bytes.length === 4 ? isIPv4(text) : isIPv6(text)));
      assert.equal(parseIpAddress(text), text);
      assert.deepEqual(ipAddressOctets(text), bytes);
    }),
  );
});

/** IPv6 addresses with many zeros, where the rules of RFC 5952 §4.2 decide. */
function sparse(): fc.Arbitrary<Uint8Array> {
  return fc
    .array(fc.constantFrom(0, 0, 1, 0xffff), { minLength: 8, maxLength: 8 })
    .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])));
}
