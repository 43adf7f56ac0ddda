/** Certificates made to measure for tests: right in every part that is not overridden. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { bitString, explicit, integer, sequence, time } from '../../src/core/asn1/der-writer.ts';
import { bytesFromHex, type Hex } from '../../src/core/bytes/hex.ts';
import { type Instant, parseRfc3339 } from '../../src/core/time/instant.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../../src/core/x509/algorithm.ts';
import { encodeBasicConstraints } from '../../src/core/x509/basic-constraints.ts';
import { type Certificate, parseCertificate } from '../../src/core/x509/certificate.ts';
import { encodeExtendedKeyUsage } from '../../src/core/x509/extended-key-usage.ts';
import type { GeneralName } from '../../src/core/x509/general-name.ts';
import {
  encodeAuthorityKeyIdentifier,
  encodeSubjectKeyIdentifier,
  keyIdentifierOf,
} from '../../src/core/x509/key-identifier.ts';
import { encodeKeyUsage } from '../../src/core/x509/key-usage.ts';
import { encodeName } from '../../src/core/x509/name.ts';
import { parseSubjectPublicKeyInfo } from '../../src/core/x509/public-key.ts';
import { encodeSubjectAltName } from '../../src/core/x509/subject-alt-name.ts';

export interface TestKey {
  readonly algorithm: KeyAlgorithm;
  readonly privateKey: KeyObject;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly sign: (data: Uint8Array) => Uint8Array;
}

function generate(algorithm: KeyAlgorithm): KeyObject {
  switch (algorithm) {
    case 'ecdsa-p256':
    case 'ecdsa-p384':
    case 'ecdsa-p521':
      return generateKeyPairSync('ec', { namedCurve: `P-${algorithm.slice(-3)}` }).privateKey;
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
      return generateKeyPairSync('rsa', { modulusLength: Number(algorithm.slice(4)) }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    default:
      return generateKeyPairSync(algorithm).privateKey;
  }
}

export function testKey(algorithm: KeyAlgorithm = 'ecdsa-p256'): TestKey {
  const privateKey = generate(algorithm);
  return {
    algorithm,
    privateKey,
    publicKey: new Uint8Array(publicDer(privateKey)),
    sign: (data) => sign(KEY_ALGORITHMS[algorithm].digest, data, privateKey),
  };
}

function publicDer(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
}

/** "2026-11-25T00:00:00Z" → Instant; tests write their instants out. */
export function at(text: string): Instant {
  const instant = parseRfc3339(text);
  if (instant === null) throw new TypeError(`not an instant: ${text}`);
  return instant;
}

export function dns(...values: readonly string[]): GeneralName[] {
  return values.map((value) => ({ kind: 'dns', value }));
}

export interface MadeCertificate {
  readonly certificate: Certificate;
  readonly der: Uint8Array;
  readonly key: TestKey;
}

/** Finished DER of each field; an extension that is null is left out. */
export interface CertificateParts {
  readonly key?: TestKey;
  readonly version?: Uint8Array | null;
  readonly serial?: Uint8Array;
  readonly signatureAlgorithm?: Uint8Array;
  readonly issuer?: Uint8Array;
  readonly validity?: Uint8Array;
  readonly subject?: Uint8Array;
  readonly publicKey?: Uint8Array;
  readonly extensions?: Readonly<Record<string, Uint8Array | null>>;
  /** Whether the extensions field is there at all. */
  readonly withExtensions?: boolean;
}

export const VALIDITY = validityDer('2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z');
export const AUTHORITY_VALIDITY = validityDer('2025-01-01T00:00:00Z', '2035-01-01T00:00:00Z');
/** Within both. */
export const NOW = at('2026-02-01T00:00:00Z');

export function validityDer(notBefore: string, notAfter: string): Uint8Array {
  return sequence(time(at(notBefore)), time(at(notAfter)));
}

/** A self-signed authority. */
export function makeRoot(commonName = 'Test Root', parts: CertificateParts = {}): MadeCertificate {
  const key = parts.key ?? testKey();
  const subject = parts.subject ?? encodeName({ commonName });
  return make(
    null,
    key,
    { subject, issuer: subject, validity: AUTHORITY_VALIDITY, ...parts },
    authorityExtensions(key, key, null),
  );
}

export function makeIntermediate(
  issuer: MadeCertificate,
  commonName = 'Test Intermediate',
  parts: CertificateParts = {},
): MadeCertificate {
  const key = parts.key ?? testKey();
  const subject = encodeName({ commonName });
  return make(
    issuer,
    key,
    { subject, validity: AUTHORITY_VALIDITY, ...parts },
    authorityExtensions(key, issuer.key, null),
  );
}

/** A server certificate for api.internal, its subject empty. */
export function makeLeaf(issuer: MadeCertificate, parts: CertificateParts = {}): MadeCertificate {
  const key = parts.key ?? testKey();
  return make(
    issuer,
    key,
    { subject: encodeName({}), ...parts },
    {
      keyUsage: encodeKeyUsage(['digitalSignature']),
      basicConstraints: encodeBasicConstraints({ ca: false, pathLength: null }),
      extKeyUsage: encodeExtendedKeyUsage(['serverAuth']),
      subjectAltName: encodeSubjectAltName(dns('api.internal'), true),
      ...identifiers(key, issuer.key),
    },
  );
}

function authorityExtensions(key: TestKey, issuerKey: TestKey, pathLength: number | null): Record<string, Uint8Array> {
  return {
    keyUsage: encodeKeyUsage(['keyCertSign', 'cRLSign']),
    basicConstraints: encodeBasicConstraints({ ca: true, pathLength }),
    ...identifiers(key, issuerKey),
  };
}

function identifiers(key: TestKey, issuerKey: TestKey): Record<string, Uint8Array> {
  const of = ({ publicKey }: TestKey): Uint8Array => keyIdentifierOf(parseSubjectPublicKeyInfo(publicKey));
  return {
    subjectKeyIdentifier: encodeSubjectKeyIdentifier(of(key)),
    authorityKeyIdentifier: encodeAuthorityKeyIdentifier(of(issuerKey)),
  };
}

const SERIAL = integer(0x4f1e2d3c4b5a69788796a5b4c3d2e1f0n);
const VERSION_3 = explicit(0, integer(2));

function make(
  issuer: MadeCertificate | null,
  key: TestKey,
  parts: CertificateParts,
  defaults: Readonly<Record<string, Uint8Array>>,
): MadeCertificate {
  const signer = issuer?.key ?? key;
  const algorithm = parts.signatureAlgorithm ?? KEY_ALGORITHMS[signer.algorithm].signatureAlgorithm.raw;
  const version = parts.version === undefined ? VERSION_3 : parts.version;
  const extensions = Object.values({ ...defaults, ...parts.extensions }).filter((extension) => extension !== null);
  const tbs = sequence(
    ...(version ? [version] : []),
    parts.serial ?? SERIAL,
    algorithm,
    parts.issuer ?? issuer?.certificate.subject.raw ?? encodeName({ commonName: 'nobody' }),
    parts.validity ?? VALIDITY,
    parts.subject ?? encodeName({}),
    parts.publicKey ?? key.publicKey,
    ...(parts.withExtensions === false ? [] : [explicit(3, sequence(...extensions))]),
  );
  const der = sequence(tbs, algorithm, bitString(signer.sign(tbs)));
  return { certificate: parseCertificate(der), der, key };
}

export function hex(text: string): Uint8Array {
  return new Uint8Array(bytesFromHex(text.replace(/\s/g, '') as Hex));
}
