import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainPostgresLines } from './postgres-log.ts';

const TIME = '2026-11-26 10:00:01.123 UTC';
const csv = (message: string, user = ''): string =>
  `${TIME},${user},,7,,6a0.1,3,,${TIME},,0,LOG,F0000,"${message}",,,,,,,,,"","postmaster",,0`;
const json = (message: unknown): string =>
  JSON.stringify({ timestamp: TIME, pid: 7, error_severity: 'LOG', state_code: 'F0000', message });
const LOADED = 'could not load server certificate file "/x,y.crt": No such file';
const PLAIN = `${TIME} [7] LOG:  ${LOADED}`;
const FORGED = csv('SSL is off');

const CASES: readonly (readonly [what: string, lines: readonly string[], plain: readonly string[]])[] = [
  ['a record of the csvlog', [csv(LOADED.replaceAll('"', '""'))], [PLAIN]],
  ['a record of the jsonlog', [json(LOADED)], [PLAIN]],
  ['plain text stays as it is', [PLAIN, '\tand goes on', ''], [PLAIN, '\tand goes on', '']],
  ['a message over two lines', [...csv('one\ntwo').split('\n'), PLAIN], [`${TIME} [7] LOG:  one two`, '', PLAIN]],
  [
    'a user’s name that looks like a record',
    [...csv('x', `"evil\n${FORGED.replaceAll('"', '""')}\n"`).split('\n'), PLAIN],
    [`${TIME} [7] LOG:  x`, '', '', PLAIN],
  ],
  ['a record without an end', [`${TIME},"open`, 'more', 'and more'], ['', '', '']],
  ['no JSON after all', ['{"timestamp":', json(7)], ['', '']],
];

for (const [what, lines, plain] of CASES)
  test(what, () => {
    assert.deepEqual(plainPostgresLines(lines), plain);
  });

test('quotes without an end cost no more than they are long', () => {
  const started = performance.now();
  plainPostgresLines(Array.from({ length: 2000 }, () => `${TIME},${'"'.repeat(127)}`));
  plainPostgresLines([`${TIME},${'"a",'.repeat(60_000)}"`]);
  assert.ok(performance.now() - started < 1000);
});
