/** TBSCertificate (RFC 5280 §4.1.2): a complete description of a certificate → the bytes that are signed. */
import { explicit, integer, sequence, time } from '../asn1/der-writer.ts';
import type { ValidityPeriod } from '../time/validity-period.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../x509/algorithm.ts';
import { encodeAuthorityInformationAccess } from '../x509/authority-information-access.ts';
import { encodeBasicConstraints } from '../x509/basic-constraints.ts';
import { encodeCrlDistributionPoints } from '../x509/crl-distribution-points.ts';
import { encodeExtendedKeyUsage } from '../x509/extended-key-usage.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { encodeAuthorityKeyIdentifier, encodeSubjectKeyIdentifier, keyIdentifierOf } from '../x509/key-identifier.ts';
import { encodeKeyUsage } from '../x509/key-usage.ts';
import { encodeNameConstraints, type NameConstraints } from '../x509/name-constraints.ts';
import type { PublicKeyInfo } from '../x509/public-key.ts';
import { encodeSerialNumber, type SerialNumber } from '../x509/serial-number.ts';
import { encodeSubjectAltName } from '../x509/subject-alt-name.ts';
import { keyUsagesOf, PROFILES, type ProfileName } from './profile.ts';

export interface CertificateContent {
  readonly profile: ProfileName;
  readonly serial: SerialNumber;
  /** DER of the names. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly validity: ValidityPeriod;
  readonly publicKey: PublicKeyInfo;
  readonly names: readonly GeneralName[];
  readonly pathLength: number | null;
  readonly nameConstraints: NameConstraints | null;
  /** The issuer's subjectKeyIdentifier. */
  readonly authorityKeyIdentifier: Uint8Array;
  readonly crlUrl?: string | undefined;
  readonly caIssuersUrl?: string | undefined;
  readonly ocspUrl?: string | undefined;
  /** Of the key that signs. */
  readonly keyAlgorithm: KeyAlgorithm;
}

/** Version 3 of the certificate. Contents are not judged here; lint does that. */
export function encodeTbsCertificate(content: CertificateContent): Uint8Array {
  const { validity } = content;
  return sequence(
    VERSION_3,
    encodeSerialNumber(content.serial),
    KEY_ALGORITHMS[content.keyAlgorithm].signatureAlgorithm.raw,
    content.issuer,
    sequence(time(validity.notBefore), time(validity.notAfter)),
    content.subject,
    content.publicKey.raw,
    explicit(3, sequence(...encodeExtensions(content))),
  );
}

const VERSION_3 = explicit(0, integer(2));

function encodeExtensions(content: CertificateContent): Uint8Array[] {
  const { profile, publicKey, names, pathLength, crlUrl, caIssuersUrl, ocspUrl } = content;
  const { ca, purposes } = PROFILES[profile];
  const extensions = [
    encodeKeyUsage(keyUsagesOf(profile, publicKey)),
    encodeBasicConstraints({ ca, pathLength }),
    encodeSubjectKeyIdentifier(keyIdentifierOf(publicKey)),
    encodeAuthorityKeyIdentifier(content.authorityKeyIdentifier),
  ];
  if (purposes.length > 0) extensions.push(encodeExtendedKeyUsage(purposes));
  if (names.length > 0) extensions.push(encodeSubjectAltName(names, isEmptySequence(content.subject)));
  if (content.nameConstraints) extensions.push(encodeNameConstraints(content.nameConstraints));
  if (crlUrl !== undefined) extensions.push(encodeCrlDistributionPoints([crlUrl]));
  if (caIssuersUrl !== undefined || ocspUrl !== undefined) {
    const list = (url: string | undefined): string[] => (url === undefined ? [] : [url]);
    extensions.push(encodeAuthorityInformationAccess({ ocspUrls: list(ocspUrl), caIssuersUrls: list(caIssuersUrl) }));
  }
  return extensions;
}

function isEmptySequence(der: Uint8Array): boolean {
  return der.byteLength === 2;
}
