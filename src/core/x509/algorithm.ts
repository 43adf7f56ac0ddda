/**
 * Algorithms: with what our keys sign (RFC 5758, RFC 4055, RFC 8410, RFC 9881), and which signature
 * algorithms can be verified. Weak ones are in the table to be recognised, not to be accepted.
 */
import { type DerElement, DerError, readDer, readSequence } from '../asn1/der-reader.ts';
import { readOid, readSmallInteger } from '../asn1/der-values.ts';
import { nullValue, oid, sequence } from '../asn1/der-writer.ts';
import { contextTag, TAG } from '../asn1/tags.ts';
import { bytesEqual } from '../bytes/compare.ts';

/** RFC 5280 §4.1.1.2. */
export interface AlgorithmIdentifier {
  readonly oid: string;
  /** The whole TLV, or null when absent. */
  readonly parameters: Uint8Array | null;
  readonly raw: Uint8Array;
}

export type DigestName = 'sha256' | 'sha384' | 'sha512';

interface KeyAlgorithmRow {
  readonly kind: 'ec' | 'rsa' | 'ed25519' | 'ml-dsa';
  /** What node:crypto's sign takes; null where the algorithm hashes by itself. */
  readonly digest: DigestName | null;
  /** With what such a key signs. */
  readonly signatureAlgorithm: AlgorithmIdentifier;
}

function identifier(dotted: string, parameters: Uint8Array | null = null): AlgorithmIdentifier {
  return { oid: dotted, parameters, raw: sequence(oid(dotted), ...(parameters ? [parameters] : [])) };
}

const ecdsa = (digest: DigestName, arc: number): KeyAlgorithmRow => ({
  kind: 'ec',
  digest,
  signatureAlgorithm: identifier(`1.2.840.10045.4.3.${arc}`),
});
const rsa: KeyAlgorithmRow = {
  kind: 'rsa',
  digest: 'sha256',
  // RFC 4055 §5: "the parameters MUST be NULL".
  signatureAlgorithm: identifier('1.2.840.113549.1.1.11', nullValue()),
};
const mlDsa = (arc: number): KeyAlgorithmRow => ({
  kind: 'ml-dsa',
  digest: null,
  signatureAlgorithm: identifier(`2.16.840.1.101.3.4.3.${arc}`),
});

/** The kinds of keys that issuers may have. */
export const KEY_ALGORITHMS = {
  'ecdsa-p256': ecdsa('sha256', 2),
  'ecdsa-p384': ecdsa('sha384', 3),
  'ecdsa-p521': ecdsa('sha512', 4),
  'rsa-2048': rsa,
  'rsa-3072': rsa,
  'rsa-4096': rsa,
  ed25519: { kind: 'ed25519', digest: null, signatureAlgorithm: identifier('1.3.101.112') },
  'ml-dsa-44': mlDsa(17),
  'ml-dsa-65': mlDsa(18),
  'ml-dsa-87': mlDsa(19),
} as const satisfies Record<string, KeyAlgorithmRow>;

export type KeyAlgorithm = keyof typeof KEY_ALGORITHMS;

export function isKeyAlgorithm(text: string): text is KeyAlgorithm {
  return Object.hasOwn(KEY_ALGORITHMS, text);
}

export interface SignatureScheme {
  readonly name: string;
  /** Type of the key as node:crypto calls it. */
  readonly key: 'ec' | 'rsa' | 'dsa' | 'ed25519' | 'ed448' | 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87';
  readonly digest: DigestName | null;
  readonly pss: boolean;
  /** Hashes weaker than SHA-256, and DSA: recognised, never verified. */
  readonly weak: boolean;
}

type SchemeRow = Omit<SignatureScheme, 'pss' | 'weak' | 'digest'> & {
  readonly digest?: DigestName;
  readonly weak?: true;
  readonly parameters: 'absent' | 'null' | 'pss';
};

const SCHEMES: Readonly<Record<string, SchemeRow>> = {
  '1.2.840.10045.4.3.2': { name: 'ecdsa-with-SHA256', key: 'ec', digest: 'sha256', parameters: 'absent' },
  '1.2.840.10045.4.3.3': { name: 'ecdsa-with-SHA384', key: 'ec', digest: 'sha384', parameters: 'absent' },
  '1.2.840.10045.4.3.4': { name: 'ecdsa-with-SHA512', key: 'ec', digest: 'sha512', parameters: 'absent' },
  '1.2.840.113549.1.1.11': { name: 'sha256WithRSAEncryption', key: 'rsa', digest: 'sha256', parameters: 'null' },
  '1.2.840.113549.1.1.12': { name: 'sha384WithRSAEncryption', key: 'rsa', digest: 'sha384', parameters: 'null' },
  '1.2.840.113549.1.1.13': { name: 'sha512WithRSAEncryption', key: 'rsa', digest: 'sha512', parameters: 'null' },
  '1.2.840.113549.1.1.10': { name: 'RSASSA-PSS', key: 'rsa', parameters: 'pss' },
  '1.3.101.112': { name: 'Ed25519', key: 'ed25519', parameters: 'absent' },
  '1.3.101.113': { name: 'Ed448', key: 'ed448', parameters: 'absent' },
  '2.16.840.1.101.3.4.3.17': { name: 'ML-DSA-44', key: 'ml-dsa-44', parameters: 'absent' },
  '2.16.840.1.101.3.4.3.18': { name: 'ML-DSA-65', key: 'ml-dsa-65', parameters: 'absent' },
  '2.16.840.1.101.3.4.3.19': { name: 'ML-DSA-87', key: 'ml-dsa-87', parameters: 'absent' },
  '1.2.840.10045.4.1': { name: 'ecdsa-with-SHA1', key: 'ec', parameters: 'absent', weak: true },
  '1.2.840.10045.4.3.1': { name: 'ecdsa-with-SHA224', key: 'ec', parameters: 'absent', weak: true },
  '1.2.840.113549.1.1.2': { name: 'md2WithRSAEncryption', key: 'rsa', parameters: 'null', weak: true },
  '1.2.840.113549.1.1.4': { name: 'md5WithRSAEncryption', key: 'rsa', parameters: 'null', weak: true },
  '1.2.840.113549.1.1.5': { name: 'sha1WithRSAEncryption', key: 'rsa', parameters: 'null', weak: true },
  '1.2.840.113549.1.1.14': { name: 'sha224WithRSAEncryption', key: 'rsa', parameters: 'null', weak: true },
  '1.2.840.10040.4.3': { name: 'dsa-with-SHA1', key: 'dsa', parameters: 'absent', weak: true },
  '2.16.840.1.101.3.4.3.2': { name: 'dsa-with-SHA256', key: 'dsa', parameters: 'absent', weak: true },
};

const NULL_DER = nullValue();

/** What an AlgorithmIdentifier means, or null when unknown or when its parameters are not what its RFC says. */
export function signatureScheme(algorithm: AlgorithmIdentifier): SignatureScheme | null {
  const row = Object.hasOwn(SCHEMES, algorithm.oid) ? SCHEMES[algorithm.oid] : undefined;
  if (!row) return null;
  const { parameters } = algorithm;
  const { name, key, digest = null, weak = false } = row;
  if (row.parameters === 'pss') {
    const hash = parameters && pssDigest(parameters);
    if (hash === null) return null;
    return { name, key, digest: hash === 'sha1' ? null : hash, pss: true, weak: hash === 'sha1' };
  }
  if (row.parameters === 'absent' && parameters !== null) return null;
  // RFC 4055 §5: implementations MUST also accept absent parameters for RSA.
  if (row.parameters === 'null' && parameters !== null && !bytesEqual(parameters, NULL_DER)) return null;
  return { name, key, digest, pss: false, weak };
}

/** The algorithm's name for people; its object identifier when unknown. */
export function describeSignatureAlgorithm(algorithm: AlgorithmIdentifier): string {
  return (Object.hasOwn(SCHEMES, algorithm.oid) && SCHEMES[algorithm.oid]?.name) || algorithm.oid;
}

const HASHES: Readonly<Record<string, readonly ['sha1' | DigestName, number]>> = {
  '1.3.14.3.2.26': ['sha1', 20],
  '2.16.840.1.101.3.4.2.1': ['sha256', 32],
  '2.16.840.1.101.3.4.2.2': ['sha384', 48],
  '2.16.840.1.101.3.4.2.3': ['sha512', 64],
};

/** RFC 4055 §3.1: accepted where mask generation uses the same hash and the salt has its length; else null. */
function pssDigest(parameters: Uint8Array): 'sha1' | DigestName | null {
  try {
    return readPssDigest(parameters);
  } catch (cause) {
    if (cause instanceof DerError) return null;
    throw cause;
  }
}

function readPssDigest(parameters: Uint8Array): 'sha1' | DigestName | null {
  const path = 'RSASSA-PSS-params';
  return readSequence(readDer(parameters, path), path, (fields) => {
    const hashField = fields.optional(contextTag(0, true), 'hashAlgorithm');
    const maskField = fields.optional(contextTag(1, true), 'maskGenAlgorithm');
    const saltField = fields.optional(contextTag(2, true), 'saltLength');
    const trailer = fields.optional(contextTag(3, true), 'trailerField');
    const hash = HASHES[hashField ? algorithmInside(hashField, path).oid : '1.3.14.3.2.26'];
    const mask = maskField ? algorithmInside(maskField, path).parameters : null;
    const maskOid = mask ? readAlgorithmIdentifier(readDer(mask, path), path).oid : '1.3.14.3.2.26';
    const salt = saltField ? readSmallInteger(readDer(saltField.content, path), path) : 20;
    return hash && hash === HASHES[maskOid] && salt === hash[1] && !trailer ? hash[0] : null;
  });
}

function algorithmInside(field: DerElement, path: string): AlgorithmIdentifier {
  return readAlgorithmIdentifier(readDer(field.content, path, field.contentOffset), path);
}

export function readAlgorithmIdentifier(element: DerElement, path: string): AlgorithmIdentifier {
  return readSequence(element, path, (fields) => {
    const algorithm = readOid(fields.required(TAG.OBJECT_IDENTIFIER, 'algorithm'), `${path}.algorithm`);
    const parameters = fields.atEnd ? null : fields.any('parameters').raw;
    return { oid: algorithm, parameters, raw: element.raw };
  });
}
