/** A plan shows each command that apply would run, in the order in which it runs them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fullchain, scratch } from '../ca/command-line.ts';

interface Change {
  readonly action: string;
  readonly check?: string;
  readonly command?: string;
}

test('the check goes before the reload, and is there without one too', (t) => {
  const directory = scratch(t);
  const file = join(directory, 'fullchain.yaml');
  const plan = (settings: string, ...more: readonly string[]): string => {
    writeFileSync(
      file,
      `stack: test
services:
  app: { kind: files, names: [app.test], certificate: ${directory}/app.crt, key: ${directory}/app.key, ${settings} }
`,
    );
    return fullchain(['plan', ...more, '--file', file, '--state', join(directory, 'state')]).stdout;
  };
  const changes = (settings: string): readonly Change[] => JSON.parse(plan(settings, '--json')).changes;
  const both = 'check: app --test, reload: app --reload';
  assert.deepEqual(
    changes(both).map(({ action, check, command }) => [action, check, command]),
    [
      ['issue', undefined, undefined],
      ['install', undefined, undefined],
      ['reload', 'app --test', 'app --reload'],
    ],
  );
  assert.match(plan(both), /^app +reload .*\n {4}\$ app --test\n {4}\$ app --reload$/m);
  assert.equal(changes('reload: app --reload').at(-1)?.check, undefined);
  assert.equal(changes('check: app --test').at(-1)?.check, 'app --test');
});
