import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { takeLock } from './exclusive-lock.ts';

const HOLDING = new URL('../../../test/world/holding-lock.ts', import.meta.url).pathname;

function lockFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-lock-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'lock');
}

/** Another process that tries for the lock, and what became of it. */
async function holder(t: TestContext, path: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [HOLDING, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  return { child, said: String(line).trim() };
}

test('a second process is refused at once, and so is a second taker in this one', async (t) => {
  const path = lockFile(t);
  const lock = takeLock(path);
  assert.ok(lock);
  const since = performance.now();
  assert.equal(takeLock(path), null);
  assert.ok(performance.now() - since < 200, 'it waits for nobody');
  assert.equal((await holder(t, path)).said, 'refused');
  lock.release();
});

test('the lock is free after its release, and can be taken again and again', async (t) => {
  const path = lockFile(t);
  for (let round = 0; round < 3; round++) takeLock(path)?.release();
  const { child, said } = await holder(t, path);
  assert.equal(said, 'held');
  assert.equal(takeLock(path), null);
  child.stdin?.end();
  await once(child, 'close');
  takeLock(path)?.release();
});

test('kill -9 of the holder frees the lock, and its file is no obstacle', async (t) => {
  const path = lockFile(t);
  for (let round = 0; round < 3; round++) {
    const { child, said } = await holder(t, path);
    assert.equal(said, 'held');
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.ok(existsSync(path));
  }
  const lock = takeLock(path);
  assert.ok(lock);
  lock.release();
});

test('of eight processes that try at once exactly one holds it', async (t) => {
  const path = lockFile(t);
  const tries = await Promise.all(Array.from({ length: 8 }, () => holder(t, path)));
  assert.equal(tries.filter(({ said }) => said === 'held').length, 1);
});

test('a lock file that cannot be one is a fault, not a refusal: rubbish in it, or no directory for it', (t) => {
  const path = lockFile(t);
  assert.throws(() => takeLock(join(path, 'below')));
  writeFileSync(path, 'x'.repeat(5000));
  assert.throws(() => takeLock(path));
});

test('nobody else may read the file: a lock of readers would keep its owner out', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-lock-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [fresh, old] = [join(directory, 'fresh'), join(directory, 'old')];
  writeFileSync(old, '', { mode: 0o644 });
  for (const path of [fresh, old]) {
    takeLock(path)?.release();
    assert.equal(statSync(path).mode & 0o777, 0o600, path);
  }
});
