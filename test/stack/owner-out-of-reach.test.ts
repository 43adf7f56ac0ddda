/** An owner that is declared where nobody is root: said before and after, and the files stay those of who runs it. */
import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';
import { account } from '../services/applied.ts';
import { cleanup } from '../services/cleanup.ts';
import { as, directoryFor } from '../services/own-user.ts';

test('plan and apply say that files cannot be given away', async (t) => {
  const { path, own } = cleanup(t).use(directoryFor('nobody'));
  const file = join(path, 'fullchain.yaml');
  const key = join(own, 'app.key');
  writeFileSync(
    file,
    `stack: one
services:
  app: { kind: files, names: [app.internal], certificate: ${own}/app.crt, key: ${key}, owner: "0:0", reload: "true" }
clients:
  me: { connects: [app], names: [me], directory: ${own}/me, owner: root }
`,
  );
  const fullchain = async (command: string) => {
    const words = [process.execPath, LAUNCHER, command, '--json', '--file', file, '--state', join(own, 'state')];
    const { status, stdout, output } = await run(...as('nobody', words), { env: { HOME: own } });
    assert.equal(status, 0, output);
    return JSON.parse(stdout);
  };
  const { uid } = account(['nobody']);
  const self = process.getuid?.() === 0 ? uid : process.getuid?.();
  for (const command of ['plan', 'apply']) {
    const said = JSON.stringify(await fullchain(command));
    for (const owner of ['0:0', 'root'])
      assert.ok(said.includes(`files stay those of user ${self}: without root they cannot be given to ${owner}`), said);
  }
  assert.equal(statSync(key).uid, self);
});
