import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { hex } from '../../../test/vectors/made-certificate.ts';
import { DerError, readDer, readElements, readExplicit, readSequence } from './der-reader.ts';
import { octetString, sequence } from './der-writer.ts';
import { TAG } from './tags.ts';

const SLOW = process.env.SLOW === '1';

const WELL_FORMED: readonly [what: string, der: string, tag: number, content: string][] = [
  ['an empty SEQUENCE', '3000', 0x30, ''],
  ['a short length', '0403010203', 0x04, '010203'],
  ['the longest short length, 127', `047f${'00'.repeat(127)}`, 0x04, '00'.repeat(127)],
  ['128, the shortest long length', `048180${'00'.repeat(128)}`, 0x04, '00'.repeat(128)],
  ['256, two octets of length', `04820100${'00'.repeat(256)}`, 0x04, '00'.repeat(256)],
];

for (const [what, der, tag, content] of WELL_FORMED) {
  test(`${what} is read (X.690 §8.1)`, () => {
    const element = readDer(hex(der), 'it');
    assert.deepEqual([element.tag, Buffer.from(element.content).toString('hex')], [tag, content]);
    assert.deepEqual(element.raw, hex(der));
  });
}

const MALFORMED: readonly [what: string, der: string, offset: number, message: RegExp][] = [
  ['nothing at all', '', 0, /missing/],
  ['a tag without a length', '30', 1, /length is missing/],
  ['trailing bytes', '300000', 2, /trailing bytes/],
  ['an indefinite length (§10.1)', '30800000', 1, /indefinite/],
  ['a long length that fits the short form (§10.1)', '04810100', 1, /not minimal/],
  ['a long length of 127', `04817f${'00'.repeat(127)}`, 1, /not minimal/],
  ['a length with a leading zero octet', `0482008000`, 1, /not minimal/],
  ['a length beyond the input', '04050102', 1, /length 5 reaches beyond the input/],
  ['a length of 4 GiB', '0484ffffffff00', 1, /length 4294967295 reaches beyond/],
  ['a length of five octets', '048500000001ff', 1, /more than four octets/],
  ['a length of 127 octets', '04ff00', 1, /more than four octets/],
  ['a length that is cut off', '048201', 1, /cut off/],
  ['a tag number above 30', '1f8100', 0, /above 30/],
];

for (const [what, der, offset, message] of MALFORMED) {
  test(`${what} is refused with the offset`, () => {
    assert.throws(
      () => readDer(hex(der), 'it'),
      (error) =>
        error instanceof DerError && error.path === 'it' && error.offset === offset && message.test(error.message),
    );
  });
}

test('errors carry the path of the field and the offset in the outermost input', () => {
  // SEQUENCE { OCTET STRING { SEQUENCE { BOOLEAN, <cut> } } }
  const inner = hex('30050101ff0405');
  const outer = sequence(octetString(inner));
  assert.throws(
    () =>
      readSequence(readDer(outer, 'outer'), 'outer', (fields) => {
        const wrapped = fields.required(TAG.OCTET_STRING, 'wrapped');
        return readSequence(readExplicit(wrapped, 'outer.wrapped'), 'outer.wrapped', (inside) => {
          inside.required(TAG.BOOLEAN, 'flag');
          inside.required(TAG.OCTET_STRING, 'value');
        });
      }),
    { path: 'outer.wrapped.value', offset: 10, message: /^outer\.wrapped\.value at byte 10: length 5 reaches/ },
  );
});

test('a field with another tag is refused and named', () => {
  const read = (): unknown =>
    readSequence(readDer(hex('30030101ff'), 'it'), 'it', (fields) => fields.required(TAG.INTEGER, 'count'));
  assert.throws(read, { path: 'it.count', message: /expected INTEGER, found BOOLEAN/ });
});

test('a field after the last one is refused', () => {
  const read = (): unknown =>
    readSequence(readDer(hex('30060101ff010100'), 'it'), 'it', (fields) => fields.any('only'));
  assert.throws(read, { path: 'it', offset: 5, message: /unexpected field/ });
});

test('an element cannot reach beyond the one that holds it', () => {
  // The inner length is fine for the whole input, not for the SEQUENCE around it.
  const der = hex('3004 3002 0403 01');
  assert.throws(
    () => readElements(readDer(der.subarray(0, 6), 'it'), 'it').map((inner) => readElements(inner, 'inner')),
    DerError,
  );
});

test('nesting of 100,000 levels costs nothing, because nobody descends', () => {
  const levels = 100_000;
  const buffer = Buffer.alloc(levels * 6);
  let start = buffer.byteLength;
  for (let level = 0; level < levels; level++) {
    const header = headerOf(buffer.byteLength - start);
    start -= header.byteLength;
    buffer.set(header, start);
  }
  assert.equal(readElements(readDer(buffer.subarray(start), 'deep'), 'deep').length, 1);
});

/** Identifier and length octets of a SEQUENCE. */
function headerOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(TAG.SEQUENCE, length);
  const octets = Buffer.from(length.toString(16).padStart(length < 0x100 ? 2 : length < 0x10000 ? 4 : 6, '0'), 'hex');
  return Uint8Array.of(TAG.SEQUENCE, 0x80 | octets.byteLength, ...octets);
}

test('any octets either are one element or are refused with a DerError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => {
      try {
        const element = readDer(octets, 'it');
        assert.equal(element.raw.byteLength, octets.byteLength);
        readElements(element, 'it');
      } catch (error) {
        assert.ok(error instanceof DerError);
      }
    }),
    { numRuns: SLOW ? 100_000 : 500 },
  );
});
