/**
 * The table of causes against the tests: no cause lacks a remedy, and each is produced by a set-up of real parts. A test
 * that produces one names it as a string; `messages-collected.ts` holds texts that could not be produced here, and does not count.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CAUSES, type CauseId, causeFinding } from '../../src/core/diagnosis/causes.ts';

const IDS = Object.keys(CAUSES) as CauseId[];
const FOLDERS = ['diagnose', 'probe', 'cli'].map((name) => join(import.meta.dirname, '..', name));

/** Said by others of a chain without telling which rule it breaks: only texts have it. */
const ONLY_SAID: readonly CauseId[] = ['certificate-invalid'];

/** Texts alone, and this file. */
const NOT_LIVE: readonly string[] = ['messages.test.ts', 'every-cause.test.ts'];

/** Bounds against chains that were made to cost time; produced by certificates, not by a server. */
const BOUNDS: readonly CauseId[] = ['path-too-long', 'too-many-candidates'];

test('every cause says how bad it is, what comes of it, and what to do next', () => {
  for (const id of IDS) {
    const { what, why, remedy, severity } = causeFinding(id, {
      subject: 'x',
      where: { target: 'db:5432' },
      what: 'It was seen.',
    });
    assert.equal(what, 'It was seen.');
    assert.match(why, /^[A-Z].{15,}\.$/s, id);
    assert.match(remedy.text, /^[A-Z].{15,}\.$/s, id);
    assert.match(remedy.command ?? '', /^[a-z]/, id);
    assert.doesNotMatch(`${remedy.text}${remedy.command}`, /\{\w+\}/, id);
    assert.ok(['error', 'warning', 'info'].includes(severity));
  }
});

test('words of a command are quoted for the shell', () => {
  const finding = causeFinding('name-not-resolved', {
    subject: 'x',
    where: { target: 'x:1' },
    what: 'It was seen.',
    words: { host: "a'; rm -rf /" },
  });
  assert.equal(finding.remedy.command, `getent ahosts 'a'\\''; rm -rf /'`);
});

test('every cause is produced by a set-up of real parts', () => {
  const tests = FOLDERS.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.test.ts') && !NOT_LIVE.includes(name))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  ).join('\n');
  const produced = (id: CauseId): boolean => new RegExp(`['" ]${id}['" ]`).test(tests);
  assert.deepEqual(
    IDS.filter((id) => !produced(id) && !ONLY_SAID.includes(id) && !BOUNDS.includes(id)),
    [],
  );
  const unit = readFileSync(join(import.meta.dirname, '../../src/core/x509/path.test.ts'), 'utf8');
  for (const id of BOUNDS) assert.ok(unit.includes(`'${id}'`), id);
});
