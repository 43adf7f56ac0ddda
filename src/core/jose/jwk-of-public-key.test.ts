import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { parseSubjectPublicKeyInfo } from '../x509/public-key.ts';
import { jwkThumbprint, parsePublicJwk } from './jwk.ts';
import { jwkOfPublicKey } from './jwk-of-public-key.ts';

const spki = (key: KeyObject): Uint8Array => key.export({ format: 'der', type: 'spki' });

test('a certificate’s key and an account’s key have one thumbprint, for every kind that accounts have', () => {
  for (const { publicKey } of [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    generateKeyPairSync('ec', { namedCurve: 'P-521' }),
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
    generateKeyPairSync('ed25519'),
  ]) {
    const account = parsePublicJwk(publicKey.export({ format: 'jwk' }));
    if ('why' in account) assert.fail(account.why);
    const jwk = jwkOfPublicKey(parseSubjectPublicKeyInfo(spki(publicKey)));
    assert.deepEqual(jwk, account);
    assert.equal(jwk && jwkThumbprint(jwk), jwkThumbprint(account));
  }
});

test('a key that no account can have is none', () => {
  for (const { publicKey } of [
    generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
    generateKeyPairSync('ml-dsa-44'),
    generateKeyPairSync('x25519'),
    generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }),
  ]) {
    assert.equal(jwkOfPublicKey(parseSubjectPublicKeyInfo(spki(publicKey))), null);
  }
});

test('a compressed point, which key-check refuses, is none', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const info = parseSubjectPublicKeyInfo(spki(publicKey));
  if (info.kind !== 'ec') assert.fail(info.kind);
  const compressed = Buffer.concat([Uint8Array.of(2), info.point.subarray(1, 33)]);
  assert.equal(jwkOfPublicKey({ ...info, point: compressed }), null);
});
