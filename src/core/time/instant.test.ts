import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addSeconds,
  formatRfc3339,
  type Instant,
  instantFromCivil,
  instantFromMs,
  instantFromSeconds,
  parseRfc3339,
} from './instant.ts';

/** RFC 3339 §5.8 among them. */
const READABLE: readonly (readonly [text: string, seconds: number, canonical: string])[] = [
  ['1970-01-01T00:00:00Z', 0, '1970-01-01T00:00:00Z'],
  ['1985-04-12T23:20:50.52Z', 482196050, '1985-04-12T23:20:50Z'],
  ['1996-12-19T16:39:57-08:00', 851042397, '1996-12-20T00:39:57Z'],
  ['1937-01-01T12:00:27.87+00:20', -1041337173, '1937-01-01T11:40:27Z'],
  ['2026-11-25T02:15:53Z', 1795572953, '2026-11-25T02:15:53Z'],
  ['2026-11-25t02:15:53z', 1795572953, '2026-11-25T02:15:53Z'],
  ['2026-11-25T02:15:53+00:00', 1795572953, '2026-11-25T02:15:53Z'],
  ['2026-11-25T02:15:53-00:00', 1795572953, '2026-11-25T02:15:53Z'],
  ['2026-11-25T02:15:53.999999999Z', 1795572953, '2026-11-25T02:15:53Z'],
  ['2026-11-25T07:45:53+05:30', 1795572953, '2026-11-25T02:15:53Z'],
  ['2024-02-29T00:00:00Z', 1709164800, '2024-02-29T00:00:00Z'],
  ['2050-01-01T00:00:00Z', 2524608000, '2050-01-01T00:00:00Z'],
  ['0001-01-01T00:00:00Z', -62135596800, '0001-01-01T00:00:00Z'],
  ['9999-12-31T23:59:59Z', 253402300799, '9999-12-31T23:59:59Z'],
];

const UNREADABLE: readonly (readonly [text: string, why: string])[] = [
  ['', 'nothing'],
  ['2026-11-25', 'a date alone'],
  ['2026-11-25T02:15:53', 'no zone'],
  ['2026-11-25 02:15:53Z', 'a space for the T'],
  ['2026-11-25T02:15Z', 'no seconds'],
  ['2026-11-25T02:15:53.Z', 'a point without a fraction'],
  ['2026-11-25T02:15:53,5Z', 'a comma'],
  ['2026-11-25T02:15:53+0530', 'an offset without a colon'],
  ['2026-11-25T02:15:53+24:00', 'an offset of 24 hours'],
  ['2026-11-25T02:15:53+05:60', 'an offset of 60 minutes'],
  ['2026-02-29T00:00:00Z', 'a 29 February that did not exist'],
  ['2026-04-31T00:00:00Z', 'a 31 April'],
  ['2026-13-01T00:00:00Z', 'a 13th month'],
  ['2026-00-01T00:00:00Z', 'a month 0'],
  ['2026-01-00T00:00:00Z', 'a day 0'],
  ['2026-01-01T24:00:00Z', 'hour 24'],
  ['2026-01-01T00:60:00Z', 'minute 60'],
  ['2016-12-31T23:59:60Z', 'a leap second, which certificates cannot express'],
  ['26-11-25T02:15:53Z', 'two digits of a year'],
  ['+02026-11-25T02:15:53Z', 'six digits of a year'],
  ['2026-11-25T02:15:53Z\n', 'a line break'],
  [' 2026-11-25T02:15:53Z', 'a space'],
];

test('RFC 3339 date-times with any offset become the second they fall in, and are printed in UTC (RFC 3339 §5.6)', () => {
  for (const [text, seconds, canonical] of READABLE) {
    const instant = parseRfc3339(text);
    assert.equal(instant, seconds, text);
    assert.equal(formatRfc3339(seconds as Instant), canonical);
    assert.equal(parseRfc3339(canonical), seconds);
  }
});

test('what is no RFC 3339 date-time, or no real date, is refused', () => {
  for (const [text, why] of UNREADABLE) assert.equal(parseRfc3339(text), null, `${why}: ${text}`);
});

test('an instant that RFC 3339 cannot write, past the year 9999 by its offset, is refused', () => {
  assert.equal(parseRfc3339('9999-12-31T23:59:59-01:00'), null);
  assert.equal(parseRfc3339('0000-01-01T00:00:00+01:00'), null);
});

test('milliseconds fall into their second, before the epoch too', () => {
  for (const [ms, seconds] of [
    [0, 0],
    [999, 0],
    [1000, 1],
    [-1, -1],
    [-1000, -1],
    [-1001, -2],
  ] as const) {
    assert.equal(instantFromMs(ms), seconds);
  }
});

test('an instant is a whole number of seconds', () => {
  for (const seconds of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
    assert.throws(() => instantFromSeconds(seconds), RangeError);
  assert.equal(addSeconds(10 as Instant, 2.9), 12);
  assert.equal(addSeconds(10 as Instant, -2.9), 8);
});

test('civil dates that do not exist have no instant', () => {
  for (const [date, instant] of [
    [[2024, 2, 29, 0, 0, 0], 1709164800],
    [[2023, 2, 29, 0, 0, 0], null],
    [[1900, 2, 29, 0, 0, 0], null],
    [[2000, 2, 29, 0, 0, 0], 951782400],
    [[99, 1, 1, 0, 0, 0], -59042995200],
    [[2026, 1, 1, 0, 0, 60], null],
    [[2026, 0, 1, 0, 0, 0], null],
    [[2026, 1, 32, 0, 0, 0], null],
  ] satisfies [Parameters<typeof instantFromCivil>, number | null][] as [
    Parameters<typeof instantFromCivil>,
    number | null,
  ][]) {
    assert.equal(instantFromCivil(...date), instant, date.join('-'));
  }
});
