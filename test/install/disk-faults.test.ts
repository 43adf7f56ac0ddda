/** A full disk and one that cannot be written, while a certificate is in use: the old files stay whole and served. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { skipWithout } from '../servers/available.ts';
import { mountSmallDisk } from '../world/small-disk.ts';
import { assertWhole, failure, startInstallSite } from './site.ts';

const skip = skipWithout('nginx');

test('the disk of the pair is full', { skip }, async (t) => {
  const disk = mountSmallDisk(t, 'size=256k');
  if ('skip' in disk) return t.skip(disk.skip);
  const site = await startInstallSite(t, disk.path);
  assert.equal(site.run('apply').result.ok, true);
  const before = await site.served();
  const filler = join(disk.path, 'filler');
  assert.throws(() => writeFileSync(filler, Buffer.alloc(1 << 20)), { code: 'ENOSPC' });
  const { status, result } = site.run('rotate');
  const failed = failure(result);
  assert.deepEqual([status, result.ok], [1, false]);
  assert.match(failed.detail, /no room|full/);
  assert.match(failed.remedy ?? '', /room|space/i);
  assert.equal(await site.served(), before);
  assert.equal(assertWhole(site.install), before);
  rmSync(filler);
  assert.equal(site.run('rotate').result.action, 'issued');
  assert.notEqual(await site.served(), before);
  assert.equal(site.run('apply').result.action, 'none');
});

test('the disk of the pair cannot be written', { skip }, async (t) => {
  const disk = mountSmallDisk(t, 'size=1m');
  if ('skip' in disk) return t.skip(disk.skip);
  const site = await startInstallSite(t, disk.path);
  assert.equal(site.run('apply').result.ok, true);
  const before = await site.served();
  const remount = (how: 'ro' | 'rw'): void =>
    assert.equal(spawnSync('mount', ['-o', `remount,${how}`, disk.path]).status, 0);
  remount('ro');
  const { status, result } = site.run('rotate');
  const failed = failure(result);
  assert.deepEqual([status, result.ok], [1, false]);
  assert.match(failed.detail, /read-only|cannot be written/i);
  assert.equal(await site.served(), before);
  assert.equal(assertWhole(site.install), before);
  remount('rw');
  assert.equal(site.run('rotate').result.action, 'issued');
  assert.equal(site.run('apply').result.action, 'none');
});
