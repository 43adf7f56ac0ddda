/** Retry-After (RFC 9110 §10.2.3): seconds, or a date, which is reckoned from the date of the answer itself. */
import type { AcmeAnswer } from './signed-request.ts';

/** No wait that a server asks for is longer: the limits of public authorities are reckoned in weeks. */
const LONGEST_SECONDS = 7 * 86_400;

/** From 0 to a week; null when there is none, or it says neither. */
export function retryAfterSeconds({ headers }: Pick<AcmeAnswer, 'headers'>): number | null {
  const said = headers['retry-after'];
  if (typeof said !== 'string') return null;
  const seconds = /^\d{1,9}$/.test(said.trim()) ? Number(said) : secondsBetween(headers.date, said);
  return seconds === null ? null : Math.min(LONGEST_SECONDS, Math.max(0, seconds));
}

function secondsBetween(from: string | string[] | undefined, to: string): number | null {
  const seconds = (httpDate(to) - httpDate(typeof from === 'string' ? from : '')) / 1000;
  return Number.isNaN(seconds) ? null : seconds;
}

/** Dates of HTTP end with GMT; Date.parse alone would read much more as one. */
function httpDate(text: string): number {
  return /^[A-Z][a-z]{2}, .{5,30} GMT$/.test(text.trim()) ? Date.parse(text) : Number.NaN;
}
