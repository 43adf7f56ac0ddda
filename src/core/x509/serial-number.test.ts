import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { hex } from '../../../test/vectors/made-certificate.ts';
import { DerError, readDer } from '../asn1/der-reader.ts';
import {
  encodeSerialNumber,
  parseSerialNumber,
  readSerialNumber,
  SERIAL_BYTE_LENGTH,
  serialFromRandom,
} from './serial-number.ts';

test('serials are positive and all of the same length, whatever the random octets (RFC 5280 §4.1.2.2)', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: SERIAL_BYTE_LENGTH, maxLength: SERIAL_BYTE_LENGTH }), (random) => {
      const serial = serialFromRandom(random);
      const der = encodeSerialNumber(serial);
      assert.equal(der.byteLength, 2 + SERIAL_BYTE_LENGTH);
      assert.equal(readSerialNumber(readDer(der, 'serial'), 'serial'), serial);
      assert.equal(serial.slice(2), Buffer.from(random).toString('hex').slice(2));
    }),
  );
});

test('a serial of another number of random octets is a bug', () => {
  assert.throws(() => serialFromRandom(new Uint8Array(8)), RangeError);
});

const WRITTEN: readonly [text: string, serial: string | null][] = [
  ['01', '01'],
  ['1', '01'],
  ['0x1F', '1f'],
  ['00:8F:2C', '8f2c'],
  ['8F 2C', '8f2c'],
  ['0000', '00'],
  ['', null],
  ['xyz', null],
  ['12-34', null],
];

for (const [text, serial] of WRITTEN) {
  test(`the serial written ${JSON.stringify(text)} is ${serial}`, () => assert.equal(parseSerialNumber(text), serial));
}

test('a sign octet is not part of the serial, and comes back in the encoding', () => {
  const der = hex('0203008f2c');
  const serial = readSerialNumber(readDer(der, 'serial'), 'serial');
  assert.equal(serial, '8f2c');
  assert.deepEqual(new Uint8Array(encodeSerialNumber(serial)), der);
});

test('negative serials are refused', () => {
  assert.throws(() => readSerialNumber(readDer(hex('02018f'), 'serial'), 'serial'), DerError);
});
