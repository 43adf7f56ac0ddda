/** The dates of a request, the limits and the issuer's dates → the validity period, or why there is none. */
import { formatDuration } from '../time/duration.ts';
import { addSeconds, formatRfc3339, type Instant } from '../time/instant.ts';
import type { ValidityPeriod } from '../time/validity-period.ts';
import type { IssuanceLimits } from './decide-issuance.ts';
import { type IssuanceRefusal, refuse } from './refusal.ts';

/** What was asked for; nothing of it means "the default lifetime from now". */
export interface RequestedValidity {
  readonly lifetimeSeconds?: number | undefined;
  readonly notBefore?: Instant | undefined;
  readonly notAfter?: Instant | undefined;
}

/** Less is gone before it is installed. */
export const MIN_LIFETIME_SECONDS = 60;

/** @param issuer the issuer's own period; null for a root */
export function certifiedValidity(
  requested: RequestedValidity,
  issuer: ValidityPeriod | null,
  limits: IssuanceLimits,
  now: Instant,
): { readonly kind: 'certified'; readonly validity: ValidityPeriod } | IssuanceRefusal {
  const { notBefore, notAfter } = requested;
  const earliest = addSeconds(now, -limits.backdateSeconds);
  if (notBefore !== undefined && notBefore < earliest) {
    return refuse(
      'validity-invalid',
      `notBefore ${formatRfc3339(notBefore)} is in the past; ${formatRfc3339(earliest)} is the earliest`,
    );
  }
  if (notAfter !== undefined && requested.lifetimeSeconds !== undefined) {
    return refuse('validity-invalid', 'both a lifetime and notAfter are given; one of them is enough');
  }
  // The lifetime counts from now, or from a later start: the backdated seconds do not use it up.
  const start = notBefore !== undefined && notBefore > now ? notBefore : now;
  const explicit = notAfter !== undefined || requested.lifetimeSeconds !== undefined;
  const wanted =
    notAfter !== undefined
      ? notAfter - start + 1
      : (requested.lifetimeSeconds ?? Math.min(limits.defaultLifetimeSeconds, limits.maxLifetimeSeconds));
  if (wanted < MIN_LIFETIME_SECONDS) {
    return refuse(
      'validity-invalid',
      `it would be valid for ${formatDuration(wanted)}; at least ${formatDuration(MIN_LIFETIME_SECONDS)} is needed`,
    );
  }
  // A date comes from another host's clock, which may be off by what certificates are backdated for.
  const tolerance = notAfter === undefined ? 0 : limits.backdateSeconds;
  if (wanted > limits.maxLifetimeSeconds + tolerance) {
    return refuse(
      'lifetime-over-maximum',
      `a lifetime of ${formatDuration(wanted)} was asked for; at most ${formatDuration(limits.maxLifetimeSeconds)} is allowed`,
    );
  }
  const period = { notBefore: notBefore ?? earliest, notAfter: addSeconds(start, wanted - 1) };
  return issuer === null ? { kind: 'certified', validity: period } : withinIssuer(period, start, explicit, issuer);
}

/** No certificate outlives its issuer: what was asked for is refused then, a default is shortened. */
function withinIssuer(
  period: ValidityPeriod,
  start: Instant,
  explicit: boolean,
  issuer: ValidityPeriod,
): { readonly kind: 'certified'; readonly validity: ValidityPeriod } | IssuanceRefusal {
  if (start < issuer.notBefore || start > issuer.notAfter) {
    return refuse(
      'issuer-not-valid',
      `the issuer’s certificate is valid from ${formatRfc3339(issuer.notBefore)} to ${formatRfc3339(issuer.notAfter)}, not at ${formatRfc3339(start)}`,
    );
  }
  const notBefore = addSeconds(issuer.notBefore, Math.max(0, period.notBefore - issuer.notBefore));
  if (period.notAfter <= issuer.notAfter) return { kind: 'certified', validity: { ...period, notBefore } };
  if (explicit) {
    return refuse(
      'outlives-issuer',
      `it would be valid until ${formatRfc3339(period.notAfter)}, its issuer only until ${formatRfc3339(issuer.notAfter)}; ask for less or rotate the issuer`,
    );
  }
  const left = issuer.notAfter - start + 1;
  if (left < MIN_LIFETIME_SECONDS)
    return refuse(
      'outlives-issuer',
      `the issuer’s certificate ends at ${formatRfc3339(issuer.notAfter)}, in ${formatDuration(left)}`,
    );
  return { kind: 'certified', validity: { notBefore, notAfter: issuer.notAfter } };
}
