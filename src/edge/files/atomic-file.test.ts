import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { skipWithout } from '../../../test/servers/available.ts';
import { mountSmallDisk } from '../../../test/world/small-disk.ts';
import { createFileAtomically, writeFileAtomically } from './atomic-file.ts';

const REWRITING = new URL('../../../test/world/rewriting-file.ts', import.meta.url).pathname;

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-files-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What a killed process may leave beside the file: hidden, and never taken for it. */
const LEFTOVER = /^\.file\.[0-9a-f]{12}\.tmp$/;

test('killed at any moment of two hundred replacements, the file is whole: the last version that was reported, or the next', async (t) => {
  const directory = scratch(t);
  const path = join(directory, 'file');
  for (let kill = 0; kill < 12; kill++) {
    const child = spawn(process.execPath, [REWRITING, path, '200'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.on('data', (text) => {
      printed += text;
      // Deep into the work, at another moment each time.
      if (printed.length > 10 + kill * 40) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const reported = Number(printed.trim().split('\n').at(-1));
    const [version = '', letters = ''] = readFileSync(path, 'utf8').split(' ');
    assert.ok([reported, reported + 1].includes(Number(version)), `${version} after ${reported}`);
    assert.equal(letters, String.fromCharCode(97 + (Number(version) % 26)).repeat(65_536));
    assert.equal(statSync(path).mode & 0o777, 0o600);
  }
  for (const name of readdirSync(directory)) if (name !== 'file') assert.match(name, LEFTOVER);
});

test('the content is on disk before the name points at it, and the directory after', {
  skip: skipWithout('strace'),
}, (t) => {
  const directory = scratch(t);
  const trace = join(directory, 'trace');
  const command = [process.execPath, REWRITING, join(directory, 'file'), '1'];
  spawnSync('strace', ['-f', '-y', '-e', 'trace=fsync,rename', '-o', trace, ...command], { stdio: 'ignore' });
  const calls = readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => line.includes(directory))
    .map((line) => {
      const call = /(fsync|rename)\(/.exec(line)?.[1];
      return call === 'fsync' ? `fsync ${line.includes('.tmp>') ? 'file' : 'directory'}` : call;
    });
  assert.deepEqual(calls, ['fsync file', 'rename', 'fsync directory']);
});

/** Runs with another umask; the work is synchronous, so nobody else sees it. */
function withUmask(mask: number, work: () => void): void {
  const before = process.umask(mask);
  try {
    work();
  } finally {
    process.umask(before);
  }
}

for (const mask of [0o000, 0o022, 0o077, 0o777]) {
  for (const mode of [0o600, 0o640, 0o644]) {
    test(`under umask ${mask.toString(8)} a file of mode ${mode.toString(8)} has just that mode`, (t) => {
      const directory = scratch(t);
      withUmask(mask, () => {
        writeFileAtomically(join(directory, 'written'), 'x', mode);
        writeFileAtomically(join(directory, 'written'), 'y', mode);
        createFileAtomically(join(directory, 'created'), 'x', mode);
      });
      for (const name of ['written', 'created']) assert.equal(statSync(join(directory, name)).mode & 0o777, mode);
      assert.deepEqual(readdirSync(directory).sort(), ['created', 'written']);
    });
  }
}

test('a replacement closes a file that was open to others', (t) => {
  const path = join(scratch(t), 'file');
  writeFileSync(path, 'old');
  chmodSync(path, 0o666);
  writeFileAtomically(path, 'new', 0o600);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(path, 'utf8'), 'new');
});

test('a file that must be new and is not is left alone: EEXIST', (t) => {
  const directory = scratch(t);
  const path = join(directory, 'file');
  createFileAtomically(path, 'first', 0o600);
  assert.throws(() => createFileAtomically(path, 'second', 0o644), { code: 'EEXIST' });
  assert.equal(readFileSync(path, 'utf8'), 'first');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(directory), ['file']);
});

test('of eight processes that create the same file at once exactly one does, and it is whole', (t) => {
  const path = join(scratch(t), 'file');
  const url = new URL('./atomic-file.ts', import.meta.url).href;
  const code = `import { createFileAtomically } from ${JSON.stringify(url)};
    try { createFileAtomically(${JSON.stringify(path)}, String(process.pid).padEnd(100000), 0o600); console.log(process.pid); }
    catch (fault) { if (fault.code !== 'EEXIST') throw fault; }`;
  const all = spawnSync(
    '/bin/sh',
    [
      '-c',
      'for i in 1 2 3 4 5 6 7 8; do "$0" --input-type=module-typescript -e "$1" & done; wait',
      process.execPath,
      code,
    ],
    { encoding: 'utf8' },
  );
  assert.equal(all.stderr, '');
  assert.match(all.stdout, /^\d+\n$/);
  assert.equal(readFileSync(path, 'utf8'), all.stdout.trim().padEnd(100_000));
});

test('what cannot be replaced stays, and nothing is left beside it', (t) => {
  const directory = scratch(t);
  mkdirSync(join(directory, 'file'));
  assert.throws(() => writeFileAtomically(join(directory, 'file'), 'x', 0o600), { code: 'EISDIR' });
  assert.throws(() => createFileAtomically(join(directory, 'file'), 'x', 0o600), { code: 'EEXIST' });
  assert.throws(() => writeFileAtomically(join(directory, 'absent', 'file'), 'x', 0o600), { code: 'ENOENT' });
  assert.deepEqual(readdirSync(directory), ['file']);
});

test('a full disk leaves the old file as it is and nothing beside it: ENOSPC', (t) => {
  const disk = mountSmallDisk(t, 'size=256k');
  if ('skip' in disk) return t.skip(disk.skip);
  const path = join(disk.path, 'file');
  writeFileAtomically(path, 'old', 0o600);
  assert.throws(() => writeFileAtomically(path, Buffer.alloc(512 * 1024), 0o644), { code: 'ENOSPC' });
  assert.throws(() => createFileAtomically(join(disk.path, 'other'), Buffer.alloc(512 * 1024), 0o644), {
    code: 'ENOSPC',
  });
  assert.equal(readFileSync(path, 'utf8'), 'old');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(disk.path), ['file']);
  assert.ok(!existsSync(join(disk.path, 'other')));
  writeFileAtomically(path, 'new', 0o600);
  assert.equal(readFileSync(path, 'utf8'), 'new');
});
