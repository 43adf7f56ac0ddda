import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDurationSeconds } from './duration.ts';

const READABLE: readonly (readonly [text: string, seconds: number])[] = [
  ['1s', 1],
  ['90s', 90],
  ['5m', 300],
  ['24h', 86400],
  ['24h0m0s', 86400],
  ['1h30m', 5400],
  ['90d', 7776000],
  ['2w', 1209600],
  ['10y', 315360000],
  ['1y1s', 31536001],
];

const UNREADABLE: readonly string[] = [
  '',
  '0s',
  '0h0m0s',
  '24',
  'h',
  '24 h',
  '-1h',
  '+1h',
  '1.5h',
  '1H',
  '1M',
  '24h ',
  '1h,30m',
  '1234567890s',
  `${'999999999y'.repeat(3)}`,
  '１h',
];

test('durations as people write them become whole seconds', () => {
  for (const [text, seconds] of READABLE) assert.equal(parseDurationSeconds(text), seconds, text);
});

test('what is no duration, or none at all, is refused', () => {
  for (const text of UNREADABLE) assert.equal(parseDurationSeconds(text), null, text);
});

test('seconds are shown in their two largest units', () => {
  for (const [seconds, text] of [
    [0, '0s'],
    [0.9, '0s'],
    [1, '1s'],
    [59, '59s'],
    [60, '1m'],
    [86399, '23h59m'],
    [86400, '1d'],
    [90061, '1d1h'],
    [3601, '1h1s'],
    [31536000, '1y'],
    [315360000, '10y'],
    [-5, '0s'],
  ] as const) {
    assert.equal(formatDuration(seconds), text);
  }
});
