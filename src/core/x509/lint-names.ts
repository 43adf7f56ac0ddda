/** Lint rules about subject, issuer and subjectAltName. */

import type { TbsCertificate } from './certificate.ts';
import { isWildcardName, lowerCaseAscii, parseDnsName } from './dns-name.ts';
import { parseMailbox } from './email-name.ts';
import { findExtension } from './extension.ts';
import { formatGeneralName, generalNameKey } from './general-name.ts';
import { parseIpAddress } from './ip-address.ts';
import { AUTHORITIES, type LintRule, SERVERS, withIssuer } from './lint-rule.ts';
import { commonNames, formatName, isEmptyName, namesEqual } from './name.ts';
import { nameConstraints } from './name-constraints.ts';
import { nameConstraintViolation } from './name-constraints-check.ts';
import { SUBJECT_ALT_NAME, subjectAltNames } from './subject-alt-name.ts';
import { checkUriName } from './uri-name.ts';

export const NAME_RULES: readonly LintRule[] = [
  {
    id: 'issuer-empty',
    severity: 'error',
    section: 'RFC 5280 §4.1.2.4',
    check: ({ issuer }) => (isEmptyName(issuer) ? 'the issuer is empty' : null),
  },
  {
    id: 'authority-subject-empty',
    severity: 'error',
    section: 'RFC 5280 §4.1.2.6',
    kinds: AUTHORITIES,
    check: ({ subject }) => (isEmptyName(subject) ? 'the subject of an authority is empty' : null),
  },
  {
    id: 'san-missing',
    severity: 'error',
    section: 'RFC 9525 §6.3; Baseline Requirements §7.1.2.7.12',
    kinds: SERVERS,
    check: (certificate) =>
      findExtension(certificate, SUBJECT_ALT_NAME) ? null : 'there is no subjectAltName, and clients look nowhere else',
  },
  {
    id: 'nothing-named',
    severity: 'error',
    section: 'RFC 5280 §4.1.2.6',
    kinds: ['client'],
    check: (certificate) =>
      isEmptyName(certificate.subject) && subjectAltNames(certificate).length === 0
        ? 'there is neither a subject nor a subjectAltName'
        : null,
  },
  {
    id: 'san-empty',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.6',
    check: (certificate) =>
      findExtension(certificate, SUBJECT_ALT_NAME) && subjectAltNames(certificate).length === 0
        ? 'subjectAltName is there but names nothing'
        : null,
  },
  {
    id: 'san-not-critical',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.6',
    check: ({ subject, extensions }) =>
      isEmptyName(subject) && findExtension({ extensions }, SUBJECT_ALT_NAME)?.critical === false
        ? 'the subject is empty, so subjectAltName must be critical'
        : null,
  },
  {
    id: 'san-critical',
    severity: 'warning',
    section: 'RFC 5280 §4.2.1.6',
    check: ({ subject, extensions }) =>
      !isEmptyName(subject) && findExtension({ extensions }, SUBJECT_ALT_NAME)?.critical
        ? 'the subject is not empty, so subjectAltName should not be critical'
        : null,
  },
  {
    id: 'san-duplicate',
    severity: 'warning',
    isSigned: false,
    section: 'Baseline Requirements §7.1.2.7.12',
    check: (certificate) => {
      const seen = new Set<string>();
      const names = subjectAltNames(certificate);
      return listed(
        'named twice',
        names.filter((name) => seen.size === seen.add(generalNameKey(name)).size).map(formatGeneralName),
      );
    },
  },
  {
    id: 'dns-name-invalid',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.6',
    check: (certificate) => listed('not a DNS name that clients accept', dnsNames(certificate).filter(isMalformed)),
  },
  {
    id: 'dns-name-underscore',
    severity: 'warning',
    isSigned: false,
    section: 'Baseline Requirements §7.1.4.2.1',
    check: (certificate) =>
      listed(
        'a DNS name with an underscore',
        dnsNames(certificate).filter((name) => name.includes('_')),
      ),
  },
  {
    id: 'wildcard-misplaced',
    severity: 'error',
    section: 'RFC 9525 §6.3',
    check: (certificate) =>
      listed('a wildcard that is not the whole left-most label', dnsNames(certificate).filter(isMisplaced)),
  },
  {
    id: 'wildcard-of-single-label',
    severity: 'error',
    isSigned: true,
    section: 'RFC 9525 §7.1',
    check: (certificate) =>
      listed(
        'a wildcard below a single label, which browsers refuse',
        dnsNames(certificate).filter((name) => /^\*\.[^.]+$/.test(name)),
      ),
  },
  {
    id: 'ip-as-dns-name',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.6; RFC 9525 §6.5',
    check: (certificate) =>
      listed(
        'an IP address as a DNS name; it belongs into iPAddress',
        dnsNames(certificate).filter((name) => parseIpAddress(name) !== null),
      ),
  },
  {
    id: 'email-invalid',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 5280 §4.2.1.6',
    check: (certificate) =>
      listed(
        'not a mailbox',
        values(certificate, 'email').filter((value) => parseMailbox(value) === null),
      ),
  },
  {
    id: 'uri-invalid',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.6; SPIFFE-ID §2',
    check: (certificate) =>
      listed(
        'not a URI that can be a name',
        values(certificate, 'uri').filter((value) => checkUriName(value) !== null),
      ),
  },
  {
    id: 'common-name-not-in-san',
    severity: 'warning',
    isSigned: false,
    section: 'Baseline Requirements §7.1.4.3',
    kinds: SERVERS,
    check: (certificate) => {
      const names = new Set(subjectAltNames(certificate).map((name) => lowerCaseAscii(formatGeneralName(name))));
      const strays = commonNames(certificate.subject).filter((name) => !names.has(lowerCaseAscii(name)));
      return listed('a common name that is not in subjectAltName', strays);
    },
  },
  {
    id: 'common-name-too-long',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 5280 appendix A.1 (ub-common-name)',
    check: ({ subject }) =>
      listed(
        'a common name of more than 64 characters',
        commonNames(subject).filter((name) => [...name].length > 64),
      ),
  },
  {
    id: 'issuer-name-mismatch',
    severity: 'error',
    section: 'RFC 5280 §6.1.3 (a)(4)',
    check: withIssuer((certificate, issuer) =>
      namesEqual(certificate.issuer, issuer.subject)
        ? null
        : `names its issuer ${JSON.stringify(formatName(certificate.issuer))}, which is ${JSON.stringify(formatName(issuer.subject))}`,
    ),
  },
  {
    id: 'name-outside-constraints',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.10',
    check: withIssuer((certificate, issuer) => {
      const constraints = nameConstraints(issuer);
      return constraints && nameConstraintViolation(constraints, subjectAltNames(certificate), certificate.subject);
    }),
  },
];

function values(certificate: TbsCertificate, kind: 'dns' | 'email' | 'uri'): string[] {
  return subjectAltNames(certificate).flatMap((name) => (name.kind === kind ? [name.value] : []));
}

function dnsNames(certificate: TbsCertificate): string[] {
  return values(certificate, 'dns');
}

function isMisplaced(name: string): boolean {
  return (isWildcardName(name) ? name.slice(2) : name).includes('*');
}

/** Malformed in a way that no rule of its own covers. */
function isMalformed(name: string): boolean {
  return parseDnsName(name) === null && !name.includes('_') && !isMisplaced(name) && parseIpAddress(name) === null;
}

function listed(what: string, culprits: readonly string[]): string | null {
  if (culprits.length === 0) return null;
  const shown = culprits
    .slice(0, 5)
    .map((culprit) => JSON.stringify(culprit))
    .join(', ');
  return `${what}: ${shown}${culprits.length > 5 ? ` and ${culprits.length - 5} more` : ''}`;
}
