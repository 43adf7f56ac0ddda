import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fullchain, openssl, type Running, scratch, up } from '../ca/command-line.ts';
import { startAgent, until } from './running-agent.ts';

interface Host {
  readonly directory: string;
  readonly authorityState: string;
  readonly state: string;
  readonly file: string;
  readonly authority: Running;
  readonly run: (...args: string[]) => {
    readonly status: number | null;
    readonly answer: never;
    readonly stderr: string;
  };
}

/** An authority, and a host with a state of its own whose stack names it. `credentials` are lines of the authority's section. */
async function host(t: TestContext, credentials: (authorityState: string, directory: string) => string): Promise<Host> {
  const directory = scratch(t);
  const [authorityState, state] = [join(directory, 'authority'), join(directory, 'state')];
  assert.equal(fullchain(['ca', 'init', '--state', authorityState, '--dns', 'localhost']).status, 0);
  const authority = await up(t, authorityState);
  const file = join(directory, 'fullchain.yaml');
  writeFileSync(
    file,
    `stack: test
authority:
  url: ${authority.ready.url}
  fingerprint: ${authority.ready.rootFingerprint}
${credentials(authorityState, directory)}
defaults: { lifetime: 1h }
services:
  app:
    kind: files
    names: [app.test, 127.0.0.1]
    certificate: ${directory}/app.crt
    key: ${directory}/app.key
    ca: ${directory}/app-ca.crt
    reload: "true"
`,
  );
  return {
    directory,
    authorityState,
    state,
    file,
    authority,
    run(...args) {
      const { status, stdout, stderr } = fullchain([...args, '--json', '-f', file, '--state', state]);
      return { status, answer: JSON.parse(stdout || '{}') as never, stderr };
    },
  };
}

function serialOf(file: string): string {
  return openssl(['x509', '-in', file, '-noout', '-serial']).stdout.trim();
}

test('a stack on another host: tokens signed with the provisioner’s key; a stopped authority hinders only what is new', async (t) => {
  const { directory, authorityState, authority, file, state, run } = await host(
    t,
    (there) => `  provisioner: admin\n  passwordFile: ${there}/secrets/provisioner_password`,
  );
  const applied = run('apply');
  assert.equal(applied.status, 0, JSON.stringify(applied));
  const [crt, ca] = [join(directory, 'app.crt'), join(directory, 'app-ca.crt')];
  assert.match(openssl(['verify', '-CAfile', ca, '-untrusted', crt, crt]).stdout, /OK/);
  assert.equal(readFileSync(ca, 'utf8').trim(), readFileSync(join(authorityState, 'certs/root_ca.crt'), 'utf8').trim());
  const first = serialOf(crt);
  assert.equal(run('rotate').status, 0);
  assert.notEqual(serialOf(crt), first);
  const listed = JSON.parse(fullchain(['cert', 'list', '--json', '--state', authorityState]).stdout);
  assert.equal(
    listed.certificates.filter(({ names }: { names: string[] }) => names.includes('app.test')).length,
    2,
    'the authority knows both',
  );

  await authority.stop();
  const second = serialOf(crt);
  assert.equal(run('status').status, 0);
  assert.equal(run('plan').status, 0);
  const refused = run('rotate');
  assert.equal(refused.status, 1);
  assert.match(JSON.stringify(refused.answer), /"step":"issue".*curl/);
  assert.equal(serialOf(crt), second);
  assert.equal((run('status').answer as { services: { state: string }[] }).services[0]?.state, 'failed');

  // It comes back at its place, and the agent needs nobody to be told.
  writeFileSync(file, readFileSync(file, 'utf8').replace('[app.test,', '[app.test, www.app.test,'));
  const agent = startAgent(t, file, state, '--interval', '1s');
  await until(() => agent.log().some(({ failures }) => Number(failures) >= 2), 'a try that fails');
  await up(t, authorityState, ['--listen', new URL(authority.ready.url).host]);
  await until(() => serialOf(crt) !== second, 'the new certificate', 40);
  assert.equal(await agent.stop(), 0);
});

test('a token for the first certificate; after that the pair in use asks for its successor', async (t) => {
  const { directory, authorityState, authority, file, run } = await host(t, (_, here) => `  tokenFile: ${here}/token`);
  const early = run('apply');
  assert.equal(early.status, 1);
  assert.match(JSON.stringify(early.answer), /token in .* cannot be read.*fullchain token/);
  const token = fullchain([
    'token',
    'app.test',
    '--san',
    '127.0.0.1',
    '--url',
    authority.ready.url,
    '--state',
    authorityState,
  ]);
  writeFileSync(join(directory, 'token'), token.stdout, { mode: 0o600 });
  const applied = run('apply');
  assert.equal(applied.status, 0, JSON.stringify(applied));
  const first = serialOf(join(directory, 'app.crt'));
  const rotated = run('rotate');
  assert.equal(rotated.status, 0, JSON.stringify(rotated));
  assert.notEqual(serialOf(join(directory, 'app.crt')), first);
  // What was revoked speaks for nobody: who asks must be allowed anew.
  const [second, key] = [serialOf(join(directory, 'app.crt')), readFileSync(join(directory, 'app.key'), 'utf8')];
  const revoked = fullchain(['cert', 'revoke', second.replace('serial=', ''), '--state', authorityState]);
  assert.equal(revoked.status, 0, revoked.stderr);
  const refused = run('apply');
  assert.equal(refused.status, 1);
  assert.match(JSON.stringify(refused.answer), /token.*fullchain token/);
  assert.doesNotMatch(JSON.stringify(refused.answer), /client certificate/);
  const another = fullchain([
    'token',
    'app.test',
    '--san',
    '127.0.0.1',
    '--url',
    authority.ready.url,
    '--state',
    authorityState,
  ]);
  writeFileSync(join(directory, 'token'), another.stdout, { mode: 0o600 });
  assert.equal(run('apply').status, 0);
  assert.notEqual(serialOf(join(directory, 'app.crt')), second);
  assert.notEqual(readFileSync(join(directory, 'app.key'), 'utf8'), key);
  // Other names are another certificate.
  writeFileSync(file, readFileSync(file, 'utf8').replace('[app.test,', '[other.test, app.test,'));
  const other = run('apply');
  assert.equal(other.status, 1);
  assert.match(JSON.stringify(other.answer), /401|token/);
  assert.match(
    openssl(['x509', '-in', join(directory, 'app.crt'), '-noout', '-ext', 'subjectAltName']).stdout,
    /app\.test/,
  );
});

test('an authority with another root is not asked for anything', async (t) => {
  const { file, directory, authorityState, run } = await host(
    t,
    (there) => `  provisioner: admin\n  passwordFile: ${there}/secrets/provisioner_password`,
  );
  const other = join(directory, 'other');
  assert.equal(fullchain(['ca', 'init', '--state', other]).status, 0);
  const impostor = await up(t, other);
  copyFileSync(join(authorityState, 'secrets/provisioner_password'), join(directory, 'password'));
  writeFileSync(file, readFileSync(file, 'utf8').replace(/url: .*/, `url: ${impostor.ready.url}`));
  const applied = run('apply');
  assert.equal(applied.status, 1, JSON.stringify(applied));
  assert.match(JSON.stringify(applied.answer), /fingerprint/);
  assert.equal(existsSync(join(directory, 'app.crt')), false);
});
