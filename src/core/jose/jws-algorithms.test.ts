import assert from 'node:assert/strict';
import { type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import { FlattenedSign, generateKeyPair } from 'jose';
import { JWS_VECTORS } from '../../../test/vectors/jose.ts';
import { bytesFromBase64Url } from '../bytes/base64url.ts';
import { keyFromJwk, verifyJwsSignature } from '../crypto/jws-signature.ts';
import { parseFlattenedJws } from './flattened-jws.ts';
import { jwkFitsAlgorithm, parsePublicJwk } from './jwk.ts';
import { isJwsAlgorithm, JWS_ALGORITHM_NAMES, JWS_ALGORITHMS, type JwsAlgorithm } from './jws-algorithms.ts';

function keyOf(value: unknown, algorithm: JwsAlgorithm): KeyObject {
  const jwk = parsePublicJwk(value);
  if ('why' in jwk) assert.fail(jwk.why);
  assert.ok(jwkFitsAlgorithm(jwk, algorithm));
  const key = keyFromJwk(jwk);
  return key ?? assert.fail('not a key');
}

function bytesOf(text: string): Uint8Array {
  return bytesFromBase64Url(text) ?? assert.fail('not base64url');
}

for (const { section, alg, jwk, compact } of JWS_VECTORS) {
  test(`the ${alg} signature verifies, and none with a bit changed does: ${section}`, () => {
    if (!isJwsAlgorithm(alg)) assert.fail(alg);
    const key = keyOf(jwk, alg);
    const [header = '', payload = '', signature = ''] = compact.split('.');
    const jws = parseFlattenedJws({ protected: header, payload, signature });
    if ('why' in jws) assert.fail(jws.why);
    assert.equal(jws.header.alg, alg);
    assert.equal(verifyJwsSignature(key, alg, jws.signingInput, jws.signature), true);

    const flipped = Uint8Array.from(jws.signature);
    flipped[flipped.byteLength - 1] = (flipped[flipped.byteLength - 1] ?? 0) ^ 1;
    assert.equal(verifyJwsSignature(key, alg, jws.signingInput, flipped), false);
    const otherInput = Buffer.from(`${header}.${payload}A`);
    assert.equal(verifyJwsSignature(key, alg, otherInput, jws.signature), false);
    for (const length of [0, 1, jws.signature.byteLength - 1])
      assert.equal(verifyJwsSignature(key, alg, jws.signingInput, jws.signature.subarray(0, length)), false);
    assert.equal(
      verifyJwsSignature(key, alg, jws.signingInput, Buffer.concat([jws.signature, Buffer.alloc(1)])),
      false,
    );
  });
}

test('what jose signs in every algorithm of the table verifies here, and in no other algorithm', async () => {
  for (const alg of JWS_ALGORITHM_NAMES) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const made = await new FlattenedSign(Buffer.from('{"a":1}')).setProtectedHeader({ alg }).sign(privateKey);
    const jws = parseFlattenedJws(made);
    if ('why' in jws) assert.fail(jws.why);
    const jwk = await crypto.subtle.exportKey('jwk', publicKey);
    const key = keyOf(jwk, alg);
    assert.equal(verifyJwsSignature(key, alg, jws.signingInput, jws.signature), true, alg);
    for (const other of JWS_ALGORITHM_NAMES) {
      if (other === alg || JWS_ALGORITHMS[other].keyType !== JWS_ALGORITHMS[alg].keyType) continue;
      if (JWS_ALGORITHMS[alg].keyType === 'EC') continue;
      assert.equal(verifyJwsSignature(key, other, jws.signingInput, jws.signature), false, `${alg} as ${other}`);
    }
  }
});

test('an ECDSA signature in DER, as TLS has it, is refused (RFC 7518 §3.4)', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const input = Buffer.from('a.b');
  const pem = Buffer.from(await crypto.subtle.exportKey('pkcs8', privateKey));
  const der = sign('sha256', input, { key: pem, format: 'der', type: 'pkcs8', dsaEncoding: 'der' });
  const key = keyOf(await crypto.subtle.exportKey('jwk', publicKey), 'ES256');
  assert.equal(verifyJwsSignature(key, 'ES256', input, der), false);
});

test('an ECDSA signature without its leading zeros, as Apple’s client sends some, is refused on purpose', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', privateKey));
  const key = keyOf(await crypto.subtle.exportKey('jwk', publicKey), 'ES256');
  for (let i = 0; ; i++) {
    const input = Buffer.from(`a.${i}`);
    const whole = sign('sha256', input, { key: pkcs8, format: 'der', type: 'pkcs8', dsaEncoding: 'ieee-p1363' });
    if (whole[0] !== 0) continue;
    assert.equal(verifyJwsSignature(key, 'ES256', input, whole), true);
    assert.equal(verifyJwsSignature(key, 'ES256', input, whole.subarray(1)), false);
    return;
  }
});

test('an all-zero ECDSA signature proves nothing (CVE-2022-21449)', () => {
  const key = keyOf(JWS_VECTORS[1]?.jwk, 'ES256');
  assert.equal(verifyJwsSignature(key, 'ES256', Buffer.from('a.b'), new Uint8Array(64)), false);
});

test('only public-key algorithms are known (RFC 8555 §6.2: no "none", no MAC)', () => {
  for (const name of ['none', 'None', 'HS256', 'HS384', 'HS512', 'RS1', 'ES256K', 'es256', '', 'toString', '__proto__'])
    assert.equal(isJwsAlgorithm(name), false, name);
  assert.ok(JWS_ALGORITHM_NAMES.includes('ES256'), 'RFC 8555 §6.2: ES256 MUST be there');
  assert.ok(JWS_ALGORITHM_NAMES.includes('EdDSA'), 'RFC 8555 §6.2: EdDSA SHOULD be there');
});

test('a length that the table gives for signatures is twice that of the curve', () => {
  for (const [text, length] of [
    ['ES256', 64],
    ['ES384', 96],
    ['ES512', 132],
    ['EdDSA', 64],
  ] as const)
    assert.equal(JWS_ALGORITHMS[text].signatureLength, length);
  assert.equal(bytesOf(JWS_VECTORS[5]?.compact.split('.')[2] ?? '').byteLength, 132);
});
