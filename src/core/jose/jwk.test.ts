import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { calculateJwkThumbprint } from 'jose';
import {
  JWS_VECTORS,
  RFC7638_KEY,
  RFC7638_THUMBPRINT,
  RFC8037_KEY,
  RFC8037_THUMBPRINT,
} from '../../../test/vectors/jose.ts';
import { base64UrlFromBytes } from '../bytes/base64url.ts';
import { keyFromJwk } from '../crypto/jws-signature.ts';
import { jwkFitsAlgorithm, jwkThumbprint, type PublicJwk, parsePublicJwk } from './jwk.ts';
import { JWS_ALGORITHM_NAMES } from './jws-algorithms.ts';

function parsed(value: unknown): PublicJwk {
  const jwk = parsePublicJwk(value);
  if ('why' in jwk) assert.fail(jwk.why);
  return jwk;
}

function made(type: 'P-256' | 'P-384' | 'P-521' | 'Ed25519' | 2048): Record<string, unknown> {
  const { publicKey } =
    type === 'Ed25519'
      ? generateKeyPairSync('ed25519')
      : type === 2048
        ? generateKeyPairSync('rsa', { modulusLength: type })
        : generateKeyPairSync('ec', { namedCurve: type });
  return { ...publicKey.export({ format: 'jwk' }) };
}

const EC = JWS_VECTORS[1]?.jwk ?? {};
const zeros = (byteLength: number): string => base64UrlFromBytes(new Uint8Array(byteLength));
const modulus = (bits: number): string => {
  const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(0xff);
  bytes[0] = 0xff >> (bytes.byteLength * 8 - bits);
  return base64UrlFromBytes(bytes);
};

test('thumbprints are those that RFC 7638 §3.1 and RFC 8037 appendix A.3 print', () => {
  assert.equal(jwkThumbprint(parsed(RFC7638_KEY)), RFC7638_THUMBPRINT);
  assert.equal(jwkThumbprint(parsed(RFC8037_KEY)), RFC8037_THUMBPRINT);
});

test('jose computes the same thumbprint for a key of every kind', async () => {
  for (const type of ['P-256', 'P-384', 'P-521', 'Ed25519', 2048] as const) {
    const jwk = made(type);
    assert.equal(jwkThumbprint(parsed(jwk)), await calculateJwkThumbprint(jwk));
  }
});

test('members beside the required ones are left out (RFC 7638 §3.2), and so do not change the thumbprint', () => {
  assert.deepEqual(Object.keys(parsed(RFC7638_KEY)).sort(), ['e', 'kty', 'n']);
  assert.deepEqual(parsed({ ...EC, kid: 'x', use: 'sig', key_ops: ['verify'], x5c: [] }), EC);
  assert.deepEqual(parsed({ ...EC, __proto__: { x: 'y' } }), EC);
});

const DEEP = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown;

const REFUSED: readonly (readonly [what: string, jwk: unknown, why: RegExp])[] = [
  ['null', null, /not an object/],
  ['a string', 'x', /not an object/],
  ['an array', [EC], /not an object/],
  ['no kty', {}, /key type undefined/],
  ['a symmetric key', { kty: 'oct', k: 'AAAA' }, /private or symmetric/],
  ['an unknown type', { kty: 'AKP' }, /key type "AKP"/],
  ['the type in lower case', { ...EC, kty: 'ec' }, /key type "ec"/],
  ['a type that is not a string', { kty: ['EC'] }, /key type object/],
  ['a type that is nested deeply', { kty: DEEP }, /key type object/],
  ['a type that cannot be made a string', { kty: { toString: null } }, /key type object/],
  ['a curve that cannot be made a string', { ...EC, crv: { toString: 1, valueOf: 1 } }, /curve object/],
  ['a private EC key', { ...EC, d: zeros(32) }, /private/],
  ['a private member of another type', { ...EC, d: null }, /private/],
  ['P-256K', { ...EC, crv: 'secp256k1' }, /curve "secp256k1"/],
  ['no curve', { ...EC, crv: undefined }, /curve undefined/],
  ['the curve of another type', { ...EC, crv: 'Ed25519' }, /curve "Ed25519"/],
  ['coordinates of another curve', { ...EC, crv: 'P-384' }, /48 bytes/],
  ['a missing y', { ...EC, y: undefined }, /32 bytes/],
  ['an x with padding', { ...EC, x: `${EC.x}=` }, /32 bytes/],
  ['an x in the base64 alphabet', { ...EC, x: `+${EC.x?.slice(1)}` }, /32 bytes/],
  ['an x without its leading zero', { ...EC, x: zeros(31) }, /32 bytes/],
  ['an x with a zero too many', { ...EC, x: zeros(33) }, /32 bytes/],
  ['an x with stray trailing bits', { ...EC, x: `${EC.x?.slice(0, -1)}V` }, /32 bytes/],
  ['X25519, which does not sign', { kty: 'OKP', crv: 'X25519', x: zeros(32) }, /curve "X25519"/],
  ['Ed448', { kty: 'OKP', crv: 'Ed448', x: zeros(57) }, /curve "Ed448"/],
  ['an Ed25519 key of 31 bytes', { kty: 'OKP', crv: 'Ed25519', x: zeros(31) }, /32 bytes/],
  ['a private Ed25519 key', { ...RFC8037_KEY, d: zeros(32) }, /private/],
  ['RSA without e', { kty: 'RSA', n: modulus(2048) }, /n and e/],
  ['RSA with a number as e', { kty: 'RSA', n: modulus(2048), e: 65537 }, /n and e/],
  ['RSA with an empty n', { kty: 'RSA', n: '', e: 'AQAB' }, /n and e/],
  ['RSA with a leading zero in n (RFC 7518 §6.3.1.1)', { kty: 'RSA', n: `AA${modulus(2048)}`, e: 'AQAB' }, /n and e/],
  ['RSA with a leading zero in e', { kty: 'RSA', n: modulus(2048), e: 'AAEAAQ' }, /n and e/],
  ['RSA-512', { kty: 'RSA', n: modulus(512), e: 'AQAB' }, /512 bits; 2048 to 8192/],
  ['RSA-1024', { kty: 'RSA', n: modulus(1024), e: 'AQAB' }, /1024 bits/],
  ['RSA-2047', { kty: 'RSA', n: modulus(2047), e: 'AQAB' }, /2047 bits/],
  ['RSA-8193', { kty: 'RSA', n: modulus(8193), e: 'AQAB' }, /8193 bits/],
  ['RSA-16384', { kty: 'RSA', n: modulus(16384), e: 'AQAB' }, /16384 bits/],
  ['RSA with an exponent of 72 bits', { kty: 'RSA', n: modulus(2048), e: modulus(72) }, /exponent is too large/],
  ['RSA with the exponent 1, which signs nothing', { kty: 'RSA', n: modulus(2048), e: 'AQ' }, /exponent/],
  ['RSA with an even exponent', { kty: 'RSA', n: modulus(2048), e: 'AQAA' }, /exponent/],
];

test('a key of another kind, size or spelling, or one with private members, is refused with the reason', () => {
  for (const [what, jwk, why] of REFUSED) {
    const result = parsePublicJwk(jwk);
    if (!('why' in result)) assert.fail(what);
    assert.match(result.why, why, what);
    assert.ok(result.why.length < 200, `${what}: the reason does not repeat what was sent`);
  }
});

test('RSA keys from 2048 to 8192 bits are taken', () => {
  for (const bits of [2048, 2056, 3072, 4096, 8192]) parsed({ kty: 'RSA', n: modulus(bits), e: 'AQAB' });
});

test('a point off the curve is no key', () => {
  assert.equal(keyFromJwk(parsed({ ...EC, y: EC.x })), null);
  assert.equal(keyFromJwk(parsed({ ...EC, x: zeros(32), y: zeros(32) })), null);
  assert.notEqual(keyFromJwk(parsed(EC)), null);
});

test('each algorithm fits the keys of its type and curve alone (RFC 7518 §3.1, §3.4)', () => {
  const fitting: Record<string, readonly string[]> = {
    'P-256': ['ES256'],
    'P-384': ['ES384'],
    'P-521': ['ES512'],
    Ed25519: ['EdDSA'],
    2048: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  };
  for (const type of ['P-256', 'P-384', 'P-521', 'Ed25519', 2048] as const) {
    const jwk = parsed(made(type));
    assert.deepEqual(
      JWS_ALGORITHM_NAMES.filter((algorithm) => jwkFitsAlgorithm(jwk, algorithm)),
      fitting[type],
    );
  }
});
