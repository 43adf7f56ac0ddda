import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { at, hex } from '../../../test/vectors/made-certificate.ts';
import { addSeconds, formatRfc3339, instantFromSeconds } from '../time/instant.ts';
import { readDer, readElements } from './der-reader.ts';
import { readNamedBits, readOid, readSmallInteger, readTime, readUnsignedInteger } from './der-values.ts';
import {
  bitString,
  boolean,
  enumerated,
  explicit,
  generalizedTime,
  ia5String,
  implicit,
  integer,
  namedBits,
  nullValue,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  time,
  unsignedInteger,
  utf8String,
} from './der-writer.ts';

const SLOW = process.env.SLOW === '1';

const ENCODINGS: readonly [what: string, encoded: Uint8Array, der: string][] = [
  ['true is FF (X.690 §11.1)', boolean(true), '0101ff'],
  ['false is 00', boolean(false), '010100'],
  ['NULL', nullValue(), '0500'],
  ['0 has one octet (X.690 §8.3)', integer(0), '020100'],
  ['127', integer(127), '02017f'],
  ['128 takes a sign octet', integer(128), '02020080'],
  ['a bigint', integer(2n ** 64n), '0209010000000000000000'],
  ['leading zeros of a magnitude are dropped', unsignedInteger(hex('00000080')), '02020080'],
  ['an empty magnitude is 0', unsignedInteger(new Uint8Array()), '020100'],
  ['ENUMERATED', enumerated(1), '0a0101'],
  ['OBJECT IDENTIFIER 2.5.4.3 (X.690 §8.19)', oid('2.5.4.3'), '0603550403'],
  ['OBJECT IDENTIFIER 1.2.840.113549', oid('1.2.840.113549'), '06062a864886f70d'],
  ['OBJECT IDENTIFIER 2.999.3', oid('2.999.3'), '0603883703'],
  ['no named bit (X.690 §11.2.2)', namedBits([]), '030100'],
  ['named bit 0', namedBits([0]), '03020780'],
  ['named bits 5 and 6', namedBits([6, 5]), '03020106'],
  ['named bit 8', namedBits([8]), '0303070080'],
  ['BIT STRING of octets', bitString(hex('0102')), '0303000102'],
  ['OCTET STRING', octetString(hex('0102')), '04020102'],
  ['UTF8String', utf8String('é'), '0c02c3a9'],
  ['PrintableString', printableString('A'), '130141'],
  ['IA5String', ia5String('a'), '160161'],
  ['EXPLICIT [3] (X.690 §8.14)', explicit(3, integer(1)), 'a303020101'],
  ['IMPLICIT [2]', implicit(2, hex('61')), '820161'],
  ['SET OF is sorted (X.690 §11.6)', setOf(integer(3), integer(1), boolean(true)), '31090101ff020101020103'],
  ['UTCTime through 2049 (RFC 5280 §4.1.2.5)', time(at('2049-12-31T23:59:59Z')), `170d${ascii('491231235959Z')}`],
  ['GeneralizedTime from 2050', time(at('2050-01-01T00:00:00Z')), `180f${ascii('20500101000000Z')}`],
  ['GeneralizedTime before 1950', time(at('1949-12-31T23:59:59Z')), `180f${ascii('19491231235959Z')}`],
  ['GeneralizedTime on demand', generalizedTime(at('2026-11-25T02:15:53Z')), `180f${ascii('20261125021553Z')}`],
  ['a length of 127', octetString(new Uint8Array(127)), `047f${'00'.repeat(127)}`],
  ['a length of 128', octetString(new Uint8Array(128)), `048180${'00'.repeat(128)}`],
  ['a length of 256', octetString(new Uint8Array(256)), `04820100${'00'.repeat(256)}`],
];

function ascii(text: string): string {
  return Buffer.from(text).toString('hex');
}

for (const [what, encoded, der] of ENCODINGS) {
  test(`${what}: ${der.slice(0, 40)}`, () => assert.equal(Buffer.from(encoded).toString('hex'), der));
}

test('a length of 65536 takes three octets', () => {
  assert.equal(Buffer.from(octetString(new Uint8Array(65536)).subarray(0, 5)).toString('hex'), '0483010000');
});

const NOT_ENCODABLE: readonly [what: string, encode: () => Uint8Array][] = [
  ['a negative INTEGER', () => integer(-1)],
  ['an object identifier of one arc', () => oid('1')],
  ['an object identifier with a root above 2', () => oid('3.1')],
  ['a second arc above 39 below root 1', () => oid('1.40')],
  ['an arc with a leading zero', () => oid('1.2.03')],
  ['a year above 9999', () => time(addSeconds(at('9999-12-31T23:59:59Z'), 1))],
];

for (const [what, encode] of NOT_ENCODABLE) {
  test(`${what} is not encoded`, () => assert.throws(encode, RangeError));
}

test('what is written is read back: integers, object identifiers, times, bits', () => {
  const runs = { numRuns: SLOW ? 20_000 : 200 };
  const secondsOfCenturies = fc.integer({ min: Date.UTC(1900) / 1000, max: Date.UTC(2200) / 1000 });
  const arcs = fc.array(fc.bigInt({ min: 0n, max: 2n ** 60n }), { maxLength: 5 });
  fc.assert(
    fc.property(fc.nat(), (n) => assert.equal(readSmallInteger(readDer(integer(n), 'n'), 'n'), n)),
    runs,
  );
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 160n }), (n) => {
      const octets = readUnsignedInteger(readDer(integer(n), 'n'), 'n');
      assert.equal(BigInt(`0x${Buffer.from(octets).toString('hex')}`), n);
    }),
    runs,
  );
  fc.assert(
    fc.property(fc.constantFrom('0.9', '1.3', '2.25', '2.999'), arcs, (root, rest) => {
      const dotted = [root, ...rest].join('.');
      assert.equal(readOid(readDer(oid(dotted), 'oid'), 'oid'), dotted);
    }),
    runs,
  );
  fc.assert(
    fc.property(secondsOfCenturies, (seconds) => {
      const instant = instantFromSeconds(seconds);
      assert.equal(formatRfc3339(readTime(readDer(time(instant), 't'), 't')), formatRfc3339(instant));
    }),
    runs,
  );
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(30)), (bits) => {
      assert.deepEqual(
        readNamedBits(readDer(namedBits(bits), 'bits'), 'bits'),
        bits.toSorted((a, b) => a - b),
      );
    }),
    runs,
  );
});

test('elements of a SEQUENCE keep their order and octets', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (contents) => {
      const elements = contents.map(octetString);
      assert.deepEqual(
        readElements(readDer(sequence(...elements), 'it'), 'it').map(({ raw }) => Buffer.from(raw)),
        elements.map((element) => Buffer.from(element)),
      );
    }),
    { numRuns: SLOW ? 10_000 : 100 },
  );
});
