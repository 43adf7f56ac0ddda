/** A moment in whole seconds since 1970-01-01T00:00:00Z: certificates and ACME know nothing finer. */
export type Instant = number & { readonly __brand: 'Instant' };

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(Z|z|[+-]\d{2}:\d{2})$/;

/** 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what RFC 3339 and GeneralizedTime can say. */
const FIRST_INSTANT = -62_167_219_200;
const LAST_INSTANT = 253_402_300_799;

/** Milliseconds since the epoch (as the system clock gives them) → the second they fall in. */
export function instantFromMs(ms: number): Instant {
  return Math.floor(ms / 1000) as Instant;
}

/** Whole seconds since the epoch → Instant. */
export function instantFromSeconds(seconds: number): Instant {
  if (!Number.isSafeInteger(seconds)) throw new RangeError(`not a whole second: ${seconds}`);
  return seconds as Instant;
}

export function addSeconds(instant: Instant, seconds: number): Instant {
  return instantFromSeconds(instant + Math.trunc(seconds));
}

/** Instant → RFC 3339 in UTC, "2026-11-25T02:15:53Z". */
export function formatRfc3339(instant: Instant): string {
  return `${new Date(instant * 1000).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 date-time → Instant (fractions are cut off), or null when malformed or not a real date. */
export function parseRfc3339(text: string): Instant | null {
  const match = RFC3339.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const instant = instantFromCivil(year, month, day, hour, minute, second);
  const zone = match[7] ?? 'Z';
  if (instant === null || zone === 'Z' || zone === 'z') return instant;
  const offsetHours = Number(zone.slice(1, 3));
  const offsetMinutes = Number(zone.slice(4, 6));
  if (offsetHours > 23 || offsetMinutes > 59) return null;
  const sign = zone[0] === '-' ? 1 : -1;
  const shifted = addSeconds(instant, sign * (offsetHours * 3600 + offsetMinutes * 60));
  // The offset may lead out of the years that four digits can write.
  return shifted < FIRST_INSTANT || shifted > LAST_INSTANT ? null : shifted;
}

/** Civil UTC date and time → Instant, or null for a date that does not exist (30 February, second 60). */
export function instantFromCivil(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): Instant | null {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, 0);
  const real =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  return real ? instantFromMs(date.getTime()) : null;
}
