/** Lint rules about what a certificate may be used for: basicConstraints, keyUsage, extKeyUsage. */
import { BASIC_CONSTRAINTS, basicConstraints } from './basic-constraints.ts';
import type { TbsCertificate } from './certificate.ts';
import { extendedKeyUsage } from './extended-key-usage.ts';
import { findExtension } from './extension.ts';
import { KEY_USAGE, type KeyUsage, keyUsage } from './key-usage.ts';
import { AUTHORITIES, LEAVES, type LintKind, type LintRule, NOT_ROOT, withIssuer } from './lint-rule.ts';
import { describeKey } from './public-key.ts';

const PURPOSES: Readonly<Record<LintKind, readonly string[]>> = {
  server: ['serverAuth'],
  client: ['clientAuth'],
  peer: ['serverAuth', 'clientAuth'],
  intermediate: [],
  root: [],
};

export const USAGE_RULES: readonly LintRule[] = [
  {
    id: 'leaf-is-authority',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.9',
    kinds: LEAVES,
    check: (certificate) =>
      basicConstraints(certificate)?.ca ? 'CA:TRUE on a certificate that is no authority' : null,
  },
  {
    id: 'authority-is-none',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.9',
    kinds: AUTHORITIES,
    check: (certificate) => (basicConstraints(certificate)?.ca ? null : 'an authority without CA:TRUE'),
  },
  {
    id: 'basic-constraints-not-critical',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.9',
    kinds: AUTHORITIES,
    check: (certificate) =>
      findExtension(certificate, BASIC_CONSTRAINTS)?.critical === false
        ? 'basicConstraints of an authority is not critical'
        : null,
  },
  {
    id: 'path-length-on-leaf',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.9',
    check: (certificate) => {
      const constraints = basicConstraints(certificate);
      return constraints && !constraints.ca && constraints.pathLength !== null
        ? `a path length of ${constraints.pathLength} without CA:TRUE`
        : null;
    },
  },
  {
    id: 'path-length-exhausted',
    severity: 'error',
    section: 'RFC 5280 §6.1.4 (l), (m)',
    kinds: ['intermediate'],
    check: withIssuer((_, issuer) =>
      basicConstraints(issuer)?.pathLength === 0
        ? 'the path length of the issuer is 0: no authority may follow it'
        : null,
    ),
  },
  {
    id: 'path-length-over-issuer',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 5280 §6.1.4 (l), (m)',
    kinds: ['intermediate'],
    check: withIssuer((certificate, issuer) => {
      const allowed = basicConstraints(issuer)?.pathLength ?? null;
      const own = basicConstraints(certificate)?.pathLength ?? null;
      if (allowed === null || allowed === 0) return null;
      return own === null || own >= allowed
        ? `the path length is ${own ?? 'not limited'}; below the issuer’s ${allowed} is needed`
        : null;
    }),
  },
  {
    id: 'issuer-not-an-authority',
    severity: 'error',
    section: 'RFC 5280 §6.1.4 (k), (n)',
    check: withIssuer((_, issuer) => {
      if (!basicConstraints(issuer)?.ca) return 'the issuer has no CA:TRUE';
      return keyUsage(issuer)?.includes('keyCertSign') === false
        ? 'the issuer may not sign certificates (keyCertSign)'
        : null;
    }),
  },
  {
    id: 'key-usage-missing',
    severity: 'warning',
    severityOf: { intermediate: 'error', root: 'error' },
    isSigned: false,
    section: 'RFC 5280 §4.2.1.3',
    check: (certificate) => (keyUsage(certificate) === null ? 'there is no keyUsage' : null),
  },
  {
    id: 'key-usage-not-critical',
    severity: 'warning',
    section: 'RFC 5280 §4.2.1.3',
    check: (certificate) =>
      findExtension(certificate, KEY_USAGE)?.critical === false ? 'keyUsage is not critical' : null,
  },
  {
    id: 'key-usage-empty',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.3',
    check: (certificate) => (keyUsage(certificate)?.length === 0 ? 'keyUsage has no bit set' : null),
  },
  {
    id: 'no-digital-signature',
    severity: 'error',
    section: 'RFC 8446 §4.4.2.2',
    kinds: LEAVES,
    check: (certificate) => lacks(certificate, 'digitalSignature', 'TLS 1.3 needs'),
  },
  {
    id: 'key-encipherment-without-rsa',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 8813 §3',
    check: (certificate) =>
      certificate.publicKey.kind !== 'rsa' &&
      keyUsage(certificate)?.some((usage) => usage === 'keyEncipherment' || usage === 'dataEncipherment')
        ? `keyUsage has encipherment, which a key of kind ${describeKey(certificate.publicKey)} cannot do`
        : null,
  },
  {
    id: 'authority-cannot-sign',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.9',
    kinds: AUTHORITIES,
    check: (certificate) => lacks(certificate, 'keyCertSign', 'CA:TRUE needs'),
  },
  {
    id: 'authority-cannot-sign-crl',
    severity: 'warning',
    section: 'RFC 5280 §4.2.1.3',
    kinds: AUTHORITIES,
    check: (certificate) => lacks(certificate, 'cRLSign', 'revoking needs'),
  },
  {
    id: 'leaf-can-sign-certificates',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.3',
    kinds: LEAVES,
    check: (certificate) => {
      const usage = keyUsage(certificate)?.find((bit) => bit === 'keyCertSign' || bit === 'cRLSign');
      return usage ? `keyUsage has ${usage} on a certificate that is no authority` : null;
    },
  },
  {
    id: 'extended-key-usage-missing',
    severity: 'error',
    severityOf: { client: 'warning' },
    isSigned: false,
    section: 'Baseline Requirements §7.1.2.7.10',
    kinds: LEAVES,
    check: (certificate) =>
      extendedKeyUsage(certificate) === null ? 'there is no extKeyUsage, so any purpose is allowed' : null,
  },
  {
    id: 'extended-key-usage-empty',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.12',
    check: (certificate) =>
      extendedKeyUsage(certificate)?.length === 0 ? 'extKeyUsage is there but lists no purpose' : null,
  },
  {
    id: 'extended-key-usage-any',
    severity: 'warning',
    isSigned: false,
    section: 'Baseline Requirements §7.1.2.7.10',
    kinds: ['server', 'client', 'peer', 'intermediate'],
    check: (certificate) =>
      extendedKeyUsage(certificate)?.includes('anyExtendedKeyUsage') ? 'extKeyUsage allows any purpose' : null,
  },
  {
    id: 'purpose-missing',
    severity: 'error',
    section: 'RFC 5280 §4.2.1.12',
    kinds: LEAVES,
    check: (certificate, { kind }) => {
      const purposes = extendedKeyUsage(certificate);
      const missing = PURPOSES[kind].filter(
        (purpose) => purposes && purposes.length > 0 && !purposes.includes(purpose),
      );
      return missing.length > 0 ? `extKeyUsage does not list ${missing.join(' and ')}` : null;
    },
  },
  {
    id: 'purpose-not-of-issuer',
    severity: 'error',
    section: 'Baseline Requirements §7.1.2.10.6',
    kinds: NOT_ROOT,
    check: withIssuer((certificate, issuer, { kind }) =>
      beyondIssuer(certificate, issuer, (purpose) => isNeeded(purpose, kind)),
    ),
  },
  {
    id: 'other-purpose-not-of-issuer',
    severity: 'warning',
    isSigned: false,
    section: 'Baseline Requirements §7.1.2.10.6',
    kinds: NOT_ROOT,
    check: withIssuer((certificate, issuer, { kind }) =>
      beyondIssuer(certificate, issuer, (purpose) => !isNeeded(purpose, kind)),
    ),
  },
];

/** Of an authority everything that it may issue for. */
function isNeeded(purpose: string, kind: LintKind): boolean {
  return kind === 'intermediate' || PURPOSES[kind].includes(purpose);
}

function beyondIssuer(
  certificate: TbsCertificate,
  issuer: TbsCertificate,
  isWanted: (purpose: string) => boolean,
): string | null {
  const allowed = extendedKeyUsage(issuer);
  if (!allowed || allowed.includes('anyExtendedKeyUsage')) return null;
  const stray = (extendedKeyUsage(certificate) ?? []).filter(
    (purpose) => !allowed.includes(purpose) && isWanted(purpose),
  );
  return stray.length > 0 ? `for ${stray.join(', ')}; the issuer is limited to ${allowed.join(', ')}` : null;
}

function lacks(certificate: TbsCertificate, usage: KeyUsage, why: string): string | null {
  const usages = keyUsage(certificate);
  return usages && usages.length > 0 && !usages.includes(usage) ? `keyUsage lacks ${usage}, which ${why}` : null;
}
