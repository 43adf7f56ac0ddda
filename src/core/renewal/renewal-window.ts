/** The instant of renewal in a window that the issuer suggests (RFC 9773 §4.2). */
import { addSeconds, type Instant } from '../time/instant.ts';

export interface RenewalWindow {
  readonly start: Instant;
  readonly end: Instant;
}

/**
 * "Select a uniform random time within the suggested window." A time in the past means: now.
 *
 * @param spread 0 to 1, of the certificate (`spreadOf`): asked again about the same window, it is the same instant
 */
export function instantInWindow({ start, end }: RenewalWindow, spread: number): Instant {
  return addSeconds(start, Math.floor((end - start) * spread));
}
