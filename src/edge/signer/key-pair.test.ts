import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { test } from 'node:test';
import { verifySignature } from '../../core/crypto/verify-signature.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { parseSubjectPublicKeyInfo } from '../../core/x509/public-key.ts';
import { algorithmOfKey, generateKey, publicKeyDer, signWith } from './key-pair.ts';

const DATA = Buffer.from('to be signed');

for (const algorithm of Object.keys(KEY_ALGORITHMS) as KeyAlgorithm[]) {
  test(`a new ${algorithm} key is known as one, and what it signs is verified by node and by core`, async () => {
    const key = await generateKey(algorithm);
    const { digest, signatureAlgorithm } = KEY_ALGORITHMS[algorithm];
    assert.equal(algorithmOfKey(key), algorithm);
    assert.ok(createPublicKey(key).export({ type: 'spki', format: 'der' }).equals(publicKeyDer(key)));
    parseSubjectPublicKeyInfo(publicKeyDer(key), 'key');
    const sign = signWith(key, algorithm);
    // At once, as they come under load; those of slow keys are made in the thread pool.
    const signatures = await Promise.all([DATA, DATA, Buffer.alloc(0), Buffer.alloc(100_000, 1)].map(sign));
    for (const [index, data] of [DATA, DATA, Buffer.alloc(0), Buffer.alloc(100_000, 1)].entries()) {
      const signature = signatures[index] ?? new Uint8Array();
      assert.ok(verify(digest, data, createPublicKey(key), signature));
      assert.ok(verifySignature(publicKeyDer(key), signatureAlgorithm, data, signature));
    }
    const [signature = new Uint8Array()] = signatures;
    const changed = Uint8Array.from(signature);
    changed[changed.byteLength - 1] = (changed[changed.byteLength - 1] ?? 0) ^ 1;
    assert.ok(!verifySignature(publicKeyDer(key), signatureAlgorithm, DATA, changed));
    assert.ok(!verifySignature(publicKeyDer(key), signatureAlgorithm, Buffer.from('something else'), signature));
  });
}

test('two new keys differ', async () => {
  const [one, two] = await Promise.all([generateKey('ecdsa-p256'), generateKey('ecdsa-p256')]);
  assert.notDeepEqual(publicKeyDer(one), publicKeyDer(two));
});

for (const [what, key] of [
  ['a curve that no certificate of ours has', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey],
  ['RSA of 1024 bits', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey],
  ['RSA-PSS', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey],
  ['Ed448', generateKeyPairSync('ed448').privateKey],
  ['X25519', generateKeyPairSync('x25519').privateKey],
] as const) {
  test(`a key of another kind is none of ours: ${what}`, () => {
    assert.equal(algorithmOfKey(key), null);
  });
}
