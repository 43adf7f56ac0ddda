/** The last step of a new root needs no force where the stack has renewed, as it does, before and after. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fullchain, scratch } from '../ca/command-line.ts';

test('several certificates of one service below the old root: only what nothing replaces stands in the way', (t) => {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const pair = `certificate: ${directory}/app.crt, key: ${directory}/app.key`;
  writeFileSync(
    file,
    `stack: one\nservices:\n  app: { kind: files, names: [app.internal], ${pair}, reload: "true" }\n`,
  );
  const run = (...words: readonly string[]) => fullchain([...words, '--json', '--state', state]);
  const succeeds = (...words: readonly string[]): void => {
    const { status, stdout, stderr } = run(...words);
    assert.equal(status, 0, stdout + stderr);
  };
  succeeds('apply', '--file', file);
  succeeds('rotate', 'app', '--file', file);
  succeeds('rotate', 'app', '--file', file);
  succeeds('ca', 'rotate', 'root', '--prepare');
  succeeds('apply', '--file', file);
  succeeds('ca', 'rotate', 'root', '--activate');

  const early = run('ca', 'rotate', 'root', '--retire');
  assert.notEqual(early.status, 0, 'what is served is of the old root');
  assert.match(early.stdout + early.stderr, /1 certificate below the old root/);

  succeeds('apply', '--file', file);
  succeeds('ca', 'rotate', 'root', '--retire');
});
