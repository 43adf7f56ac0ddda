import assert from 'node:assert/strict';
import test from 'node:test';
import { dns, hex, testKey } from '../../../test/vectors/made-certificate.ts';
import { DerError } from '../asn1/der-reader.ts';
import { bitString, integer, octetString, oid, sequence, setOf, tlv } from '../asn1/der-writer.ts';
import { contextTag } from '../asn1/tags.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from './algorithm.ts';
import { assembleCsr, encodeCsrInfo, parseCsr, verifyCsrSignature } from './csr.ts';
import type { GeneralName } from './general-name.ts';
import { parseIpAddress } from './ip-address.ts';
import { commonNames, encodeName, formatName } from './name.ts';

const address = parseIpAddress('2001:db8::1');
assert.ok(address);
const NAMES: readonly GeneralName[] = [
  ...dns('api.internal', '*.api.internal'),
  { kind: 'ip', value: address },
  { kind: 'uri', value: 'spiffe://example.org/api' },
];

for (const algorithm of Object.keys(KEY_ALGORITHMS) as KeyAlgorithm[]) {
  test(`a CSR of a key of ${algorithm} is written, read and verified (RFC 2986)`, () => {
    const key = testKey(algorithm);
    const info = encodeCsrInfo({ publicKey: key.publicKey, commonName: 'api.internal', names: NAMES });
    const csr = parseCsr(assembleCsr(info, algorithm, key.sign(info)));
    assert.deepEqual(csr.names, NAMES);
    assert.deepEqual(commonNames(csr.subject), ['api.internal']);
    assert.deepEqual(csr.publicKey.raw, key.publicKey);
    assert.equal(verifyCsrSignature(csr), true);
  });
}

const key = testKey();

function csrOf(info: Uint8Array, algorithm: Uint8Array = KEY_ALGORITHMS['ecdsa-p256'].signatureAlgorithm.raw) {
  return parseCsr(sequence(info, algorithm, bitString(key.sign(info))));
}

test('a CSR without a common name has an empty subject and critical names', () => {
  const csr = csrOf(encodeCsrInfo({ publicKey: key.publicKey, names: NAMES }));
  assert.equal(formatName(csr.subject), '');
  assert.equal(csr.extensions[0]?.critical, true);
});

test('a CSR without names has empty attributes', () => {
  const csr = csrOf(encodeCsrInfo({ publicKey: key.publicKey, commonName: 'a', names: [] }));
  assert.deepEqual([csr.names, csr.extensions], [[], []]);
});

test('a signature by another key, or over other octets, does not verify', () => {
  const info = encodeCsrInfo({ publicKey: testKey().publicKey, names: NAMES });
  assert.equal(verifyCsrSignature(csrOf(info)), false);
});

test('a SHA-1 signature does not verify', () => {
  const info = encodeCsrInfo({ publicKey: key.publicKey, names: NAMES });
  assert.equal(verifyCsrSignature(csrOf(info, sequence(oid('1.2.840.10045.4.1')))), false);
});

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const subjectAltName = sequence(oid('2.5.29.17'), octetString(hex('3003820161')));
const attribute = (type: string, ...values: readonly Uint8Array[]): Uint8Array => sequence(oid(type), setOf(...values));
const info = (...attributes: readonly Uint8Array[]): Uint8Array =>
  sequence(integer(0), encodeName({ commonName: 'a' }), key.publicKey, tlv(contextTag(0, true), ...attributes));

test('attributes that are left out altogether are read as none', () => {
  assert.deepEqual(csrOf(sequence(integer(0), encodeName({}), key.publicKey)).names, []);
});

test('other attributes (challengePassword) are passed over', () => {
  const csr = csrOf(
    info(attribute('1.2.840.113549.1.9.7', hex('0c0161')), attribute(EXTENSION_REQUEST, sequence(subjectAltName))),
  );
  assert.deepEqual(csr.names, dns('a'));
});

const REFUSED: readonly [what: string, info: Uint8Array][] = [
  ['of version 2', sequence(integer(1), encodeName({}), key.publicKey, tlv(contextTag(0, true)))],
  [
    'with two extensionRequests (RFC 2985 §5.4.2: SINGLE VALUE)',
    info(attribute(EXTENSION_REQUEST, sequence()), attribute(EXTENSION_REQUEST, sequence())),
  ],
  ['with two values in its extensionRequest', info(attribute(EXTENSION_REQUEST, sequence(), sequence(subjectAltName)))],
  ['with an empty extensionRequest', info(attribute(EXTENSION_REQUEST))],
  ['with the same extension twice', info(attribute(EXTENSION_REQUEST, sequence(subjectAltName, subjectAltName)))],
  [
    'with a damaged name',
    info(attribute(EXTENSION_REQUEST, sequence(sequence(oid('2.5.29.17'), octetString(hex('300382026 1')))))),
  ],
  [
    'with a field after its attributes',
    sequence(integer(0), encodeName({}), key.publicKey, tlv(contextTag(0, true)), integer(1)),
  ],
  ['with a damaged key', sequence(integer(0), encodeName({}), sequence(integer(1)), tlv(contextTag(0, true)))],
];

for (const [what, bytes] of REFUSED) {
  test(`a CSR ${what} is refused`, () => assert.throws(() => csrOf(bytes), DerError));
}
