/** Certification requests (PKCS#10, RFC 2986), with the requested names of RFC 2985 §5.4.2. */
import { type DerElement, DerError, readDer, readElements, readExplicit, readSequence } from '../asn1/der-reader.ts';
import { readBitStringOctets, readOid, readSmallInteger } from '../asn1/der-values.ts';
import { bitString, integer, oid, sequence, setOf, tlv } from '../asn1/der-writer.ts';
import { contextTag, TAG } from '../asn1/tags.ts';
import { verifySignature } from '../crypto/verify-signature.ts';
import { type AlgorithmIdentifier, KEY_ALGORITHMS, type KeyAlgorithm, readAlgorithmIdentifier } from './algorithm.ts';
import { type Extension, readExtensions } from './extension.ts';
import type { GeneralName } from './general-name.ts';
import { KNOWN_EXTENSIONS } from './known-extensions.ts';
import { encodeName, type Name, readName } from './name.ts';
import { type PublicKeyInfo, readSubjectPublicKeyInfo } from './public-key.ts';
import { encodeSubjectAltName, subjectAltNames } from './subject-alt-name.ts';

export interface Csr {
  readonly raw: Uint8Array;
  /** DER of the CertificationRequestInfo: what is signed. */
  readonly info: Uint8Array;
  readonly subject: Name;
  readonly publicKey: PublicKeyInfo;
  /** The requested subjectAltName; none when not requested. */
  readonly names: readonly GeneralName[];
  /** All requested extensions. An authority copies none of them. */
  readonly extensions: readonly Extension[];
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
}

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

/** @throws DerError */
export function parseCsr(der: Uint8Array): Csr {
  const path = 'certificationRequest';
  return readSequence(readDer(der, path), path, (fields) => {
    const info = fields.required(TAG.SEQUENCE, 'certificationRequestInfo');
    const algorithm = fields.required(TAG.SEQUENCE, 'signatureAlgorithm');
    const signature = fields.required(TAG.BIT_STRING, 'signature');
    const content = readInfo(info, 'certificationRequestInfo');
    return {
      raw: der,
      info: info.raw,
      ...content,
      names: subjectAltNames(content),
      signatureAlgorithm: readAlgorithmIdentifier(algorithm, 'signatureAlgorithm'),
      signature: readBitStringOctets(signature, 'signature'),
    };
  });
}

function readInfo(element: DerElement, path: string): Pick<Csr, 'subject' | 'publicKey' | 'extensions'> {
  return readSequence(element, path, (fields) => {
    const version = fields.required(TAG.INTEGER, 'version');
    if (readSmallInteger(version, `${path}.version`) !== 0) {
      throw new DerError(`${path}.version`, version.offset, 'not version 1 (0)');
    }
    const subject = readName(fields.required(TAG.SEQUENCE, 'subject'), `${path}.subject`);
    const spki = fields.required(TAG.SEQUENCE, 'subjectPKInfo');
    const publicKey = readSubjectPublicKeyInfo(spki, `${path}.subjectPKInfo`);
    // Required by RFC 2986 §4.1 even when empty, but several clients leave it out, and OpenSSL lets them.
    const attributes = fields.optional(contextTag(0, true), 'attributes');
    return { subject, publicKey, extensions: attributes ? readRequested(attributes, `${path}.attributes`) : [] };
  });
}

function readRequested(attributes: DerElement, path: string): readonly Extension[] {
  let requested: readonly Extension[] | null = null;
  for (const [index, attribute] of readElements(attributes, path).entries()) {
    const at = `${path}[${index}]`;
    readSequence(attribute, at, (fields) => {
      const type = readOid(fields.required(TAG.OBJECT_IDENTIFIER, 'type'), at);
      const values = fields.required(TAG.SET, 'values');
      if (type !== EXTENSION_REQUEST) return;
      // RFC 2985 §5.4.2: SINGLE VALUE TRUE.
      if (requested) throw new DerError(at, attribute.offset, 'a second extensionRequest');
      requested = readExtensions(readExplicit(values, at), `${at}.extensionRequest`, KNOWN_EXTENSIONS);
    });
  }
  return requested ?? [];
}

/** Proof that the requester holds the key; false also for signatures weaker than SHA-256. */
export function verifyCsrSignature(csr: Csr): boolean {
  return verifySignature(csr.publicKey.raw, csr.signatureAlgorithm, csr.info, csr.signature);
}

export interface CsrContent {
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly commonName?: string;
  readonly names: readonly GeneralName[];
}

/** DER of the CertificationRequestInfo, to be signed with the key. */
export function encodeCsrInfo({ publicKey, commonName, names }: CsrContent): Uint8Array {
  const subject = encodeName(commonName === undefined ? {} : { commonName });
  const request = sequence(encodeSubjectAltName(names, commonName === undefined));
  const attribute = sequence(oid(EXTENSION_REQUEST), setOf(request));
  const attributes = tlv(contextTag(0, true), ...(names.length === 0 ? [] : [attribute]));
  return sequence(integer(0), subject, publicKey, attributes);
}

/** CertificationRequestInfo and signature → CSR. */
export function assembleCsr(info: Uint8Array, keyAlgorithm: KeyAlgorithm, signature: Uint8Array): Uint8Array {
  return sequence(info, KEY_ALGORITHMS[keyAlgorithm].signatureAlgorithm.raw, bitString(signature));
}
