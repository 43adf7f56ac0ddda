import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRfc3339, type Instant, instantFromCivil } from '../time/instant.ts';
import { datedLines, type LocalTime, type LogTail } from './log-lines.ts';

const NOW = instantFromCivil(2026, 11, 26, 12, 0, 0) as Instant;
/** A host that is an hour ahead of UTC. */
const localTime: LocalTime = (...civil) => ((instantFromCivil(...civil) ?? Number.NaN) - 3600) as Instant;

function read(text: string, more: Partial<LogTail> = {}, undated?: RegExp) {
  return datedLines(
    { place: '/log', text, firstLine: 1, ...more },
    { now: NOW, localTime, ...(undated && { undated }) },
  );
}

const TIMES: readonly (readonly [line: string, at: string | null])[] = [
  ['2026/11/26 10:00:01 [emerg] 7#7: nginx', '2026-11-26T09:00:01Z'],
  ['2026-11-26 10:00:01.123 UTC [7] LOG:  PostgreSQL', '2026-11-26T10:00:01Z'],
  ['2026-11-26 10:00:01.123 CET [7] LOG:  a zone by a name that is not known', '2026-11-26T09:00:01Z'],
  ['2026-11-26 10:00:01+02 [7] LOG:  PostgreSQL', '2026-11-26T09:00:01Z'],
  ['2026-11-26 10:00:01.123456+05:30 rsyslog', '2026-11-26T04:30:01Z'],
  ['2026-11-26  6:19:50 0 [ERROR] MariaDB', '2026-11-26T05:19:50Z'],
  ['2026-11-26T10:00:01.123456Z 0 [ERROR] MySQL', '2026-11-26T10:00:01Z'],
  ['7:M 26 Nov 2026 10:00:01.123 # Redis', '2026-11-26T09:00:01Z'],
  ['Nov  5 10:00:01 host postfix/smtpd[7]: syslog', '2026-11-05T09:00:01Z'],
  ['Dec 31 23:59:59 host x: of last year', '2025-12-31T22:59:59Z'],
  ['{"level":"error","ts":1795687201.123,"msg":"Caddy"}', '2026-11-26T10:00:01Z'],
  ['ts=2026-11-26T10:00:01.123Z caller=main.go level=error msg=Prometheus', '2026-11-26T10:00:01Z'],
  ['time=2026-11-26T10:00:01.123Z level=ERROR msg=Prometheus', '2026-11-26T10:00:01Z'],
  ['logger=settings t=2026-11-26T10:00:01.1+0000 level=error msg=Grafana', '2026-11-26T10:00:01Z'],
  ['no time at all', null],
  ['\tLOG:  2026-11-26 10:00:01 UTC a line that goes on', null],
  ['192.0.2.1 - - [26/Nov/2026:10:00:01 +0000] "GET /2026/11/26 10:00:01"', null],
  ['2026-13-45 99:00:00 UTC no such day', null],
];

for (const [line, at] of TIMES) {
  test(`when: ${line.trim()}`, () => {
    const [found] = read(line);
    assert.equal(found === undefined || Number.isNaN(found.at) ? null : formatRfc3339(found.at), at);
  });
}

test('lines keep their numbers, also behind a private key, of which nothing is kept', () => {
  const key = `-----BEGIN PRIVATE KEY-----\n2026/11/26 10:00:01 MIGHAgEA\n2026/11/26 10:00:02 MIGHAgEA\n-----END PRIVATE KEY-----`;
  const lines = read(`2026/11/26 10:00:00 a\n${key}\n2026/11/26 10:00:03 b\n`, { firstLine: 10 });
  assert.deepEqual(
    lines.map(({ line, text }) => [line, text]),
    [
      [10, '2026/11/26 10:00:00 a'],
      [15, '2026/11/26 10:00:03 b'],
    ],
  );
  // A tail that begins in the midst of a key.
  const cut = read(`2026/11/26 10:00:01 MIGHAgEA\n-----END PRIVATE KEY-----\n2026/11/26 10:00:03 b`);
  assert.deepEqual(
    cut.map(({ line, text }) => [line, text]),
    [[3, '2026/11/26 10:00:03 b']],
  );
});

test('the journal’s time goes before the service’s own; its text is the service’s', () => {
  const [line] = read('2026-11-26T10:00:01Z 7:M 01 Jan 2020 00:00:00.000 # Failed', {
    isStamped: true,
    firstLine: null,
  });
  assert.deepEqual([line?.text, line?.line], ['7:M 01 Jan 2020 00:00:00.000 # Failed', null]);
  assert.equal(line && formatRfc3339(line.at), '2026-11-26T10:00:01Z');
});

test('a line without a time is of no time, or of the line before where the service is known to write so', () => {
  const text = 'SSL error: first\n2026/11/26 10:00:00 a\nSSL error: x\nother';
  assert.equal(read(text).length, 1);
  assert.deepEqual(
    read(text, {}, /^SSL error: /).map(({ line, text: said }) => [line, said]),
    [
      [2, '2026/11/26 10:00:00 a'],
      [3, 'SSL error: x'],
    ],
  );
});

test('a flood is looked at from its end', () => {
  const lines = read('2026/11/26 10:00:00 a\n'.repeat(50_000));
  assert.ok(lines.length <= 2000);
  assert.equal(lines.at(-1)?.line, 50_000);
  assert.equal(read(`2026/11/26 10:00:00 ${'x'.repeat(100_000)}`)[0]?.text.length, 4096);
});
