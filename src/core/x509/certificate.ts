/** Certificates (RFC 5280 §4.1): bytes ↔ fields. What the fields mean is said in the files of the extensions. */
import {
  type DerElement,
  DerError,
  type FieldReader,
  readDer,
  readExplicit,
  readSequence,
} from '../asn1/der-reader.ts';
import { readBitStringOctets, readSmallInteger, readTime } from '../asn1/der-values.ts';
import { bitString, sequence } from '../asn1/der-writer.ts';
import { contextTag, TAG } from '../asn1/tags.ts';
import { bytesEqual } from '../bytes/compare.ts';
import { type Hex, hexFromBytes } from '../bytes/hex.ts';
import { sha256 } from '../crypto/digest.ts';
import { verifySignatureByIssuer } from '../crypto/verify-signature.ts';
import type { ValidityPeriod } from '../time/validity-period.ts';
import { type AlgorithmIdentifier, KEY_ALGORITHMS, type KeyAlgorithm, readAlgorithmIdentifier } from './algorithm.ts';
import { type Extension, readExtensions } from './extension.ts';
import { authorityKeyIdentifier, subjectKeyIdentifier } from './key-identifier.ts';
import { KNOWN_EXTENSIONS } from './known-extensions.ts';
import { type Name, namesEqual, readName } from './name.ts';
import { type PublicKeyInfo, readSubjectPublicKeyInfo } from './public-key.ts';
import { readSerialNumber, type SerialNumber } from './serial-number.ts';

/** What is signed. Also what lint looks at before there is a signature. */
export interface TbsCertificate {
  /** DER of the TBSCertificate. */
  readonly tbs: Uint8Array;
  readonly version: 1 | 2 | 3;
  readonly serial: SerialNumber;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly issuer: Name;
  readonly validity: ValidityPeriod;
  /** DER of Validity: the encoding of the times has rules of its own (§4.1.2.5). */
  readonly validityDer: Uint8Array;
  readonly subject: Name;
  readonly publicKey: PublicKeyInfo;
  readonly extensions: readonly Extension[];
}

export interface Certificate extends TbsCertificate {
  readonly raw: Uint8Array;
  readonly signature: Uint8Array;
  /** SHA-256 of the DER. */
  readonly fingerprint: Hex;
}

/**
 * DER → certificate. The returned byte strings are views of `der`, which must not change afterwards.
 *
 * @throws DerError
 */
export function parseCertificate(der: Uint8Array): Certificate {
  const path = 'certificate';
  return readSequence(readDer(der, path), path, (fields) => {
    const tbs = readTbs(fields.required(TAG.SEQUENCE, 'tbsCertificate'), 'tbsCertificate');
    const algorithm = fields.required(TAG.SEQUENCE, 'signatureAlgorithm');
    // §4.1.1.2: "This field MUST contain the same algorithm identifier as the signature field".
    if (!bytesEqual(algorithm.raw, tbs.signatureAlgorithm.raw)) {
      throw new DerError('signatureAlgorithm', algorithm.offset, 'differs from tbsCertificate.signature');
    }
    const signature = readBitStringOctets(fields.required(TAG.BIT_STRING, 'signatureValue'), 'signatureValue');
    return { ...tbs, raw: der, signature, fingerprint: hexFromBytes(sha256(der)) };
  });
}

/** @throws DerError */
export function parseTbsCertificate(der: Uint8Array): TbsCertificate {
  return readTbs(readDer(der, 'tbsCertificate'), 'tbsCertificate');
}

function readTbs(element: DerElement, path: string): TbsCertificate {
  return readSequence(element, path, (fields) => {
    const version = readVersion(fields, path);
    const serial = readSerialNumber(fields.required(TAG.INTEGER, 'serialNumber'), `${path}.serialNumber`);
    const algorithm = readAlgorithmIdentifier(fields.required(TAG.SEQUENCE, 'signature'), `${path}.signature`);
    const issuer = readName(fields.required(TAG.SEQUENCE, 'issuer'), `${path}.issuer`);
    const validity = fields.required(TAG.SEQUENCE, 'validity');
    const subject = readName(fields.required(TAG.SEQUENCE, 'subject'), `${path}.subject`);
    const spki = fields.required(TAG.SEQUENCE, 'subjectPublicKeyInfo');
    return {
      tbs: element.raw,
      version,
      serial,
      signatureAlgorithm: algorithm,
      issuer,
      validity: readValidity(validity, `${path}.validity`),
      validityDer: validity.raw,
      subject,
      publicKey: readSubjectPublicKeyInfo(spki, `${path}.subjectPublicKeyInfo`),
      extensions: readTbsExtensions(fields, path, version),
    };
  });
}

function readVersion(fields: FieldReader, path: string): 1 | 2 | 3 {
  const field = fields.optional(contextTag(0, true), 'version');
  if (!field) return 1;
  const value = readSmallInteger(readExplicit(field, `${path}.version`), `${path}.version`);
  if (value === 1) return 2;
  if (value === 2) return 3;
  // v1 is the DEFAULT, which DER leaves out.
  throw new DerError(`${path}.version`, field.contentOffset, `version ${value} is not v2 or v3`);
}

function readValidity(element: DerElement, path: string): ValidityPeriod {
  return readSequence(element, path, (fields) => ({
    notBefore: readTime(fields.any('notBefore'), `${path}.notBefore`),
    notAfter: readTime(fields.any('notAfter'), `${path}.notAfter`),
  }));
}

function readTbsExtensions(fields: FieldReader, path: string, version: number): readonly Extension[] {
  // §4.1.2.8: unique identifiers are not generated any more, and mean nothing to anybody.
  const uniqueIds = [
    fields.optional(contextTag(1, false), 'issuerUniqueID'),
    fields.optional(contextTag(2, false), 'subjectUniqueID'),
  ];
  const extensions = fields.optional(contextTag(3, true), 'extensions');
  const field = extensions ?? uniqueIds.find((id) => id !== undefined);
  // §4.1.2.1: extensions take v3, unique identifiers v2 or v3.
  if (field && version < (extensions ? 3 : 2)) {
    throw new DerError(`${path}.version`, field.offset, `version ${version} with fields of a later one`);
  }
  if (!extensions) return [];
  return readExtensions(readExplicit(extensions, `${path}.extensions`), `${path}.extensions`, KNOWN_EXTENSIONS);
}

/** TBSCertificate and signature → certificate. */
export function assembleCertificate(tbs: Uint8Array, keyAlgorithm: KeyAlgorithm, signature: Uint8Array): Uint8Array {
  return sequence(tbs, KEY_ALGORITHMS[keyAlgorithm].signatureAlgorithm.raw, bitString(signature));
}

/** Whether names and key identifiers say so (RFC 5280 §6.1.3, §4.2.1.1); a missing identifier does not contradict. */
export function isIssuedBy(certificate: TbsCertificate, issuer: TbsCertificate): boolean {
  if (!namesEqual(certificate.issuer, issuer.subject)) return false;
  const wanted = authorityKeyIdentifier(certificate)?.keyIdentifier;
  const offered = subjectKeyIdentifier(issuer);
  return !wanted || !offered || bytesEqual(wanted, offered);
}

/** Issuer and subject are the same name: roots, and the key rollovers of RFC 5280 §6.1. */
export function isSelfIssued(certificate: TbsCertificate): boolean {
  return namesEqual(certificate.issuer, certificate.subject);
}

/** Whether the issuer's key made the signature; false also for algorithms weaker than SHA-256. */
export function verifyCertificateSignature(certificate: Certificate, issuer: TbsCertificate): boolean {
  const { signatureAlgorithm, tbs, signature } = certificate;
  return verifySignatureByIssuer(issuer.publicKey, signatureAlgorithm, tbs, signature);
}
