/** What people see while `apply` works: on a terminal the member in hand, and a line for each that is done; in a pipe the lines alone. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';

const NAMES = ['one', 'two', 'three'];

test('a terminal and a pipe', { skip: skipWithout('script') }, async (t) => {
  const directory = scratch(t);
  const file = join(directory, 'fullchain.yaml');
  const app = (name: string): string =>
    `  ${name}: { kind: files, names: [${name}.internal], certificate: ${directory}/${name}.crt, key: ${directory}/${name}.key, reload: "true" }\n`;
  writeFileSync(file, `stack: shown\nservices:\n${NAMES.map(app).join('')}`);
  const words = [process.execPath, LAUNCHER, 'apply', '--file', file, '--state', join(directory, 'state')];
  // util-linux: the command has a pseudo-terminal for its output.
  const shown = await run('script', ['-qec', words.join(' '), '/dev/null'], { env: { TERM: 'xterm' } });
  assert.equal(shown.status, 0, shown.output);
  for (const [index, name] of NAMES.entries()) {
    const begun = shown.stdout.indexOf(`… ${name} (${index + 1} of 3)`);
    assert.ok(begun >= 0, shown.stdout);
    const after = shown.stdout.slice(begun);
    const [line = ''] = after.split('\n', 1);
    assert.ok(line.startsWith(`… ${name} (${index + 1} of 3)\r\u001b[K`), line);
    assert.ok(line.lastIndexOf(name) > 10, line);
  }
  const [command = '', ...args] = words;
  const piped = await run(command, [...args.with(1, 'rotate')]);
  assert.equal(piped.status, 0, piped.output);
  for (const sign of ['\u001b', '\r', '…']) assert.ok(!piped.stdout.includes(sign), piped.stdout);
  assert.deepEqual(
    piped.stdout
      .trimEnd()
      .split('\n')
      .map((line) => NAMES.find((name) => line.includes(name))),
    NAMES,
  );
});
