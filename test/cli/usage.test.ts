/** Calls that make no sense: each is answered with the help of the command that was meant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';

const CALLS: readonly (readonly [args: string, help: string])[] = [
  ['diagnose no-port', 'fullchain diagnose --help'],
  ['probe', 'fullchain probe --help'],
  ['cert list --expires-within soon', 'fullchain cert list --help'],
  ['cert issue', 'fullchain cert issue --help'],
  ['cert list --nonsense', 'fullchain cert list --help'],
  ['cert nonsense', 'fullchain cert --help'],
  ['nonsense', 'fullchain --help'],
];

for (const [args, help] of CALLS)
  test(`fullchain ${args}`, async () => {
    const words = [process.execPath, [LAUNCHER, ...args.split(' ')]] as const;
    const { status, output } = await run(...words);
    assert.equal(status, 2, output);
    assert.ok(output.includes(help), output);
    const { stdout } = await run(words[0], [LAUNCHER, '--json', ...args.split(' ')]);
    assert.equal(JSON.parse(stdout).error.remedy.command, help);
  });
