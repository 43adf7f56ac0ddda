import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fullchain, openssl, scratch } from '../ca/command-line.ts';

test('a host without an authority: plan names the command, the first apply makes one and says so, the next has it', (t) => {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const [certificate, key] = [join(directory, 'app.crt'), join(directory, 'app.key')];
  writeFileSync(
    file,
    `stack: first\nservices:\n  app: { kind: files, names: [app.internal], certificate: ${certificate}, key: ${key}, reload: "true" }\n`,
  );
  const run = (command: string) => fullchain([command, '--json', '--file', file, '--state', state]);
  const planned = run('plan');
  assert.equal(planned.status, 1);
  assert.match(planned.stdout, /not-initialised.*fullchain ca init --state/);
  assert.equal(existsSync(join(state, 'config.json')), false, 'a plan makes nothing');

  const first = run('apply');
  assert.equal(first.status, 0, first.stdout + first.stderr);
  assert.equal(JSON.parse(first.stdout).services[0].action, 'issued');
  assert.match(
    first.stderr,
    /^A new authority was made in .*; its root is [0-9a-f]{64}\n.*password of the issuing key: /,
  );
  const root = join(state, 'certs/root_ca.crt');
  assert.equal(openssl(['verify', '-CAfile', root, '-untrusted', certificate, certificate]).status, 0);
  const again = run('apply');
  assert.deepEqual([JSON.parse(again.stdout).services[0].action, again.stderr], ['none', '']);
});
