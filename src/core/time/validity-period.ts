import { addSeconds, type Instant } from './instant.ts';

/** RFC 5280 §4.1.2.5: both ends are inclusive; `notAfter` is the last second in which it is valid. */
export interface ValidityPeriod {
  readonly notBefore: Instant;
  readonly notAfter: Instant;
}

/** The period that starts at `notBefore` and lasts exactly `lifetimeSeconds`, its last second included. */
export function validityFrom(notBefore: Instant, lifetimeSeconds: number): ValidityPeriod {
  return { notBefore, notAfter: addSeconds(notBefore, lifetimeSeconds - 1) };
}

export function lifetimeSeconds(period: ValidityPeriod): number {
  return period.notAfter - period.notBefore + 1;
}

export function contains(period: ValidityPeriod, now: Instant): boolean {
  return period.notBefore <= now && now <= period.notAfter;
}

/** Seconds of validity left, counting the current one; 0 or less once expired. */
export function remainingSeconds(period: ValidityPeriod, now: Instant): number {
  return period.notAfter - now + 1;
}

/** The instant at which `fraction` (0..1) of the lifetime has passed. */
export function instantAtFraction(period: ValidityPeriod, fraction: number): Instant {
  return addSeconds(period.notBefore, Math.floor(lifetimeSeconds(period) * fraction));
}
