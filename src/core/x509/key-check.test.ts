import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import test from 'node:test';
import { testKey } from '../../../test/vectors/made-certificate.ts';
import { bitString, integer, nullValue, oid, sequence } from '../asn1/der-writer.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from './algorithm.ts';
import { checkPublicKey } from './key-check.ts';
import { describeKey, parseSubjectPublicKeyInfo } from './public-key.ts';

for (const algorithm of Object.keys(KEY_ALGORITHMS) as KeyAlgorithm[]) {
  test(`a key of ${algorithm} is accepted and called so`, () => {
    const key = parseSubjectPublicKeyInfo(testKey(algorithm).publicKey);
    assert.equal(checkPublicKey(key), null);
    assert.equal(describeKey(key), algorithm);
  });
}

function rsaKey(modulus: bigint, exponent: number | bigint = 65537): Uint8Array {
  const key = sequence(integer(modulus), integer(exponent));
  return sequence(sequence(oid('1.2.840.113549.1.1.1'), nullValue()), bitString(key));
}

function ecKey(curve: string, point: Uint8Array): Uint8Array {
  return sequence(sequence(oid('1.2.840.10045.2.1'), oid(curve)), bitString(point));
}

function generatedEc(namedCurve: string): Uint8Array {
  return new Uint8Array(generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'der' }));
}

/** A number of this many bits, odd and without the primes below 752, from `start` upwards. */
function withoutSmallFactors(start: bigint): bigint {
  for (let n = start | 1n; ; n += 2n) {
    let coprime = true;
    for (let divisor = 3n; divisor < 752n && coprime; divisor += 2n) coprime = n % divisor !== 0n;
    if (coprime) return n;
  }
}

const GOOD_MODULUS = (() => {
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  return BigInt(`0x${Buffer.from(String(key.n), 'base64url').toString('hex')}`);
})();

/** Two factors of 1024 bits, 2,000 apart. */
const CLOSE = (() => {
  const p = withoutSmallFactors(3n * 2n ** 1022n + 123_456_789n);
  return p * withoutSmallFactors(p + 2000n);
})();

/** A power of 65537 modulo the primorial of 167, the form that ROCA gives a modulus. */
const ROCA = (() => {
  const primes = Array.from({ length: 166 }, (_, n) => n + 2).filter((n) => {
    for (let divisor = 2; divisor < n; divisor++) if (n % divisor === 0) return false;
    return true;
  });
  const primorial = primes.reduce((product, prime) => product * BigInt(prime), 1n);
  let power = 1n;
  for (let i = 0; i < 4711; i++) power = (power * 65537n) % primorial;
  for (let k = 2n ** 2047n / primorial + 1n; ; k++) {
    const candidate = k * primorial + power;
    let coprime = true;
    for (let divisor = 3n; divisor < 752n && coprime; divisor += 2n) coprime = candidate % divisor !== 0n;
    if (coprime) return candidate;
  }
})();

const P256 = generatedEc('P-256');
const P256_POINT = P256.subarray(P256.byteLength - 65);
const OFF_CURVE = Uint8Array.from(P256_POINT, (octet, index) => (index === 64 ? octet ^ 1 : octet));
const COMPRESSED = Uint8Array.of(2, ...P256_POINT.subarray(1, 33));

const REFUSED: readonly [what: string, spki: Uint8Array, reason: string, detail: RegExp][] = [
  ['RSA of 1024 bits (BR §6.1.5)', rsaKey(GOOD_MODULUS >> 1024n), 'key-too-small', /1024 bits; at least 2048/],
  ['RSA of 2047 bits', rsaKey((GOOD_MODULUS >> 1n) | 1n), 'key-too-small', /2047 bits/],
  ['RSA of 2049 bits', rsaKey((GOOD_MODULUS << 1n) | 1n), 'key-size-odd', /2049 bits/],
  ['RSA of 16384 bits', rsaKey(2n ** 16383n + 1n), 'unsupported-key', /16384 bits/],
  ['RSA with exponent 3 (BR §6.1.6)', rsaKey(GOOD_MODULUS, 3), 'bad-exponent', /exponent is 3/],
  ['RSA with exponent 1', rsaKey(GOOD_MODULUS, 1), 'bad-exponent', /exponent is 1/],
  ['RSA with an even exponent', rsaKey(GOOD_MODULUS, 65538), 'bad-exponent', /65538/],
  ['RSA with an exponent of 40 bits', rsaKey(GOOD_MODULUS, 2n ** 39n + 1n), 'bad-exponent', /more than 32 bits/],
  ['RSA with an even modulus', rsaKey(GOOD_MODULUS - 1n), 'bad-modulus', /divisible by 2/],
  [
    'RSA with the factor 751 (BR §6.1.6)',
    rsaKey(751n * withoutSmallFactors(2n ** 2038n)),
    'bad-modulus',
    /divisible by 751/,
  ],
  ['RSA with the ROCA fingerprint (CVE-2017-15361)', rsaKey(ROCA), 'roca', /ROCA/],
  ['RSA with close primes (CVE-2022-26320)', rsaKey(CLOSE), 'close-primes', /Fermat/],
  ['RSA that is a square', rsaKey(withoutSmallFactors(3n * 2n ** 1022n) ** 2n), 'close-primes', /Fermat/],
  ['EC on P-224', generatedEc('secp224r1'), 'unsupported-key', /1\.3\.132\.0\.33/],
  ['EC on secp256k1', generatedEc('secp256k1'), 'unsupported-key', /1\.3\.132\.0\.10/],
  ['a point off the curve', ecKey('1.2.840.10045.3.1.7', OFF_CURVE), 'bad-point', /P-256/],
  [
    'a compressed point (RFC 5480 §2.2 allows it, nobody uses it)',
    ecKey('1.2.840.10045.3.1.7', COMPRESSED),
    'bad-point',
    /uncompressed/,
  ],
  ['the point at infinity', ecKey('1.2.840.10045.3.1.7', Uint8Array.of(0)), 'bad-point', /P-256/],
  ['a point of P-256 called one of P-384', ecKey('1.3.132.0.34', P256_POINT), 'bad-point', /P-384/],
  [
    'a coordinate above the modulus',
    ecKey('1.2.840.10045.3.1.7', new Uint8Array(65).fill(0xff).fill(4, 0, 1)),
    'bad-point',
    /P-256/,
  ],
  [
    'Ed448',
    new Uint8Array(generateKeyPairSync('ed448').publicKey.export({ type: 'spki', format: 'der' })),
    'unsupported-key',
    /1\.3\.101\.113/,
  ],
  [
    'X25519, which cannot sign',
    new Uint8Array(generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' })),
    'unsupported-key',
    /1\.3\.101\.110/,
  ],
];

for (const [what, spki, reason, detail] of REFUSED) {
  test(`${what} is refused as ${reason}`, () => {
    const weakness = checkPublicKey(parseSubjectPublicKeyInfo(spki));
    assert.equal(weakness?.reason, reason);
    assert.match(weakness?.detail ?? '', detail);
  });
}
