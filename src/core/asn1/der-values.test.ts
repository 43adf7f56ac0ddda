import assert from 'node:assert/strict';
import test from 'node:test';
import { hex } from '../../../test/vectors/made-certificate.ts';
import { formatRfc3339 } from '../time/instant.ts';
import { DerError, readDer } from './der-reader.ts';
import {
  readBitString,
  readBitStringOctets,
  readBoolean,
  readIntegerBytes,
  readNamedBits,
  readOid,
  readSmallInteger,
  readString,
  readTime,
  readUnsignedInteger,
} from './der-values.ts';

/** One row: the reader, the DER, and what it reads; `null` where it must refuse. */
const ROWS: readonly [
  what: string,
  read: (der: Uint8Array) => unknown,
  rows: readonly [der: string, value: unknown][],
][] = [
  [
    'BOOLEAN (X.690 §11.1)',
    (der) => readBoolean(readDer(der, 'it'), 'it'),
    [
      ['0101ff', true],
      ['010100', false],
      ['010101', null],
      ['0100', null],
      ['0102ffff', null],
      ['0201ff', null],
    ],
  ],
  [
    'INTEGER octets (X.690 §8.3)',
    (der) => Buffer.from(readIntegerBytes(readDer(der, 'it'), 'it')).toString('hex'),
    [
      ['020100', '00'],
      ['02020080', '0080'],
      ['0201ff', 'ff'],
      ['0200', null],
      ['02020001', null],
      ['0202ffff', null],
      ['0202ff80', null],
      ['0202ff7f', 'ff7f'],
    ],
  ],
  [
    'unsigned INTEGER',
    (der) => Buffer.from(readUnsignedInteger(readDer(der, 'it'), 'it')).toString('hex'),
    [
      ['020100', '00'],
      ['02020080', '80'],
      ['020180', null],
      ['0201ff', null],
    ],
  ],
  [
    'small INTEGER',
    (der) => readSmallInteger(readDer(der, 'it'), 'it'),
    [
      ['020100', 0],
      ['02047fffffff', 2147483647],
      ['02050080000000', null],
      ['0209008000000000000000', null],
      ['0201ff', null],
    ],
  ],
  [
    'OBJECT IDENTIFIER (X.690 §8.19)',
    (der) => readOid(readDer(der, 'it'), 'it'),
    [
      ['06032a8648', '1.2.840'],
      ['06022a86', null],
      ['06062a864886f70d', '1.2.840.113549'],
      ['0603550403', '2.5.4.3'],
      ['0603883703', '2.999.3'],
      ['060100', '0.0'],
      ['060127', '0.39'],
      ['060128', '1.0'],
      ['06014f', '1.39'],
      ['060150', '2.0'],
      ['0600', null],
      ['06022a80', null],
      ['0603808001', null],
      ['0603550480', null],
      // 2.25.<UUID of 128 bits> (X.667)
      ['06146983ffffffffffffffffffffffffffffffffff7f', '2.25.340282366920938463463374607431768211455'],
      ['060969bfffffffffffff7f', '2.25.36028797018963967'],
      [`0641${'01'.repeat(65)}`, null],
    ],
  ],
  [
    'BIT STRING of octets (X.690 §11.2)',
    (der) => Buffer.from(readBitStringOctets(readDer(der, 'it'), 'it')).toString('hex'),
    [
      ['0303000102', '0102'],
      ['030100', ''],
      ['0300', null],
      ['03020100', null],
    ],
  ],
  [
    'BIT STRING',
    (der) => readBitString(readDer(der, 'it'), 'it').unusedBits,
    [
      ['03020780', 7],
      ['03020880', null],
      ['030101', null],
      ['03020781', null],
    ],
  ],
  [
    'named bits (X.690 §11.2.2)',
    (der) => readNamedBits(readDer(der, 'it'), 'it'),
    [
      ['03020780', [0]],
      ['03020106', [5, 6]],
      ['0303070080', [8]],
      ['030100', []],
      ['03020680', null],
      ['0303000600', null],
    ],
  ],
  [
    'time (RFC 5280 §4.1.2.5)',
    (der) => formatRfc3339(readTime(readDer(der, 'it'), 'it')),
    [
      [time(0x17, '491231235959Z'), '2049-12-31T23:59:59Z'],
      [time(0x17, '500101000000Z'), '1950-01-01T00:00:00Z'],
      [time(0x18, '20500101000000Z'), '2050-01-01T00:00:00Z'],
      [time(0x18, '99991231235959Z'), '9999-12-31T23:59:59Z'],
      [time(0x18, '20240229000000Z'), '2024-02-29T00:00:00Z'],
      [time(0x17, '2601010000Z'), null],
      [time(0x17, '260101000000+0100'), null],
      [time(0x17, '260101000000'), null],
      [time(0x17, '20260101000000Z'), null],
      [time(0x18, '20260101000000.5Z'), null],
      [time(0x18, '260101000000Z'), null],
      [time(0x17, '260229000000Z'), null],
      [time(0x17, '261301000000Z'), null],
      [time(0x17, '260101240000Z'), null],
      [time(0x17, '260101000060Z'), null],
      [time(0x17, '26010100000 Z'), null],
      [time(0x17, '2601-1000000Z'), null],
      [time(0x0c, '260101000000Z'), null],
    ],
  ],
  [
    'character strings (X.680 §41)',
    (der) => readString(readDer(der, 'it'), 'it'),
    [
      ['0c04c3a9e282', null],
      ['0c05c3a9e282ac', 'é€'],
      ['0c03efbfbd', '\ufffd'],
      ['0c03edA080', null],
      ['0c02c080', null],
      ['0c0141', 'A'],
      ['130141', 'A'],
      ['1301e9', null],
      ['160180', null],
      ['1401e9', 'é'],
      ['1e0420ac0041', '€A'],
      ['1e03000041', null],
      ['040141', null],
    ],
  ],
];

function time(tag: number, text: string): string {
  return Buffer.from([tag, text.length, ...Buffer.from(text)]).toString('hex');
}

for (const [what, read, rows] of ROWS) {
  for (const [der, value] of rows) {
    test(`${what}: ${der} ${value === null ? 'is refused' : `is ${JSON.stringify(value)}`}`, () => {
      if (value === null) assert.throws(() => read(hex(der.toLowerCase())), DerError);
      else assert.deepEqual(read(hex(der)), value);
    });
  }
}
