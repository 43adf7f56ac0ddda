/** Lint rules about key identifiers, name constraints, policies, URLs and critical extensions. */

import { bytesEqual } from '../bytes/compare.ts';
import { hexFromBytes } from '../bytes/hex.ts';
import { AUTHORITY_INFORMATION_ACCESS, authorityInformationAccess } from './authority-information-access.ts';
import { basicConstraints } from './basic-constraints.ts';
import type { TbsCertificate } from './certificate.ts';
import { crlUrls } from './crl-distribution-points.ts';
import { type ExtensionKind, findExtension } from './extension.ts';
import {
  AUTHORITY_KEY_IDENTIFIER,
  authorityKeyIdentifier,
  SUBJECT_KEY_IDENTIFIER,
  subjectKeyIdentifier,
} from './key-identifier.ts';
import { KNOWN_EXTENSIONS } from './known-extensions.ts';
import { AUTHORITIES, LEAVES, type LintRule, NOT_ROOT, withIssuer } from './lint-rule.ts';
import { NAME_CONSTRAINTS, nameConstraints } from './name-constraints.ts';
import { INHIBIT_ANY_POLICY, POLICY_CONSTRAINTS } from './policy-constraints.ts';
import { POLICY_MAPPINGS } from './policy-mappings.ts';

export const EXTENSION_RULES: readonly LintRule[] = [
  {
    id: 'authority-key-identifier-missing',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.1',
    kinds: NOT_ROOT,
    check: (certificate) =>
      authorityKeyIdentifier(certificate)?.keyIdentifier
        ? null
        : 'there is no authorityKeyIdentifier with a key identifier',
  },
  {
    id: 'authority-key-identifier-mismatch',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.1',
    check: withIssuer((certificate, issuer) => {
      const named = authorityKeyIdentifier(certificate)?.keyIdentifier;
      const actual = subjectKeyIdentifier(issuer);
      if (!named || !actual || bytesEqual(named, actual)) return null;
      return `names the issuer’s key ${hexFromBytes(named)}, which is ${hexFromBytes(actual)}`;
    }),
  },
  {
    id: 'authority-key-identifier-critical',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.1',
    check: (certificate) =>
      findExtension(certificate, AUTHORITY_KEY_IDENTIFIER)?.critical ? 'authorityKeyIdentifier is critical' : null,
  },
  {
    id: 'subject-key-identifier-missing',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.2',
    kinds: AUTHORITIES,
    check: (certificate) => (subjectKeyIdentifier(certificate) ? null : 'an authority without subjectKeyIdentifier'),
  },
  {
    id: 'leaf-subject-key-identifier-missing',
    severity: 'info',
    section: 'RFC 5280 §4.2.1.2',
    kinds: LEAVES,
    check: (certificate) => (subjectKeyIdentifier(certificate) ? null : 'there is no subjectKeyIdentifier'),
  },
  {
    id: 'subject-key-identifier-critical',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.2',
    check: (certificate) =>
      findExtension(certificate, SUBJECT_KEY_IDENTIFIER)?.critical ? 'subjectKeyIdentifier is critical' : null,
  },
  {
    id: 'name-constraints-on-leaf',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 5280 §4.2.1.10',
    check: (certificate) =>
      nameConstraints(certificate) && !basicConstraints(certificate)?.ca
        ? 'name constraints on a certificate that is no authority'
        : null,
  },
  {
    id: 'name-constraints-not-critical',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 5280 §4.2.1.10',
    check: (certificate) => notCritical(certificate, NAME_CONSTRAINTS),
  },
  {
    id: 'name-constraints-empty',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.10',
    check: (certificate) => {
      const constraints = nameConstraints(certificate);
      return constraints && constraints.permitted.length + constraints.excluded.length === 0
        ? 'nameConstraints is there but constrains nothing'
        : null;
    },
  },
  {
    id: 'policy-constraints-not-critical',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 5280 §4.2.1.11',
    check: (certificate) => notCritical(certificate, POLICY_CONSTRAINTS),
  },
  {
    id: 'policy-mappings-not-critical',
    severity: 'warning',
    section: 'RFC 5280 §4.2.1.5',
    check: (certificate) => notCritical(certificate, POLICY_MAPPINGS),
  },
  {
    id: 'inhibit-any-policy-not-critical',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 5280 §4.2.1.14',
    check: (certificate) => notCritical(certificate, INHIBIT_ANY_POLICY),
  },
  {
    id: 'access-critical',
    severity: 'error',
    section: 'RFC 5280 §4.2.2.1',
    check: (certificate) =>
      findExtension(certificate, AUTHORITY_INFORMATION_ACCESS)?.critical ? 'authorityInfoAccess is critical' : null,
  },
  {
    id: 'critical-extension-unknown',
    severity: 'error',
    section: 'RFC 5280 §4.2',
    check: ({ extensions }) => {
      const unknown = extensions.filter((extension) => extension.critical && !KNOWN_EXTENSIONS.has(extension.oid));
      return unknown.length > 0
        ? `clients refuse critical extensions that they do not know: ${unknown.map((extension) => extension.oid).join(', ')}`
        : null;
    },
  },
  {
    id: 'crl-url-not-http',
    severity: 'warning',
    section: 'RFC 5280 §4.2.1.13, §8',
    check: (certificate) => notHttp('CRL', crlUrls(certificate)),
  },
  {
    id: 'access-url-not-http',
    severity: 'warning',
    section: 'RFC 5280 §4.2.2.1, §8',
    check: (certificate) => {
      const { ocspUrls, caIssuersUrls } = authorityInformationAccess(certificate);
      return notHttp('authorityInfoAccess', [...ocspUrls, ...caIssuersUrls]);
    },
  },
];

function notCritical(certificate: TbsCertificate, kind: ExtensionKind<unknown>): string | null {
  return findExtension(certificate, kind)?.critical === false ? `${kind.name} is not critical` : null;
}

/** Fetching them over HTTPS would need the check that they are fetched for. */
function notHttp(what: string, urls: readonly string[]): string | null {
  const other = urls.filter((url) => !/^http:\/\//i.test(url));
  return other.length > 0 ? `a URL of ${what} that is not plain http: ${other.join(', ')}` : null;
}
