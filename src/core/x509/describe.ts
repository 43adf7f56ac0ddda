/**
 * Certificates and requests for people and for programs: lines and JSON documents of `cert inspect` and its kin.
 *
 * Documents: names in RFC 4514 order, hex lower-case without colons, times RFC 3339 in UTC, a list for whatever
 * can be several (empty when absent), null for the rest. Lines: nothing in them can steer a terminal.
 */
import { hexFromBytes } from '../bytes/hex.ts';
import { formatDuration } from '../time/duration.ts';
import { formatRfc3339, type Instant } from '../time/instant.ts';
import { contains, remainingSeconds, type ValidityPeriod } from '../time/validity-period.ts';
import { describeSignatureAlgorithm } from './algorithm.ts';
import { authorityInformationAccess } from './authority-information-access.ts';
import { basicConstraints } from './basic-constraints.ts';
import type { Certificate, TbsCertificate } from './certificate.ts';
import { certificatePolicies } from './certificate-policies.ts';
import { crlUrls } from './crl-distribution-points.ts';
import { type Csr, verifyCsrSignature } from './csr.ts';
import { extendedKeyUsage } from './extended-key-usage.ts';
import type { Extension, ExtensionHolder } from './extension.ts';
import { formatGeneralName } from './general-name.ts';
import { authorityKeyIdentifier, subjectKeyIdentifier } from './key-identifier.ts';
import { keyUsage } from './key-usage.ts';
import { KNOWN_EXTENSIONS } from './known-extensions.ts';
import { formatName } from './name.ts';
import { type NameSubtree, nameConstraints } from './name-constraints.ts';
import { inhibitAnyPolicy, policyConstraints } from './policy-constraints.ts';
import { policyMappings } from './policy-mappings.ts';
import { describeKey } from './public-key.ts';
import { subjectAltNames } from './subject-alt-name.ts';

export interface CertificateDocument {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  /** SHA-256 of the DER. */
  readonly fingerprint: string;
  readonly names: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly key: string;
  readonly signatureAlgorithm: string;
  readonly isCa: boolean;
  readonly pathLength: number | null;
  readonly keyUsage: readonly string[];
  readonly extendedKeyUsage: readonly string[];
  readonly subjectKeyId: string | null;
  readonly authorityKeyId: string | null;
  readonly crlUrls: readonly string[];
  readonly ocspUrls: readonly string[];
  readonly caIssuersUrls: readonly string[];
  readonly extensions: readonly ExtensionDocument[];
}

interface ExtensionDocument {
  readonly oid: string;
  readonly name: string | null;
  readonly critical: boolean;
}

export function certificateDocument(certificate: Certificate): CertificateDocument {
  const keyId = subjectKeyIdentifier(certificate);
  const issuerKeyId = authorityKeyIdentifier(certificate)?.keyIdentifier;
  return {
    subject: formatName(certificate.subject),
    issuer: formatName(certificate.issuer),
    serial: certificate.serial,
    fingerprint: certificate.fingerprint,
    names: namesOf(certificate),
    notBefore: formatRfc3339(certificate.validity.notBefore),
    notAfter: formatRfc3339(certificate.validity.notAfter),
    key: describeKey(certificate.publicKey),
    signatureAlgorithm: describeSignatureAlgorithm(certificate.signatureAlgorithm),
    ...usageDocument(certificate),
    subjectKeyId: keyId && hexFromBytes(keyId),
    authorityKeyId: issuerKeyId ? hexFromBytes(issuerKeyId) : null,
    crlUrls: crlUrls(certificate),
    ...authorityInformationAccess(certificate),
    extensions: certificate.extensions.map(extensionDocument),
  };
}

/** The subject, or what stands for it where it is empty. */
export function describeCertificate(certificate: TbsCertificate): string {
  return formatName(certificate.subject) || namesOf(certificate)[0] || `serial ${certificate.serial}`;
}

export function certificateLines(certificate: Certificate, now: Instant): string[] {
  const document = certificateDocument(certificate);
  const { validity, version } = certificate;
  return table([
    ['subject', document.subject || '(empty)'],
    ['issuer', document.issuer === document.subject ? `${document.issuer}  (itself)` : document.issuer],
    ['names', document.names.join(', ') || (document.isCa ? null : 'none, and clients look nowhere else')],
    ['valid from', document.notBefore],
    ['valid until', `${document.notAfter}  (${describeRemaining(validity, now)})`],
    ['key', document.key],
    ['signature', document.signatureAlgorithm],
    ['serial', document.serial],
    ['SHA-256', document.fingerprint],
    ...usageRows(certificate),
    ['subject key id', document.subjectKeyId],
    ['authority key id', document.authorityKeyId],
    ...document.crlUrls.map((url): Row => ['CRL', url]),
    ...document.ocspUrls.map((url): Row => ['OCSP', url]),
    ...document.caIssuersUrls.map((url): Row => ['issuer at', url]),
    ...policyRows(certificate),
    ...constraintRows(certificate),
    ...otherExtensionRows(certificate),
    ['version', version === 3 ? null : `${version}, which has no extensions`],
  ]);
}

/** "expires in 23h59m", "expired 3d2h ago", "not valid for another 5m". */
export function describeRemaining(validity: ValidityPeriod, now: Instant): string {
  if (contains(validity, now)) return `expires in ${formatDuration(remainingSeconds(validity, now))}`;
  return now > validity.notAfter
    ? `expired ${formatDuration(now - validity.notAfter)} ago`
    : `not valid for another ${formatDuration(validity.notBefore - now)}`;
}

export interface RequestDocument {
  readonly subject: string;
  readonly names: readonly string[];
  readonly key: string;
  readonly signatureAlgorithm: string;
  /** Whether the requester has proven to hold the key. */
  readonly signatureValid: boolean;
  readonly isCa: boolean;
  readonly pathLength: number | null;
  readonly keyUsage: readonly string[];
  readonly extendedKeyUsage: readonly string[];
  readonly extensions: readonly ExtensionDocument[];
}

export function requestDocument(csr: Csr): RequestDocument {
  return {
    subject: formatName(csr.subject),
    names: namesOf(csr),
    key: describeKey(csr.publicKey),
    signatureAlgorithm: describeSignatureAlgorithm(csr.signatureAlgorithm),
    signatureValid: verifyCsrSignature(csr),
    ...usageDocument(csr),
    extensions: csr.extensions.map(extensionDocument),
  };
}

export function requestLines(csr: Csr): string[] {
  const document = requestDocument(csr);
  return table([
    ['subject', document.subject || '(empty)'],
    ['names', document.names.join(', ') || 'none'],
    ['key', document.key],
    [
      'signature',
      `${document.signatureAlgorithm}, ${document.signatureValid ? 'made with this key' : 'NOT made with this key'}`,
    ],
    ...usageRows(csr),
    ...otherExtensionRows(csr),
  ]);
}

/** Label and value; rows whose value is empty are left out. */
export type Row = readonly [label: string, value: string | null];

/** Rows → aligned lines. Whatever could steer a terminal is shown as its code point instead. */
export function table(rows: readonly Row[]): string[] {
  return rows.flatMap(([label, value]) => (value ? [`  ${label.padEnd(18)} ${printable(value)}`] : []));
}

/** Certificates come from strangers: escape sequences and direction marks in them must not reach a terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function namesOf(holder: ExtensionHolder): string[] {
  return subjectAltNames(holder).map(formatGeneralName);
}

function usageDocument(holder: ExtensionHolder) {
  const constraints = basicConstraints(holder);
  return {
    isCa: constraints?.ca === true,
    pathLength: constraints?.pathLength ?? null,
    keyUsage: keyUsage(holder) ?? [],
    extendedKeyUsage: extendedKeyUsage(holder) ?? [],
  };
}

function usageRows(holder: ExtensionHolder): Row[] {
  const usages = keyUsage(holder);
  const purposes = extendedKeyUsage(holder);
  const { isCa, pathLength } = usageDocument(holder);
  return [
    ['authority', isCa ? `yes, ${pathLength === null ? 'no path length limit' : `path length ${pathLength}`}` : 'no'],
    ['key usage', usages?.join(', ') ?? null],
    ['extended key usage', purposes?.join(', ') ?? null],
  ];
}

function policyRows(holder: ExtensionHolder): Row[] {
  const { requireExplicitPolicy = null, inhibitPolicyMapping = null } = policyConstraints(holder) ?? {};
  const after = (count: number | null): string | null => (count === null ? null : `after ${count} more certificates`);
  return [
    ['policies', certificatePolicies(holder).join(', ')],
    ...policyMappings(holder).map(
      ({ issuerDomainPolicy, subjectDomainPolicy }): Row => [
        'policy mapping',
        `${issuerDomainPolicy} is called ${subjectDomainPolicy} below`,
      ],
    ),
    ['policy required', after(requireExplicitPolicy)],
    ['no policy mapping', after(inhibitPolicyMapping)],
    ['no anyPolicy', after(inhibitAnyPolicy(holder))],
  ];
}

function constraintRows(holder: ExtensionHolder): Row[] {
  const constraints = nameConstraints(holder);
  if (!constraints) return [];
  const listed = (subtrees: readonly NameSubtree[]): string => subtrees.map(describeSubtree).join(', ');
  return [
    ['permitted names', listed(constraints.permitted)],
    ['excluded names', listed(constraints.excluded)],
  ];
}

function describeSubtree(subtree: NameSubtree): string {
  const text = subtree.kind === 'ip' ? subtree.value : formatGeneralName(subtree);
  // The empty base is every name of its kind.
  return `${subtree.kind} ${text || '(all)'}`;
}

/** Extensions that are met in certificates and not read by this program. */
const OTHER_EXTENSIONS: Readonly<Record<string, string>> = {
  '1.3.6.1.4.1.11129.2.4.2': 'signedCertificateTimestamps',
  '1.3.6.1.4.1.11129.2.4.3': 'precertificatePoison',
  '1.3.6.1.4.1.311.20.2': 'microsoftTemplateName',
  '1.3.6.1.4.1.311.21.7': 'microsoftTemplate',
  '1.3.6.1.4.1.37476.9000.64.1': 'stepProvisioner',
  '1.3.6.1.5.5.7.1.24': 'tlsFeature',
  '1.3.6.1.5.5.7.48.1.5': 'ocspNoCheck',
  '2.16.840.1.113730.1.1': 'netscapeCertType',
  '2.16.840.1.113730.1.13': 'netscapeComment',
  '2.5.29.9': 'subjectDirectoryAttributes',
  '2.5.29.16': 'privateKeyUsagePeriod',
  '2.5.29.18': 'issuerAltName',
  '2.5.29.46': 'freshestCRL',
};

function extensionName(oid: string): string | null {
  return (
    KNOWN_EXTENSIONS.get(oid)?.name ?? (Object.hasOwn(OTHER_EXTENSIONS, oid) ? OTHER_EXTENSIONS[oid] : null) ?? null
  );
}

function extensionDocument({ oid, critical }: Extension): ExtensionDocument {
  return { oid, name: extensionName(oid), critical };
}

function otherExtensionRows({ extensions }: ExtensionHolder): Row[] {
  return extensions
    .filter(({ oid }) => !KNOWN_EXTENSIONS.has(oid))
    .map((extension) => {
      const name = extensionName(extension.oid);
      const parts = [
        `${extension.oid}${name ? ` (${name})` : ''}`,
        extension.critical ? 'critical' : '',
        extension.oid === '1.3.6.1.4.1.11129.2.4.2'
          ? `${timestampCount(extension.value) ?? 'malformed'} of them`
          : `${extension.value.byteLength} octets`,
      ];
      return ['extension', parts.filter((part) => part !== '').join(', ')];
    });
}

/** RFC 6962 §3.3: an OCTET STRING with a two-octet length and a list of such; null when it is not that. */
function timestampCount(value: Uint8Array): number | null {
  // Lists are shorter than 64 KiB, so the DER header takes 2, 3 or 4 octets.
  const header = value[1] === undefined ? 2 : value[1] < 0x80 ? 2 : 2 + (value[1] & 0x7f);
  const list = value.subarray(header + 2);
  let count = 0;
  let position = 0;
  for (; position + 2 <= list.byteLength; count++) {
    position += 2 + (((list[position] ?? 0) << 8) | (list[position + 1] ?? 0));
  }
  return value[0] === 0x04 && position === list.byteLength ? count : null;
}
