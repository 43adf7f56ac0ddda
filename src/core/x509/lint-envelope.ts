/** Lint rules about version, serial, signature, validity and key. */
import { sequence, time } from '../asn1/der-writer.ts';
import { bytesEqual } from '../bytes/compare.ts';
import { formatDuration } from '../time/duration.ts';
import { formatRfc3339, instantFromSeconds } from '../time/instant.ts';
import { lifetimeSeconds } from '../time/validity-period.ts';
import { describeSignatureAlgorithm, signatureScheme } from './algorithm.ts';
import type { TbsCertificate } from './certificate.ts';
import { checkPublicKey } from './key-check.ts';
import { type LintRule, NOT_ROOT, SERVERS, withIssuer } from './lint-rule.ts';
import { describeKey, type PublicKeyInfo } from './public-key.ts';

const DAY = 86400;

/** CA/Browser Forum ballot SC-081: longest lifetime, by the day on which it starts. */
const PUBLIC_LIMITS = [
  { from: Date.UTC(2029, 2, 15) / 1000, days: 47 },
  { from: Date.UTC(2027, 2, 15) / 1000, days: 100 },
  { from: Date.UTC(2026, 2, 15) / 1000, days: 200 },
  { from: 0, days: 398 },
] as const;

export const ENVELOPE_RULES: readonly LintRule[] = [
  {
    id: 'version-not-3',
    severity: 'error',
    severityOf: { root: 'warning' },
    section: 'RFC 5280 §4.1.2.1',
    check: ({ version }) => (version === 3 ? null : `the version is ${version}; extensions need version 3`),
  },
  {
    id: 'serial-zero',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 5280 §4.1.2.2',
    check: ({ serial }) => (/^0+$/.test(serial) ? 'the serial number is 0; it must be positive' : null),
  },
  {
    id: 'serial-too-long',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 5280 §4.1.2.2',
    check: ({ serial }) => {
      const octets = serialContentLength(serial);
      return octets > 20 ? `the serial number takes ${octets} octets; at most 20 are allowed` : null;
    },
  },
  {
    id: 'serial-too-short',
    severity: 'warning',
    isSigned: false,
    section: 'Baseline Requirements §7.1',
    kinds: NOT_ROOT,
    check: ({ serial }) =>
      serial.length < 16 ? `the serial number has ${serial.length / 2} octets; 64 random bits take at least 8` : null,
  },
  {
    id: 'signature-weak',
    severity: 'error',
    section: 'Baseline Requirements §7.1.3.2',
    kinds: NOT_ROOT,
    check: weakSignature,
  },
  {
    id: 'root-signature-weak',
    severity: 'info',
    section: 'Baseline Requirements §7.1.3.2',
    kinds: ['root'],
    check: weakSignature,
  },
  {
    id: 'signature-algorithm-unknown',
    severity: 'warning',
    section: 'RFC 5280 §4.1.1.2',
    check: ({ signatureAlgorithm }) =>
      signatureScheme(signatureAlgorithm)
        ? null
        : `the signature algorithm ${signatureAlgorithm.oid} is not known here`,
  },
  {
    id: 'signature-not-of-issuer-key',
    severity: 'error',
    section: 'RFC 5280 §4.1.1.2',
    check: withIssuer(({ signatureAlgorithm }, issuer) => {
      const scheme = signatureScheme(signatureAlgorithm);
      if (scheme === null || scheme.key === nodeKeyType(issuer.publicKey)) return null;
      return `signed with ${scheme.name}, but the issuer’s key is ${describeKey(issuer.publicKey)}`;
    }),
  },
  {
    id: 'validity-reversed',
    severity: 'error',
    section: 'RFC 5280 §4.1.2.5',
    check: ({ validity: { notBefore, notAfter } }) =>
      notAfter < notBefore
        ? `it ends (${formatRfc3339(notAfter)}) before it starts (${formatRfc3339(notBefore)})`
        : null,
  },
  {
    id: 'time-encoding',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 5280 §4.1.2.5',
    check: ({ validity, validityDer }) =>
      bytesEqual(validityDer, sequence(time(validity.notBefore), time(validity.notAfter)))
        ? null
        : 'years through 2049 take UTCTime, later ones GeneralizedTime',
  },
  {
    id: 'lifetime-over-public-limit',
    severity: 'error',
    section: 'Baseline Requirements §6.3.2',
    kinds: SERVERS,
    check: (certificate, { publicTrust }) => {
      const limit = PUBLIC_LIMITS.find(({ from }) => certificate.validity.notBefore >= from);
      return publicTrust && limit ? tooLong(certificate, limit.days, 'browsers accept') : null;
    },
  },
  {
    id: 'lifetime-over-825-days',
    severity: 'error',
    isSigned: true,
    section: 'Apple HT210176',
    kinds: SERVERS,
    // Apple's platforms apply this one to private authorities too.
    check: (certificate) => tooLong(certificate, 825, 'Apple’s platforms accept, from private authorities too,'),
  },
  {
    id: 'outlives-issuer',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 5280 §6.1.3 (a)(2)',
    check: withIssuer(({ validity }, issuer) =>
      validity.notAfter > issuer.validity.notAfter
        ? `valid until ${formatRfc3339(validity.notAfter)}, its issuer only until ${formatRfc3339(issuer.validity.notAfter)}`
        : null,
    ),
  },
  {
    id: 'starts-before-issuer',
    severity: 'warning',
    section: 'RFC 5280 §6.1.3 (a)(2)',
    check: withIssuer(({ validity }, issuer) =>
      validity.notBefore < issuer.validity.notBefore
        ? `valid from ${formatRfc3339(validity.notBefore)}, its issuer only from ${formatRfc3339(issuer.validity.notBefore)}`
        : null,
    ),
  },
  {
    id: 'weak-key',
    severity: 'error',
    section: 'Baseline Requirements §6.1.5, §6.1.6',
    check: ({ publicKey }) => checkPublicKey(publicKey)?.detail ?? null,
  },
  {
    id: 'key-of-issuer',
    severity: 'warning',
    isSigned: false,
    section: 'RFC 5280 §4.2.1.9',
    kinds: NOT_ROOT,
    check: withIssuer(({ publicKey }, issuer) =>
      bytesEqual(publicKey.raw, issuer.publicKey.raw) ? 'the key is the one of its issuer' : null,
    ),
  },
];

function serialContentLength(serial: string): number {
  return serial.length / 2 + (/^[89a-f]/.test(serial) ? 1 : 0);
}

function weakSignature({ signatureAlgorithm }: TbsCertificate): string | null {
  if (!signatureScheme(signatureAlgorithm)?.weak) return null;
  return `signed with ${describeSignatureAlgorithm(signatureAlgorithm)}; SHA-256 or better is needed`;
}

function tooLong({ validity }: TbsCertificate, days: number, who: string): string | null {
  const seconds = lifetimeSeconds(validity);
  return seconds > days * DAY
    ? `valid for ${formatDuration(seconds)} from ${formatRfc3339(instantFromSeconds(validity.notBefore))}; ${who} ${days} days`
    : null;
}

function nodeKeyType(key: PublicKeyInfo): string {
  return key.kind === 'ml-dsa' ? `ml-dsa-${key.level}` : key.kind;
}
