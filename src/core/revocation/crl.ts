/** Certificate revocation lists (RFC 5280 §5): complete lists of one issuer. Delta and indirect lists are read, not made. */
import { type DerElement, DerError, readDer, readExplicit, readSequence } from '../asn1/der-reader.ts';
import { readBitStringOctets, readSmallInteger, readTime } from '../asn1/der-values.ts';
import { bitString, explicit, integer, sequence, time } from '../asn1/der-writer.ts';
import { contextTag, TAG } from '../asn1/tags.ts';
import { bytesEqual } from '../bytes/compare.ts';
import { verifySignatureByIssuer } from '../crypto/verify-signature.ts';
import type { Instant } from '../time/instant.ts';
import {
  type AlgorithmIdentifier,
  KEY_ALGORITHMS,
  type KeyAlgorithm,
  readAlgorithmIdentifier,
} from '../x509/algorithm.ts';
import type { TbsCertificate } from '../x509/certificate.ts';
import { type Extension, extensionValue, readExtensions } from '../x509/extension.ts';
import { encodeAuthorityKeyIdentifier, issuerKeyIdentifier } from '../x509/key-identifier.ts';
import { type Name, readName } from '../x509/name.ts';
import { CRL_EXTENSIONS, CRL_NUMBER, encodeCrlNumber, encodeIssuingDistributionPoint } from './crl-extensions.ts';
import { encodeRevokedEntries, type RevokedEntry, readRevokedEntries } from './revoked-entries.ts';

export interface CrlContent {
  readonly issuer: { readonly certificate: TbsCertificate; readonly keyAlgorithm: KeyAlgorithm };
  /** Larger than that of every earlier list of this issuer (§5.2.3). */
  readonly number: number | bigint;
  readonly thisUpdate: Instant;
  readonly nextUpdate: Instant;
  readonly entries: readonly RevokedEntry[];
  /** Where the list is served, as the certificates say it; critical when there. */
  readonly distributionPointUrl?: string;
}

declare const crlTbs: unique symbol;

/** What is to be signed: signers of lists accept nothing else. */
export interface CrlTbs {
  readonly [crlTbs]: true;
  readonly bytes: Uint8Array;
  /** Of the key that must sign it. */
  readonly keyAlgorithm: KeyAlgorithm;
}

export function encodeCrlTbs(content: CrlContent): CrlTbs {
  const { certificate, keyAlgorithm } = content.issuer;
  const revoked = encodeRevokedEntries(content.entries);
  const extensions = [
    encodeAuthorityKeyIdentifier(issuerKeyIdentifier(certificate)),
    encodeCrlNumber(content.number),
    ...(content.distributionPointUrl === undefined
      ? []
      : [encodeIssuingDistributionPoint(content.distributionPointUrl)]),
  ];
  const bytes = sequence(
    integer(1),
    KEY_ALGORITHMS[keyAlgorithm].signatureAlgorithm.raw,
    certificate.subject.raw,
    time(content.thisUpdate),
    // §5.1.2.5: "Conforming CRL issuers MUST include the nextUpdate field in all CRLs."
    time(content.nextUpdate),
    ...(revoked ? [revoked] : []),
    explicit(0, sequence(...extensions)),
  );
  return { bytes, keyAlgorithm } as CrlTbs;
}

/** TBSCertList and signature → CRL. */
export function assembleCrl(tbs: CrlTbs, signature: Uint8Array): Uint8Array {
  return sequence(tbs.bytes, KEY_ALGORITHMS[tbs.keyAlgorithm].signatureAlgorithm.raw, bitString(signature));
}

export interface Crl {
  readonly raw: Uint8Array;
  /** DER of the TBSCertList. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly issuer: Name;
  readonly thisUpdate: Instant;
  readonly nextUpdate: Instant | null;
  /** null in version 1. */
  readonly number: bigint | null;
  readonly entries: readonly RevokedEntry[];
  readonly extensions: readonly Extension[];
  readonly signature: Uint8Array;
}

/** @throws DerError */
export function parseCrl(der: Uint8Array): Crl {
  const path = 'certificateList';
  return readSequence(readDer(der, path), path, (fields) => {
    const tbs = readTbs(fields.required(TAG.SEQUENCE, 'tbsCertList'), 'tbsCertList');
    const algorithm = fields.required(TAG.SEQUENCE, 'signatureAlgorithm');
    // §5.1.1.2: "This field MUST contain the same algorithm identifier as the signature field".
    if (!bytesEqual(algorithm.raw, tbs.signatureAlgorithm.raw)) {
      throw new DerError('signatureAlgorithm', algorithm.offset, 'differs from tbsCertList.signature');
    }
    const signature = readBitStringOctets(fields.required(TAG.BIT_STRING, 'signatureValue'), 'signatureValue');
    return { ...tbs, raw: der, signature };
  });
}

function readTbs(element: DerElement, path: string): Omit<Crl, 'raw' | 'signature'> {
  return readSequence(element, path, (fields) => {
    const version = fields.optional(TAG.INTEGER, 'version');
    if (version && readSmallInteger(version, `${path}.version`) !== 1) {
      throw new DerError(`${path}.version`, version.offset, 'not version 2 (1)');
    }
    const algorithm = readAlgorithmIdentifier(fields.required(TAG.SEQUENCE, 'signature'), `${path}.signature`);
    const issuer = readName(fields.required(TAG.SEQUENCE, 'issuer'), `${path}.issuer`);
    const thisUpdate = readTime(fields.any('thisUpdate'), `${path}.thisUpdate`);
    const nextUpdate =
      fields.optional(TAG.UTC_TIME, 'nextUpdate') ?? fields.optional(TAG.GENERALIZED_TIME, 'nextUpdate');
    const revoked = fields.optional(TAG.SEQUENCE, 'revokedCertificates');
    const extensionsField = version && fields.optional(contextTag(0, true), 'crlExtensions');
    const at = `${path}.crlExtensions`;
    const extensions = extensionsField ? readExtensions(readExplicit(extensionsField, at), at, CRL_EXTENSIONS) : [];
    return {
      tbs: element.raw,
      signatureAlgorithm: algorithm,
      issuer,
      thisUpdate,
      nextUpdate: nextUpdate ? readTime(nextUpdate, `${path}.nextUpdate`) : null,
      number: extensionValue({ extensions }, CRL_NUMBER),
      entries: revoked ? readRevokedEntries(revoked, `${path}.revokedCertificates`) : [],
      extensions,
    };
  });
}

/** Whether the issuer's key made the signature; false also for algorithms weaker than SHA-256. */
export function verifyCrlSignature(crl: Crl, issuer: Pick<TbsCertificate, 'publicKey'>): boolean {
  return verifySignatureByIssuer(issuer.publicKey, crl.signatureAlgorithm, crl.tbs, crl.signature);
}
