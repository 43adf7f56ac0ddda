/**
 * Is it time for a new certificate, and why. One decision for plan, apply, agent, status and metrics: they print
 * what it says. All arithmetic is on the certificate's own dates; no lifetime is assumed.
 */
import { type Revocation, revocationText } from '../revocation/revocation.ts';
import { formatDuration } from '../time/duration.ts';
import { addSeconds, formatRfc3339, type Instant } from '../time/instant.ts';
import { instantAtFraction, lifetimeSeconds, remainingSeconds, type ValidityPeriod } from '../time/validity-period.ts';
import type { KeyAlgorithm } from '../x509/algorithm.ts';
import type { TbsCertificate } from '../x509/certificate.ts';
import { type KeyPurpose, lackedPurposes } from '../x509/extended-key-usage.ts';
import { type GeneralName, generalNameKey } from '../x509/general-name.ts';
import { keyAlgorithmOf } from '../x509/public-key.ts';
import { subjectAltNames } from '../x509/subject-alt-name.ts';

export type RenewalReason =
  | 'missing'
  | 'unreadable'
  | 'revoked'
  | 'asked'
  | 'names-changed'
  | 'key-changed'
  | 'usage-changed'
  | 'issuer-changed'
  | 'root-outgoing'
  | 'expired'
  | 'due'
  | 'not-due';

export interface RenewalDecision {
  readonly due: boolean;
  readonly reason: RenewalReason;
  /** A sentence for people. */
  readonly why: string;
  /** When it will be due, or was; null where there is no certificate. */
  readonly renewAt: Instant | null;
}

/**
 * Of the root to which a certificate leads: new ones lead to it, too; or it is trusted until it is retired, and signs
 * nothing any more; or it is none of the issuer's.
 */
export type RootStanding = 'active' | 'outgoing' | 'unknown';

/** What is installed: a certificate that parsed, why it cannot be read, or nothing. */
export type Installed =
  | {
      readonly kind: 'installed';
      readonly leaf: TbsCertificate;
      readonly root: RootStanding;
      /** By its issuer; null: not as far as is known. */
      readonly revocation: Revocation | null;
    }
  | { readonly kind: 'unreadable'; readonly why: string }
  | { readonly kind: 'missing' };

export interface WantedCertificate {
  readonly names: readonly GeneralName[];
  readonly key: KeyAlgorithm;
  /** What a new one would be good for; none where the issuer decides that by itself. */
  readonly purposes: readonly KeyPurpose[];
}

/** Two thirds of the lifetime (R225); a tenth of the rest is jitter, so that many do not come at once. */
export const RENEW_AT_FRACTION = 2 / 3;
const JITTER_FRACTION = 0.1;

/**
 * The instant of renewal. `spread` (0..1) is drawn once for each certificate and kept, for example from its
 * fingerprint: the same certificate always has the same instant.
 */
export function renewalInstant(validity: ValidityPeriod, spread: number): Instant {
  const earliest = instantAtFraction(validity, RENEW_AT_FRACTION);
  const jitter = Math.floor(lifetimeSeconds(validity) * (1 - RENEW_AT_FRACTION) * JITTER_FRACTION * spread);
  return addSeconds(earliest, -jitter);
}

/** A number from 0 to 1 that belongs to a certificate: the first bytes of its serial number's hex. */
export function spreadOf(certificate: Pick<TbsCertificate, 'serial'>): number {
  return Number.parseInt(certificate.serial.slice(-8), 16) / 0xffffffff;
}

/** However late an issuer suggests it: a tenth of the lifetime is left for trying. */
const LATEST_FRACTION = 0.9;

/**
 * @param asked a person wants it now
 * @param suggested when the issuer wants it (RFC 9773), in place of two thirds; null: it says nothing
 */
export function renewalDecision(
  installed: Installed,
  wanted: WantedCertificate,
  asked: boolean,
  now: Instant,
  suggested: Instant | null = null,
): RenewalDecision {
  if (installed.kind === 'missing')
    return { due: true, reason: 'missing', why: 'no certificate is installed', renewAt: null };
  if (installed.kind === 'unreadable') {
    return {
      due: true,
      reason: 'unreadable',
      why: `the installed pair cannot be used: ${installed.why}`,
      renewAt: null,
    };
  }
  const { leaf, root, revocation } = installed;
  if (revocation !== null)
    return { due: true, reason: 'revoked', why: revocationText(revocation), renewAt: revocation.revokedAt };
  const renewAt =
    suggested === null
      ? renewalInstant(leaf.validity, spreadOf(leaf))
      : earlier(suggested, instantAtFraction(leaf.validity, LATEST_FRACTION));
  const yes = (reason: RenewalReason, why: string): RenewalDecision => ({ due: true, reason, why, renewAt });
  const difference = nameDifference(subjectAltNames(leaf), wanted.names);
  if (difference !== null) return yes('names-changed', difference);
  if (keyAlgorithmOf(leaf.publicKey) !== wanted.key) return yes('key-changed', `its key is not ${wanted.key}`);
  const lacked = lackedPurposes(leaf, wanted.purposes);
  if (lacked.length > 0) return yes('usage-changed', `it is not good for ${lacked.join(' and ')}`);
  if (root === 'unknown') return yes('issuer-changed', 'it was not issued by the authority of this stack');
  const left = remainingSeconds(leaf.validity, now);
  if (left <= 0) return yes('expired', `it expired at ${formatRfc3339(leaf.validity.notAfter)}`);
  if (root === 'outgoing') return yes('root-outgoing', 'issued under the outgoing root, to be replaced');
  if (now >= renewAt) {
    const cause = suggested === null ? 'two thirds of its life have passed' : 'its issuer wants it replaced';
    return yes('due', `${cause}; ${formatDuration(left)} are left`);
  }
  if (asked) return yes('asked', 'a rotation was asked for');
  return {
    due: false,
    reason: 'not-due',
    why: `not due before ${formatRfc3339(renewAt)}; ${formatDuration(left)} are left`,
    renewAt,
  };
}

function earlier(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}

function nameDifference(has: readonly GeneralName[], wants: readonly GeneralName[]): string | null {
  const [present, wanted] = [new Set(has.map(generalNameKey)), new Set(wants.map(generalNameKey))];
  const missing = [...wanted].filter((name) => !present.has(name));
  const stray = [...present].filter((name) => !wanted.has(name));
  if (missing.length > 0) return `it does not name ${missing.join(', ')}`;
  return stray.length > 0 ? `it still names ${stray.join(', ')}` : null;
}
