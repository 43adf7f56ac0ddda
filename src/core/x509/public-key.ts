/** SubjectPublicKeyInfo (RFC 5280 §4.1.2.7; RFC 3279, RFC 5480, RFC 8410, RFC 9881). Whether a key is good: key-check.ts. */
import { type DerElement, DerError, readDer, readSequence } from '../asn1/der-reader.ts';
import { readBitStringOctets, readOid, readUnsignedInteger } from '../asn1/der-values.ts';
import { nullValue } from '../asn1/der-writer.ts';
import { TAG } from '../asn1/tags.ts';
import { bytesEqual } from '../bytes/compare.ts';
import { type AlgorithmIdentifier, isKeyAlgorithm, type KeyAlgorithm, readAlgorithmIdentifier } from './algorithm.ts';

interface KeyEnvelope {
  /** DER of the whole SubjectPublicKeyInfo. */
  readonly raw: Uint8Array;
  /** Octets of the BIT STRING, over which key identifiers are computed. */
  readonly subjectPublicKey: Uint8Array;
}

export type PublicKeyInfo = KeyEnvelope &
  (
    | { readonly kind: 'rsa'; readonly bits: number; readonly modulus: Uint8Array; readonly exponent: Uint8Array }
    /** `curve`: "P-256", "P-384", "P-521"; for others the object identifier, or "explicit". */
    | { readonly kind: 'ec'; readonly curve: string; readonly point: Uint8Array }
    | { readonly kind: 'ed25519' }
    | { readonly kind: 'ml-dsa'; readonly level: 44 | 65 | 87 }
    | { readonly kind: 'unknown'; readonly oid: string }
  );

const CURVES: Readonly<Record<string, string>> = {
  '1.2.840.10045.3.1.7': 'P-256',
  '1.3.132.0.34': 'P-384',
  '1.3.132.0.35': 'P-521',
};

/** FIPS 204 table 2: octets of a public key. */
const ML_DSA: Readonly<Record<string, { readonly level: 44 | 65 | 87; readonly byteLength: number }>> = {
  '2.16.840.1.101.3.4.3.17': { level: 44, byteLength: 1312 },
  '2.16.840.1.101.3.4.3.18': { level: 65, byteLength: 1952 },
  '2.16.840.1.101.3.4.3.19': { level: 87, byteLength: 2592 },
};

const NULL_DER = nullValue();

/** @throws DerError */
export function parseSubjectPublicKeyInfo(der: Uint8Array, path = 'subjectPublicKeyInfo'): PublicKeyInfo {
  return readSubjectPublicKeyInfo(readDer(der, path), path);
}

/** @throws DerError */
export function readSubjectPublicKeyInfo(element: DerElement, path: string): PublicKeyInfo {
  return readSequence(element, path, (fields) => {
    const algorithm = readAlgorithmIdentifier(fields.required(TAG.SEQUENCE, 'algorithm'), `${path}.algorithm`);
    const bits = fields.required(TAG.BIT_STRING, 'subjectPublicKey');
    const subjectPublicKey = readBitStringOctets(bits, `${path}.subjectPublicKey`);
    const envelope = { raw: element.raw, subjectPublicKey };
    // The first octet of a BIT STRING counts unused bits.
    return readKey(algorithm, envelope, path, bits.contentOffset + 1);
  });
}

function readKey(algorithm: AlgorithmIdentifier, envelope: KeyEnvelope, path: string, offset: number): PublicKeyInfo {
  const { oid, parameters } = algorithm;
  const fail = (what: string): never => {
    throw new DerError(path, offset, what);
  };
  if (oid === '1.2.840.113549.1.1.1') {
    // RFC 3279 §2.3.1: "The parameters field MUST have ASN.1 type NULL".
    if (parameters === null || !bytesEqual(parameters, NULL_DER)) return fail('RSA key whose parameters are not NULL');
    return readRsaKey(envelope, `${path}.subjectPublicKey`, offset);
  }
  if (oid === '1.2.840.10045.2.1') {
    if (parameters === null) return fail('EC key without parameters');
    const named = readDer(parameters, `${path}.algorithm.parameters`);
    const curve = named.tag === TAG.OBJECT_IDENTIFIER ? readOid(named, `${path}.algorithm.parameters`) : 'explicit';
    return { ...envelope, kind: 'ec', curve: CURVES[curve] ?? curve, point: envelope.subjectPublicKey };
  }
  const mlDsa = Object.hasOwn(ML_DSA, oid) ? ML_DSA[oid] : undefined;
  if (oid !== '1.3.101.112' && !mlDsa) return { ...envelope, kind: 'unknown', oid };
  // RFC 8410 §3, RFC 9881 §4: "the parameters MUST be absent".
  if (parameters !== null) return fail('key with parameters that must be absent');
  const wanted = mlDsa?.byteLength ?? 32;
  const length = envelope.subjectPublicKey.byteLength;
  if (length !== wanted) return fail(`public key of ${length} octets instead of ${wanted}`);
  return mlDsa ? { ...envelope, kind: 'ml-dsa', level: mlDsa.level } : { ...envelope, kind: 'ed25519' };
}

/** RSAPublicKey (RFC 8017 §A.1.1). */
function readRsaKey(envelope: KeyEnvelope, path: string, offset: number): PublicKeyInfo {
  return readSequence(readDer(envelope.subjectPublicKey, path, offset), path, (fields) => {
    const modulus = readUnsignedInteger(fields.required(TAG.INTEGER, 'modulus'), `${path}.modulus`);
    const exponent = readUnsignedInteger(fields.required(TAG.INTEGER, 'publicExponent'), `${path}.publicExponent`);
    const bits = modulus.byteLength * 8 - Math.clz32(modulus[0] ?? 0) + 24;
    return { ...envelope, kind: 'rsa', bits, modulus, exponent };
  });
}

/** "ecdsa-p256", "rsa-2048", "rsa-1024", "ed25519", "ml-dsa-65"; for keys unknown here their object identifier. */
export function describeKey(key: PublicKeyInfo): string {
  switch (key.kind) {
    case 'rsa':
      return `rsa-${key.bits}`;
    case 'ec':
      return `ecdsa-${key.curve.replace(/^P-/, 'p')}`;
    case 'ed25519':
      return 'ed25519';
    case 'ml-dsa':
      return `ml-dsa-${key.level}`;
    case 'unknown':
      return `unknown ${key.oid}`;
  }
}

/** The row of KEY_ALGORITHMS that fits a key, or null when no issuer of ours can have it. */
export function keyAlgorithmOf(key: PublicKeyInfo): KeyAlgorithm | null {
  const text = describeKey(key);
  return isKeyAlgorithm(text) ? text : null;
}
