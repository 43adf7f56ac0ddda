/**
 * From the end of a log to lines that say when they were written. Log content is hostile: it is bounded before, private keys
 * are taken out of the whole before it becomes lines, and a line without a time is not used, because it may be of any day.
 */
import { type Instant, instantFromCivil, instantFromSeconds, parseRfc3339 } from '../time/instant.ts';
import { withoutPrivateKeys } from './message-text.ts';

export interface LogLine {
  /** A file, or "the journal of nginx.service". */
  readonly place: string;
  /** From 1; null: not counted. */
  readonly line: number | null;
  readonly at: Instant;
  readonly text: string;
}

/** How a log says when, without a zone: read as this host's time. */
export type LocalTime = (
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
) => Instant;

export interface LogTail {
  readonly place: string;
  readonly text: string;
  /** Of the first line of `text`; null: not counted. */
  readonly firstLine: number | null;
  /** Each line begins with an RFC 3339 time and a space, which whoever kept it put there. */
  readonly isStamped?: true;
}

/** More lines than this are not looked at: the latest count. */
const MOST_LINES = 2000;
const LONGEST_LINE = 4096;

export interface LineReading {
  readonly now: Instant;
  readonly localTime: LocalTime;
  /** Lines that are taken to be of the time of the line before, so that nothing later is claimed; absent: none. */
  readonly undated?: RegExp;
  /** Lines of another form as text, one for one; absent: they are text. */
  readonly plain?: (lines: readonly string[]) => string[];
}

export function datedLines({ place, text, firstLine, isStamped }: LogTail, reading: LineReading): LogLine[] {
  const { now, localTime, undated, plain } = reading;
  const written = withoutPrivateKeys(text).split('\n');
  const lines = plain?.(written) ?? written;
  const first = Math.max(0, lines.length - MOST_LINES);
  let last: Instant | null = null;
  return lines.slice(first).flatMap((whole, index) => {
    const own = timeOf(whole, now, localTime);
    last = own ?? last;
    const at = own ?? (undated?.test(whole) ? last : null);
    const line = firstLine === null ? null : firstLine + first + index;
    const start = isStamped ? whole.indexOf(' ') + 1 : 0;
    return at === null ? [] : [{ place, line, at, text: whole.slice(start, start + LONGEST_LINE) }];
  });
}

/** A line begins with its time, as a rule; further behind may stand what a client wrote. */
const LEAD = String.raw`^(?:\[|(?:\w{1,10}=\S{1,40} )?(?:ts|t|time)=)?`;
/** "2026/11/25 10:00:00", "2026-11-25  6:19:50", "2026-11-25T10:00:00.123Z", "2026-11-25 10:00:00.123 UTC". */
const DATE_TIME = new RegExp(
  String.raw`${LEAD}(\d{4})[-/](\d\d)[-/](\d\d)[ T] ?(\d{1,2}):(\d\d):(\d\d)(?:[.,]\d{1,9})?(?: ?(Z|UTC|GMT)\b| ?([+-]\d\d):?(\d\d)\b)?`,
);
/** Redis: "123:M 25 Nov 2026 10:00:00.123". */
const DAY_MONTH_YEAR = /^\d{1,10}:[A-Z] (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d)/;
/** syslog and Dovecot: "Nov  5 10:00:00", of the latest such day. */
const MONTH_DAY = /^(?:<\d{1,3}>)?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)/;
/** Caddy. */
const EPOCH = /^\{"level":"\w{1,10}","ts":(\d{10})(?:\.\d{1,9})?,/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_SECONDS = 86_400;

function timeOf(line: string, now: Instant, localTime: LocalTime): Instant | null {
  const epoch = EPOCH.exec(line)?.[1];
  if (epoch !== undefined) return instantFromSeconds(Number(epoch));
  const full = DATE_TIME.exec(line);
  if (full !== null) {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = full.slice(1, 7).map(Number);
    if (full[7] !== undefined) return instantFromCivil(year, month, day, hour, minute, second);
    if (full[8] === undefined) return localTime(year, month, day, hour, minute, second);
    const time = full.slice(4, 7).map((part = '') => part.padStart(2, '0'));
    return parseRfc3339(`${full.slice(1, 4).join('-')}T${time.join(':')}${full[8]}:${full[9]}`);
  }
  const redis = DAY_MONTH_YEAR.exec(line);
  if (redis !== null) {
    const [day = 0, , year = 0, hour = 0, minute = 0, second = 0] = redis.slice(1).map(Number);
    return localTime(year, MONTHS.indexOf(redis[2] ?? '') + 1, day, hour, minute, second);
  }
  const syslog = MONTH_DAY.exec(line);
  if (syslog === null) return null;
  const [, day = 0, hour = 0, minute = 0, second = 0] = syslog.slice(1).map(Number);
  const month = MONTHS.indexOf(syslog[1] ?? '') + 1;
  const year = new Date(now * 1000).getUTCFullYear();
  const thisYear = localTime(year, month, day, hour, minute, second);
  return thisYear > now + DAY_SECONDS ? localTime(year - 1, month, day, hour, minute, second) : thisYear;
}
