import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, sign } from 'node:crypto';
import test from 'node:test';
import { hex, testKey } from '../../../test/vectors/made-certificate.ts';
import { readDer } from '../asn1/der-reader.ts';
import { explicit, integer, nullValue, oid, sequence } from '../asn1/der-writer.ts';
import { publicKeyFromSpki, verifySignature } from '../crypto/verify-signature.ts';
import {
  type AlgorithmIdentifier,
  describeSignatureAlgorithm,
  KEY_ALGORITHMS,
  type KeyAlgorithm,
  readAlgorithmIdentifier,
  signatureScheme,
} from './algorithm.ts';

const algorithm = (der: Uint8Array): AlgorithmIdentifier =>
  readAlgorithmIdentifier(readDer(der, 'algorithm'), 'algorithm');
const DATA = hex('0102030405');

for (const name of Object.keys(KEY_ALGORITHMS) as KeyAlgorithm[]) {
  test(`what ${name} signs is verified, and nothing else is`, () => {
    const key = testKey(name);
    const { signatureAlgorithm } = KEY_ALGORITHMS[name];
    const signature = key.sign(DATA);
    assert.deepEqual(algorithm(signatureAlgorithm.raw), {
      ...signatureAlgorithm,
      raw: new Uint8Array(signatureAlgorithm.raw),
      parameters: signatureAlgorithm.parameters && new Uint8Array(signatureAlgorithm.parameters),
    });
    assert.equal(verifySignature(key.publicKey, signatureAlgorithm, DATA, signature), true);
    assert.equal(verifySignature(key.publicKey, signatureAlgorithm, DATA.subarray(1), signature), false);
    assert.equal(verifySignature(key.publicKey, signatureAlgorithm, DATA, signature.subarray(1)), false);
    assert.equal(verifySignature(key.publicKey, signatureAlgorithm, DATA, new Uint8Array()), false);
    assert.equal(verifySignature(testKey(name).publicKey, signatureAlgorithm, DATA, signature), false);
  });
}

/** The DER of appendix A.2 of RFC 9881, RFC 8410 §3, RFC 5758 §3.2, RFC 4055 §5. */
const IDENTIFIERS: readonly [name: KeyAlgorithm, der: string][] = [
  ['ecdsa-p256', '300a06082a8648ce3d040302'],
  ['ecdsa-p384', '300a06082a8648ce3d040303'],
  ['ecdsa-p521', '300a06082a8648ce3d040304'],
  ['rsa-2048', '300d06092a864886f70d01010b0500'],
  ['ed25519', '300506032b6570'],
  ['ml-dsa-44', '300b0609608648016503040311'],
  ['ml-dsa-65', '300b0609608648016503040312'],
  ['ml-dsa-87', '300b0609608648016503040313'],
];

for (const [name, der] of IDENTIFIERS) {
  test(`${name} signs with ${der}`, () => {
    assert.equal(Buffer.from(KEY_ALGORITHMS[name].signatureAlgorithm.raw).toString('hex'), der);
  });
}

const RSA_PSS = '1.2.840.113549.1.1.10';
const SHA256 = '2.16.840.1.101.3.4.2.1';
const SHA384 = '2.16.840.1.101.3.4.2.2';

function pss(hash: string, maskHash: string, salt: number): Uint8Array {
  const mask = sequence(oid('1.2.840.113549.1.1.8'), sequence(oid(maskHash), nullValue()));
  return sequence(
    oid(RSA_PSS),
    sequence(explicit(0, sequence(oid(hash), nullValue())), explicit(1, mask), explicit(2, integer(salt))),
  );
}

const NOT_VERIFIED: readonly [what: string, der: Uint8Array, name: string, weak: boolean | null][] = [
  ['sha1WithRSAEncryption', sequence(oid('1.2.840.113549.1.1.5'), nullValue()), 'sha1WithRSAEncryption', true],
  ['md5WithRSAEncryption', sequence(oid('1.2.840.113549.1.1.4'), nullValue()), 'md5WithRSAEncryption', true],
  ['ecdsa-with-SHA1', sequence(oid('1.2.840.10045.4.1')), 'ecdsa-with-SHA1', true],
  ['DSA', sequence(oid('1.2.840.10040.4.3')), 'dsa-with-SHA1', true],
  ['RSASSA-PSS with its default SHA-1', sequence(oid(RSA_PSS), sequence()), 'RSASSA-PSS', true],
  ['RSASSA-PSS without parameters (RFC 4055 §3.1)', sequence(oid(RSA_PSS)), 'RSASSA-PSS', null],
  ['RSASSA-PSS with another hash for its mask', pss(SHA256, SHA384, 32), 'RSASSA-PSS', null],
  ['RSASSA-PSS with a salt of another length', pss(SHA256, SHA256, 20), 'RSASSA-PSS', null],
  ['RSASSA-PSS with parameters that are no SEQUENCE', sequence(oid(RSA_PSS), nullValue()), 'RSASSA-PSS', null],
  [
    'ECDSA with parameters (RFC 5758 §3.2)',
    sequence(oid('1.2.840.10045.4.3.2'), nullValue()),
    'ecdsa-with-SHA256',
    null,
  ],
  ['Ed25519 with parameters (RFC 8410 §3)', sequence(oid('1.3.101.112'), nullValue()), 'Ed25519', null],
  ['an unknown algorithm', sequence(oid('1.2.3.4')), '1.2.3.4', null],
];

for (const [what, der, name, weak] of NOT_VERIFIED) {
  test(`${what} is ${weak ? 'recognised as weak' : 'not known'} and never verified`, () => {
    const identifier = algorithm(der);
    assert.equal(signatureScheme(identifier)?.weak ?? null, weak);
    assert.equal(describeSignatureAlgorithm(identifier), name);
    const { publicKey } = testKey();
    assert.equal(verifySignature(publicKey, identifier, DATA, DATA), false);
  });
}

test('RSASSA-PSS with SHA-256 throughout is verified (RFC 4055 §3.1)', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signature = sign('sha256', DATA, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  assert.equal(verifySignature(spki, algorithm(pss(SHA256, SHA256, 32)), DATA, signature), true);
  assert.equal(verifySignature(spki, algorithm(pss(SHA384, SHA384, 48)), DATA, signature), false);
});

test('RSA parameters may be absent (RFC 4055 §5: "MUST accept")', () => {
  const key = testKey('rsa-2048');
  assert.equal(
    verifySignature(key.publicKey, algorithm(sequence(oid('1.2.840.113549.1.1.11'))), DATA, key.sign(DATA)),
    true,
  );
});

test('a key of another kind than the algorithm is for verifies nothing', () => {
  const key = testKey('ecdsa-p256');
  assert.equal(
    verifySignature(key.publicKey, KEY_ALGORITHMS['rsa-2048'].signatureAlgorithm, DATA, key.sign(DATA)),
    false,
  );
  assert.equal(verifySignature(key.publicKey, KEY_ALGORITHMS.ed25519.signatureAlgorithm, DATA, key.sign(DATA)), false);
});

test('octets that are no key make no key object', () => {
  assert.equal(publicKeyFromSpki(hex('3000')), null);
  assert.equal(publicKeyFromSpki(new Uint8Array()), null);
});
