import assert from 'node:assert/strict';
import test from 'node:test';
import { hex, testKey } from '../../../test/vectors/made-certificate.ts';
import { DerError } from '../asn1/der-reader.ts';
import { bitString, integer, nullValue, oid, sequence, tlv } from '../asn1/der-writer.ts';
import { TAG } from '../asn1/tags.ts';
import { describeKey, keyAlgorithmOf, parseSubjectPublicKeyInfo } from './public-key.ts';

/** RFC 8410 §10.1. */
const ED25519 = hex('302a300506032b6570032100 19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1');

test('the example of RFC 8410 §10.1 is an Ed25519 key', () => {
  const key = parseSubjectPublicKeyInfo(ED25519);
  assert.equal(key.kind, 'ed25519');
  assert.deepEqual(key.raw, ED25519);
  assert.equal(Buffer.from(key.subjectPublicKey).toString('hex').slice(0, 8), '19bf4409');
});

test('numbers of an RSA key come without sign octets', () => {
  const key = parseSubjectPublicKeyInfo(testKey('rsa-2048').publicKey);
  assert.ok(key.kind === 'rsa');
  assert.deepEqual(
    [key.bits, key.modulus.byteLength, Buffer.from(key.exponent).toString('hex')],
    [2048, 256, '010001'],
  );
});

const RSA = '1.2.840.113549.1.1.1';
const rsaNumbers = sequence(integer(2n ** 1023n + 1n), integer(3));

const DESCRIBED: readonly [der: Uint8Array, text: string][] = [
  [sequence(sequence(oid(RSA), nullValue()), bitString(rsaNumbers)), 'rsa-1024'],
  [sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.3.132.0.10')), bitString(hex('04'))), 'ecdsa-1.3.132.0.10'],
  [sequence(sequence(oid('1.2.840.10045.2.1'), sequence(integer(1))), bitString(hex('04'))), 'ecdsa-explicit'],
  [sequence(sequence(oid('1.2.3.4')), bitString(hex('00'))), 'unknown 1.2.3.4'],
];

for (const [der, text] of DESCRIBED) {
  test(`a key that no issuer can have is described as ${text}`, () => {
    const key = parseSubjectPublicKeyInfo(der);
    assert.deepEqual([describeKey(key), keyAlgorithmOf(key)], [text, null]);
  });
}

const MALFORMED: readonly [what: string, der: Uint8Array][] = [
  ['RSA without NULL parameters (RFC 3279 §2.3.1)', sequence(sequence(oid(RSA)), bitString(rsaNumbers))],
  [
    'RSA whose numbers are followed by more',
    sequence(sequence(oid(RSA), nullValue()), bitString(sequence(integer(15), integer(3), integer(1)))),
  ],
  [
    'RSA with a negative modulus',
    sequence(sequence(oid(RSA), nullValue()), bitString(sequence(tlv(TAG.INTEGER, hex('80')), integer(3)))),
  ],
  [
    'RSA with trailing octets',
    sequence(sequence(oid(RSA), nullValue()), bitString(Buffer.concat([rsaNumbers, hex('00')]))),
  ],
  ['EC without a curve', sequence(sequence(oid('1.2.840.10045.2.1')), bitString(hex('04')))],
  [
    'Ed25519 with parameters (RFC 8410 §3)',
    sequence(sequence(oid('1.3.101.112'), nullValue()), bitString(new Uint8Array(32))),
  ],
  ['Ed25519 of 31 octets', sequence(sequence(oid('1.3.101.112')), bitString(new Uint8Array(31)))],
  [
    'ML-DSA-44 of the length of ML-DSA-65 (RFC 9881 §4)',
    sequence(sequence(oid('2.16.840.1.101.3.4.3.17')), bitString(new Uint8Array(1952))),
  ],
  ['a BIT STRING with unused bits', sequence(sequence(oid('1.2.3')), tlv(TAG.BIT_STRING, hex('0180')))],
  ['a third field', sequence(sequence(oid('1.2.3')), bitString(hex('00')), nullValue())],
];

for (const [what, der] of MALFORMED) {
  test(`${what} is refused`, () => assert.throws(() => parseSubjectPublicKeyInfo(der), DerError));
}
