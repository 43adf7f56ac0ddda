import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { instantFromSeconds } from '../../core/time/instant.ts';
import { failureJournal } from './failure-journal.ts';

const record = {
  failures: 3,
  retryAt: instantFromSeconds(1_800_000_000),
  error: { step: 'reload', detail: 'it did not come back', remedy: 'look at its log' },
};

test('what was written is read back, by itself alone, and goes when it is over', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const journal = failureJournal(join(directory, 'stack'));
  assert.equal(journal.read('services/db'), null);
  journal.write('services/db', record);
  assert.deepEqual(journal.read('services/db'), record);
  assert.equal(journal.read('clients/db'), null);
  assert.equal(statSync(join(directory, 'stack/services/db.json')).mode & 0o777, 0o600);
  journal.write('services/db', null);
  assert.equal(existsSync(join(directory, 'stack/services/db.json')), false);
  journal.write('services/db', null);
});

test('a damaged file is no record: the member is looked at at once', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const journal = failureJournal(directory);
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"failures":0}',
    '{"failures":1,"retryAt":"soon","error":{"detail":""}}',
  ]) {
    writeFileSync(join(directory, 'db.json'), text);
    assert.equal(journal.read('db'), null, text);
  }
});
