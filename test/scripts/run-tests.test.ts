import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory, until } from '../servers/process.ts';

interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: ReadonlyMap<string, number>;
}

/** The script is plain JavaScript, as it runs before TypeScript can. */
const script = new URL('../../scripts/run-tests.mjs', import.meta.url).href;
const { runTests } = (await import(script)) as { runTests: (run: object) => Promise<Totals> };

async function outcome(...texts: readonly string[]): Promise<Totals & { readonly printed: string }> {
  using directory = temporaryDirectory();
  const files = texts.map((text, index) => {
    const file = join(directory.path, `${index}.test.ts`);
    writeFileSync(file, `import assert from 'node:assert/strict';\nimport { test } from 'node:test';\n${text}\n`);
    return file;
  });
  let printed = '';
  const totals = await runTests({
    node: process.execPath,
    root: directory.path,
    files,
    timeoutMs: 500,
    graceMs: 1500,
    options: [],
    verbose: false,
    print: (line: string) => {
      printed += `${line}\n`;
    },
  });
  return { ...totals, printed };
}

/** A zombie that nobody has waited for yet is as good as gone. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}

const TABLE: readonly (readonly [
  title: string,
  texts: readonly string[],
  counts: readonly [passed: number, failed: number, skipped: number],
  printed: RegExp,
])[] = [
  ['passed tests are counted and not printed', ["test('a', () => {});", "test('b', () => {});"], [2, 0, 0], /^$/],
  [
    'subtests are counted, what only groups them is not',
    ["test('a', async (t) => { await t.test('b', () => {}); await t.test('c', () => assert.equal(1, 2)); });"],
    [1, 1, 0],
    /^✖ 0\.test\.ts:3 {2}a › c\n[\s\S]*1 !== 2/,
  ],
  ['a skipped test is counted by its reason', ["test('a', { skip: 'no certbot' }, () => {});"], [0, 0, 1], /^$/],
  ['a file that cannot be loaded fails', ["import './absent.ts';"], [0, 1, 0], /Cannot find module .*absent\.ts/],
  [
    'a test that does not end fails by its time limit, and the next one runs',
    ["test('a', () => new Promise((resolve) => setTimeout(resolve, 1000)));\ntest('b', () => {});"],
    [1, 1, 0],
    /test timed out after 500ms/,
  ],
  [
    'an endless loop after other tests is killed and fails',
    [
      "test('a', () => new Promise((resolve) => setTimeout(resolve, 100)));\ntest('b', async () => { await new Promise((resolve) => setTimeout(resolve, 50)); for (;;); });\ntest('c', () => {});",
    ],
    [1, 1, 0],
    /2 unfinished after the time limit/,
  ],
  [
    'an endless loop is killed and fails',
    ["test('a', () => { for (;;); });"],
    [0, 1, 0],
    /fell silent before its first verdict: an endless loop/,
  ],
  [
    'what is left running after the tests is killed and fails',
    ["test('a', () => void setInterval(() => {}, 1000));"],
    [1, 1, 0],
    /leaves a server, a timer or a child process behind/,
  ],
  [
    'a process that ends before its tests fails',
    ["test('a', () => process.exit(0));"],
    [0, 1, 0],
    /ended before its tests: exit status 0/,
  ],
];

for (const [title, texts, [passed, failed, skipped], printed] of TABLE) {
  test(`npm test: ${title}`, async () => {
    const result = await outcome(...texts);
    assert.match(result.printed, printed);
    const sum = [...result.skipped.values()].reduce((total, count) => total + count, 0);
    assert.deepEqual([result.passed, result.failed, sum], [passed, failed, skipped], result.printed);
  });
}

test('npm test: no child of a test outlives it', async () => {
  const result = await outcome(
    `import { spawn } from 'node:child_process';
test('a', (t) => { const child = spawn('sleep', ['60'], { stdio: 'ignore' }); child.unref(); t.diagnostic('x'); assert.fail('pid ' + child.pid); });`,
  );
  const pid = Number(/pid (\d+)/.exec(result.printed)?.[1]);
  assert.ok(pid > 0, result.printed);
  await until(() => !isAlive(pid), `process ${pid} is gone`, 2000);
});
