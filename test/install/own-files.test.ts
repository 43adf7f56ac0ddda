/** What a person had in the places where a pair is wanted: kept, put back when an apply fails, and again when it is taken out. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fullchain, openssl, scratch } from '../ca/command-line.ts';

test('a pair that was there is back after a failed apply, and after the last one', (t) => {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const [certificate, key] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
  const made = openssl([
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '20'],
    ...['-subj', '/CN=own', '-keyout', key, '-out', certificate],
  ]);
  assert.equal(made.status, 0, made.stderr);
  chmodSync(certificate, 0o640);
  const own = [certificate, key].map((path) => ({ path, text: readFileSync(path, 'utf8'), mode: statSync(path).mode }));
  const asBefore = (): void => {
    for (const { path, text, mode } of own) {
      assert.equal(readFileSync(path, 'utf8'), text, path);
      assert.equal(statSync(path).mode, mode, path);
      assert.ok(!existsSync(`${path}.before-fullchain`));
    }
  };
  const run = (command: readonly string[], reload: string) => {
    writeFileSync(
      file,
      `stack: test\nservices:\n  app: { kind: files, names: [app.test], certificate: ${certificate}, key: ${key}, reload: "${reload}" }\n`,
    );
    return fullchain([...command, '--file', file, '--state', state]);
  };
  assert.match(run(['apply'], 'exit 4').stdout, /reload/);
  asBefore();
  const planned = run(['plan'], 'true');
  assert.match(planned.stdout, new RegExp(`version 1 in .*${certificate}`));
  assert.equal(run(['apply'], 'true').status, 0);
  assert.notEqual(readFileSync(key, 'utf8'), own[1]?.text);
  assert.equal(readFileSync(`${key}.before-fullchain`, 'utf8'), own[1]?.text);
  // A second pair is ours, and nothing of it is put aside.
  assert.equal(run(['rotate'], 'true').status, 0);
  assert.equal(readFileSync(`${key}.before-fullchain`, 'utf8'), own[1]?.text);
  assert.equal(run(['apply', '--remove'], 'true').status, 0);
  asBefore();
});

test('a removal takes away only what is ours: before the first apply, and after one that failed', (t) => {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const own = ['tls.crt', 'tls.key'].map((name) => join(directory, name));
  for (const path of own) writeFileSync(path, `a person's ${path}`, { mode: 0o600 });
  const member = `certificate: ${own[0]}, key: ${own[1]}, reload: "exit 4"`;
  writeFileSync(file, `stack: test\nservices:\n  app: { kind: files, names: [app.test], ${member} }\n`);
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  for (const command of [['apply', '--remove'], ['apply'], ['apply', '--remove']]) {
    fullchain([...command, '--file', file, '--state', state]);
    for (const path of own) assert.equal(readFileSync(path, 'utf8'), `a person's ${path}`, command.join(' '));
  }
  assert.ok(!existsSync(join(directory, 'fullchain-app')));
});

test('where nothing was, nothing is left', (t) => {
  const directory = scratch(t);
  const [state, file, certificate] = ['state', 'fullchain.yaml', 'tls.crt'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(
    file,
    `stack: test\nservices:\n  app: { kind: files, names: [app.test], certificate: ${certificate}, key: ${directory}/tls.key, reload: "true" }\n`,
  );
  for (const command of [['apply'], ['rotate'], ['rotate'], ['apply', '--remove']])
    assert.equal(fullchain([...command, '--file', file, '--state', state]).status, 0, command.join(' '));
  for (const name of ['tls.crt', 'tls.key', 'tls.crt.before-fullchain', 'tls.key.before-fullchain'])
    assert.ok(!existsSync(join(directory, name)), name);
});
