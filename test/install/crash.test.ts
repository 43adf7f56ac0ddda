/** A crash at every step of an install: what `current` names is whole, the service goes on, and the next run ends well. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { skipWithout } from '../servers/available.ts';
import { until } from '../servers/process.ts';
import { assertWhole, type Site, startInstallSite } from './site.ts';

const DYING = new URL('./dying-apply.ts', import.meta.url).pathname;
const skip = skipWithout('nginx');

function dying(
  site: Site,
  command: 'apply' | 'rotate',
  when: 'before' | 'after',
  call: number,
): { readonly killed: boolean; readonly calls: number } {
  const { signal, status, stdout, stderr } = spawnSync(
    process.execPath,
    [DYING, site.file, site.state, command, when, String(call)],
    {
      encoding: 'utf8',
      env: { ...process.env, NODE_COMPILE_CACHE: join(site.directory, 'compiled') },
    },
  );
  assert.ok(signal === 'SIGKILL' || status === 0, stderr);
  return { killed: signal === 'SIGKILL', calls: Number(stdout) };
}

test('a rotation that is killed before each call of a port', { skip, timeout: 180_000 }, async (t) => {
  const site = await startInstallSite(t);
  assert.equal(site.run('apply').result.ok, true);
  let crashes = 0;
  for (let call = 1; ; call++) {
    const before = await site.served();
    const { killed, calls } = dying(site, 'rotate', 'before', call);
    if (!killed) {
      assert.ok(calls < call && calls >= 8, `${calls} calls`);
      break;
    }
    crashes++;
    const current = assertWhole(site.install);
    assert.notEqual(current, null);
    // Served is what it was, or what it was about to become.
    const served = await site.served();
    assert.ok(served === before || served === current, `call ${call}: another certificate is served`);
    const { status, result } = site.run('apply');
    assert.deepEqual([status, result.ok], [0, true], `call ${call}: ${JSON.stringify(result)}`);
    assert.equal(await site.served(), assertWhole(site.install), `call ${call}`);
    assert.equal(site.run('apply').result.action, 'none', `call ${call}`);
  }
  assert.ok(crashes >= 8, `${crashes} crashes`);
  const left = readdirSync(join(site.install, 'versions')).filter((name) => !/^\d+$/.test(name));
  assert.deepEqual(left, [], 'nothing half written is left');
});

test('a first apply that is killed after each call of a port', { skip, timeout: 180_000 }, async (t) => {
  const site = await startInstallSite(t);
  let crashes = 0;
  for (let call = 1; ; call++) {
    const { killed } = dying(site, 'apply', 'after', call);
    if (!killed) break;
    crashes++;
    assertWhole(site.install);
    const { status, result } = site.run('apply');
    assert.deepEqual([status, result.ok], [0, true], `call ${call}: ${JSON.stringify(result)}`);
    assert.equal(await site.served(), assertWhole(site.install), `call ${call}`);
    assert.equal(site.run('apply').result.action, 'none');
    const removed = site.run('apply', '--remove');
    assert.equal(removed.status, 0, JSON.stringify(removed.result));
    await until(async () => (await site.served()) === null, 'nginx to serve it no more', 10_000);
    rmSync(site.install, { recursive: true, force: true });
  }
  assert.ok(crashes >= 8, `${crashes} crashes`);
});
