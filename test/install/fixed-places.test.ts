/** Files in fixed places cannot change together: plan says in which order they do, and that is the order. */
import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fullchain, scratch } from '../ca/command-line.ts';

test('fixed places follow one another as plan says: ca, certificate, key', (t) => {
  const directory = scratch(t);
  const app = join(directory, 'app');
  mkdirSync(app);
  const [ca, certificate, key] = ['ca.crt', 'app.crt', 'app.key'].map((name) => join(app, name)) as [
    string,
    string,
    string,
  ];
  const file = join(directory, 'fullchain.yaml');
  const seen = join(directory, 'seen');
  writeFileSync(
    file,
    `stack: test\nservices:\n  app: { kind: files, names: [app.internal], ca: ${ca}, certificate: ${certificate}, key: ${key}, reload: "ls ${app} > ${seen}" }\n`,
  );
  const run = (...args: readonly string[]) =>
    JSON.parse(fullchain([...args, '--json', '--file', file, '--state', join(directory, 'state')]).stdout);
  const { changes } = run('plan');
  assert.ok(
    changes.some(
      ({ action, why }: { action: string; why: string }) =>
        action === 'install' &&
        why.includes(`, ${ca}, ${certificate}, ${key} (one after the other, in this order: for milliseconds`),
    ),
    JSON.stringify(changes),
  );
  for (const command of ['apply', 'rotate']) {
    assert.equal(run(command).ok, true);
    // A rename is the last thing that touches a file; the reload comes after all of them.
    const moments = [ca, certificate, key, seen].map((path) => statSync(path, { bigint: true }).ctimeNs);
    assert.deepEqual(
      moments,
      [...moments].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
      command,
    );
    const [, before = 0n, after = 0n] = moments;
    assert.ok(after - before < 1_000_000_000n, `${after - before} ns`);
    t.diagnostic(`${command}: a mixed pair for ${Number(after - before) / 1e6} ms`);
  }
});
