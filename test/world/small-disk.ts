/** A disk of a size that a test can fill: a tmpfs of its own, gone with the test. Linux, as root. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** @param limits as tmpfs takes them: "size=1m". @returns where it is, or why there is none */
export function mountSmallDisk(t: TestContext, limits: string): { readonly path: string } | { readonly skip: string } {
  if (process.getuid?.() !== 0) return { skip: 'skipped: only root can mount a small disk' };
  const path = mkdtempSync(join(tmpdir(), 'fullchain-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `${limits},mode=0700`, 'tmpfs', path], {
    encoding: 'utf8',
  });
  if (mounted.status !== 0) {
    rmdirSync(path);
    return { skip: 'skipped: mounting a small disk is not allowed here' };
  }
  t.after(() => {
    // Lazily: whoever still has a file open keeps it, and nobody has to wait.
    spawnSync('umount', ['--lazy', path]);
    rmdirSync(path);
  });
  return { path };
}
