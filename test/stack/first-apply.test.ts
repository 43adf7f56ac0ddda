import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAgent, until } from '../agent/running-agent.ts';
import { fullchain, openssl, scratch } from '../ca/command-line.ts';

test('a host without an authority: plan foresees one, the first apply makes one and says so, the next has it', (t) => {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const [certificate, key] = [join(directory, 'app.crt'), join(directory, 'app.key')];
  writeFileSync(
    file,
    `stack: first\nservices:\n  app: { kind: files, names: [app.internal], certificate: ${certificate}, key: ${key}, reload: "true" }\n`,
  );
  const run = (command: string) => fullchain([command, '--json', '--file', file, '--state', state]);
  const planned = run('plan');
  assert.equal(planned.status, 0, planned.stdout + planned.stderr);
  const { changes, notes } = JSON.parse(planned.stdout);
  assert.deepEqual(
    changes.map(({ action }: { action: string }) => action),
    ['issue', 'install', 'reload'],
  );
  assert.deepEqual(notes, [{ note: `the first apply makes an authority in ${state}` }]);
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

test('an agent on a host without an authority makes it too, and keeps the stack', async (t) => {
  const directory = scratch(t);
  const [state, file, certificate] = [
    join(directory, 'state'),
    join(directory, 'fullchain.yaml'),
    join(directory, 'app.crt'),
  ];
  writeFileSync(
    file,
    `stack: first\nservices:\n  app: { kind: files, names: [app.internal], certificate: ${certificate}, key: ${directory}/app.key, reload: "true" }\n`,
  );
  const agent = startAgent(t, file, state, '--interval', '1s');
  await until(() => existsSync(certificate), 'the certificate');
  const root = join(state, 'certs/root_ca.crt');
  assert.equal(openssl(['verify', '-CAfile', root, '-untrusted', certificate, certificate]).status, 0);
  assert.equal(agent.log().filter(({ msg }) => msg === 'a new authority was made').length, 1);
  assert.equal(await agent.stop(), 0);
});

test('the step "reload" says what was run, or that nobody was told', (t) => {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const app = (name: string, more: string): string =>
    `  ${name}: { kind: files, names: [${name}.internal], certificate: ${directory}/${name}.crt, key: ${directory}/${name}.key${more} }\n`;
  writeFileSync(file, `stack: first\nservices:\n${app('told', ', reload: "true # told"')}${app('silent', '')}`);
  const { stdout, stderr } = fullchain(['apply', '--json', '--file', file, '--state', state]);
  const services: readonly { name: string; steps: readonly { step: string; detail: string }[] }[] =
    JSON.parse(stdout).services;
  assert.deepEqual(
    services.map(({ name, steps }) => [name, steps.find(({ step }) => step === 'reload')?.detail]),
    [
      ['told', 'true # told'],
      ['silent', 'nobody was told: no reload is known or needed here'],
    ],
    stdout + stderr,
  );
});
