/** bin/fullchain.mjs under the Node of the system, which is too old to run Fullchain itself. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run, startServer, temporaryDirectory } from '../servers/process.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** A Node on the PATH, other than ours, that the launcher cannot use; null if there is none. */
function olderNode(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  const nodes = folders.map((folder) => join(folder, 'node')).filter((path) => existsSync(path));
  return nodes.find((path) => majorOf(path) >= 18 && majorOf(path) < 24) ?? null;
}

function majorOf(node: string): number {
  return Number(spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.split('.')[0]);
}

const node = olderNode() ?? '';
const skip = node === '' && 'skipped: no Node from 18 to 23 is on the PATH';

test('under an older Node the command line runs all the same, with its output and status', { skip }, async () => {
  const older = await run(node, [LAUNCHER, '--version']);
  const supported = await run(process.execPath, [LAUNCHER, '--version']);
  assert.deepEqual(older, supported);
  assert.equal(older.status, 0);
  assert.equal((await run(node, [LAUNCHER, 'no-such-command'])).status, 2);
});

test('a link to the launcher, as npm makes one, finds the same program', { skip }, async () => {
  using directory = temporaryDirectory();
  symlinkSync(LAUNCHER, join(directory.path, 'fullchain'));
  const { status, output } = await run(join(directory.path, 'fullchain'), ['--version']);
  assert.equal(status, 0, output);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`under an older Node ${signal} reaches the authority, which ends with status 0`, { skip }, async () => {
    using directory = temporaryDirectory();
    const ready = join(directory.path, 'ready.json');
    const up = ['up', '--state', directory.path, '--listen', '127.0.0.1:0'];
    await using launcher = await startServer(node, [LAUNCHER, ...up], { isReady: () => existsSync(ready) });
    const { pid } = JSON.parse(readFileSync(ready, 'utf8')) as { pid: number };
    assert.notEqual(pid, launcher.pid);
    launcher.signal(signal);
    assert.equal(await launcher.ended, 0, launcher.output());
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });
}

test('a child that a signal ends, ends the launcher by the same signal', { skip }, async () => {
  using directory = temporaryDirectory();
  const ready = join(directory.path, 'ready.json');
  const up = ['up', '--state', directory.path, '--listen', '127.0.0.1:0'];
  await using launcher = await startServer(node, [LAUNCHER, ...up], { isReady: () => existsSync(ready) });
  const { pid } = JSON.parse(readFileSync(ready, 'utf8')) as { pid: number };
  process.kill(pid, 'SIGKILL');
  assert.equal(await launcher.ended, 'SIGKILL');
});

test('without any Node to run with, the launcher says which is needed and how to get it', { skip }, async () => {
  using directory = temporaryDirectory();
  mkdirSync(join(directory.path, 'bin'));
  for (const path of ['bin/fullchain.mjs', 'scripts', 'package.json']) {
    cpSync(join(ROOT, path), join(directory.path, path), { recursive: true });
  }
  const { status, stdout, output } = await run(node, [join(directory.path, 'bin/fullchain.mjs'), 'up']);
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(output, /^fullchain needs Node >=24\.16 <25 or >=26\.1\. This is Node .*\nNext: \(cd .* && npm ci\)\n/);
});
