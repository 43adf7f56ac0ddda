/** Another intermediate, another root, by the command line, seen with openssl and by an authority that runs meanwhile. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fullchain, openssl, scratch, up } from './command-line.ts';

interface Authority {
  readonly directory: string;
  readonly state: string;
  readonly ca: (...args: readonly string[]) => {
    readonly status: number | null;
    readonly answer: ReturnType<typeof JSON.parse>;
    readonly text: string;
  };
  /** A certificate for NAME; its path, chain included. */
  readonly issue: (name: string) => string;
  readonly roots: () => string;
}

function authority(t: TestContext, ...init: readonly string[]): Authority {
  const directory = scratch(t);
  const state = join(directory, 'state');
  const made = fullchain(['ca', 'init', '--state', state, ...init]);
  assert.equal(made.status, 0, made.stderr);
  return {
    directory,
    state,
    ca(...args) {
      const { status, stdout, stderr } = fullchain(['ca', ...args, '--json', '--state', state]);
      return { status, answer: JSON.parse(stdout || '{}'), text: stdout + stderr };
    },
    issue(name) {
      const path = join(directory, `${name}.crt`);
      const issued = fullchain([
        'cert',
        'issue',
        name,
        '--cert',
        path,
        '--key',
        join(directory, `${name}.key`),
        '--state',
        state,
      ]);
      assert.equal(issued.status, 0, issued.stderr);
      return path;
    },
    roots() {
      const path = join(directory, 'roots.pem');
      writeFileSync(path, fullchain(['ca', 'export', 'roots', '--state', state]).stdout);
      return path;
    },
  };
}

function verifies(roots: string, chain: string): boolean {
  return openssl(['verify', '-CAfile', roots, '-untrusted', chain, chain]).status === 0;
}

const countOf = (path: string): number => readFileSync(path, 'utf8').split('BEGIN CERTIFICATE').length - 1;

test('another intermediate: what was issued stays valid, what comes next is from the new one', (t) => {
  const { ca, issue, roots, state } = authority(t);
  const [first, root] = [issue('first'), roots()];
  const before = readFileSync(join(state, 'certs/intermediate_ca.crt'), 'utf8');
  const { status, answer, text } = ca('rotate', 'intermediate');
  assert.equal(status, 0, text);
  assert.equal(answer.resumed, false);
  assert.notEqual(readFileSync(join(state, 'certs/intermediate_ca.crt'), 'utf8'), before);
  const second = issue('second');
  assert.notEqual(
    openssl(['x509', '-in', first, '-noout', '-issuer']).stdout,
    openssl(['x509', '-in', second, '-noout', '-issuer']).stdout,
  );
  for (const chain of [first, second]) assert.equal(verifies(root, chain), true, chain);
  assert.equal(countOf(roots()), 1);
});

test('the key of the root is elsewhere: it is asked for by its file, and used from there', (t) => {
  const { ca, issue, roots, state, directory } = authority(t);
  const away = join(directory, 'root.key');
  renameSync(join(state, 'secrets/root_ca_key'), away);
  const missing = ca('rotate', 'intermediate');
  assert.equal(missing.status, 1);
  assert.match(missing.text, /root-key-offline.*root_ca_key is missing/);
  const { status, text } = ca('rotate', 'intermediate', '--root-key', away);
  assert.equal(status, 0, text);
  assert.equal(verifies(roots(), issue('after')), true);
});

test('another intermediate, prepared: it waits, and stands in nobody’s way but a new root’s', (t) => {
  const { ca, issue, roots, state } = authority(t);
  const rotation = () => ca('status').answer.rotation;
  const issuer = (chain: string): string => openssl(['x509', '-in', chain, '-noout', '-issuer']).stdout;
  const first = issue('first');
  const prepared = ca('rotate', 'intermediate', '--prepare');
  assert.equal(prepared.status, 0, prepared.text);
  const again = ca('rotate', 'intermediate', '--prepare');
  assert.equal(again.answer.intermediate.fingerprint, prepared.answer.intermediate.fingerprint, 'again');
  assert.deepEqual([rotation().intermediatePrepared, rotation().intermediateInterrupted], [true, false]);
  const { next, certificates } = ca('status').answer;
  assert.equal(next, `fullchain ca rotate intermediate --state ${state}`);
  assert.ok(certificates.some(({ role }: { role: string }) => role === 'next-intermediate'));
  assert.match(ca('rotate', 'root', '--prepare').text, /rotation-order.*intermediate is prepared/);
  assert.equal(issuer(issue('meanwhile')), issuer(first));

  const { status, answer } = ca('rotate', 'intermediate');
  assert.equal(status, 0);
  assert.equal(answer.intermediate.fingerprint, prepared.answer.intermediate.fingerprint);
  const second = issue('second');
  assert.notEqual(issuer(second), issuer(first));
  assert.equal(verifies(roots(), second), true);
  assert.equal(rotation().intermediatePrepared, false);

  assert.equal(ca('rotate', 'root', '--prepare').status, 0);
  assert.match(ca('rotate', 'intermediate', '--prepare').text, /rotation-order.*new root is prepared/);
  assert.equal(ca('rotate', 'intermediate').status, 0, 'at once');
  assert.equal(ca('rotate', 'root', '--activate').status, 0, 'what is prepared below the root was left alone');
});

test('another root, in three steps: each is repeated without harm, none is skipped', (t) => {
  const { ca, issue, roots } = authority(t);
  const phase = (): string => ca('status').answer.rotation.phase;
  const old = issue('old');
  const oldRoot = readFileSync(roots(), 'utf8');
  for (const step of ['--activate', '--retire']) assert.match(ca('rotate', 'root', step).text, /rotation-order/);
  assert.equal(phase(), 'none');

  assert.equal(ca('rotate', 'root', '--prepare').status, 0);
  assert.equal(phase(), 'prepared');
  assert.equal(countOf(roots()), 2);
  assert.ok(readFileSync(roots(), 'utf8').startsWith(oldRoot), 'the active one is first');
  const stillOld = issue('still-old');
  assert.equal(verifies(join(roots()), stillOld), true);
  assert.equal(ca('rotate', 'root', '--prepare').status, 0, 'again');
  assert.equal(countOf(roots()), 2);

  assert.equal(ca('rotate', 'root', '--activate').status, 0);
  assert.equal(phase(), 'activated');
  const fresh = issue('fresh');
  for (const chain of [old, stillOld, fresh]) assert.equal(verifies(roots(), chain), true, chain);
  assert.equal(ca('rotate', 'root', '--activate').status, 0, 'again');

  const refused = ca('rotate', 'root', '--retire');
  assert.equal(refused.status, 1);
  assert.match(refused.text, /root-in-use/);
  for (const name of ['old', 'still-old']) assert.match(refused.text, new RegExp(name));
  assert.equal(ca('rotate', 'root', '--retire', '--force').status, 0);
  assert.equal(phase(), 'none');
  assert.equal(countOf(roots()), 1);
  assert.equal(verifies(roots(), fresh), true);
  assert.equal(verifies(roots(), old), false, 'a certificate of the old root is refused');
  assert.equal(verifies(roots(), issue('last')), true);
  assert.match(ca('status').text, /retired-root/);
});

test('a prepared root is called off: it is trusted no more, its keys are gone, and another may be prepared', (t) => {
  const { ca, issue, roots, state, directory } = authority(t);
  const before = [readFileSync(roots(), 'utf8'), readdirSync(join(state, 'secrets')).sort()];
  assert.match(ca('rotate', 'root', '--cancel').text, /rotation-order/);
  assert.equal(ca('rotate', 'root', '--prepare', '--root-common-name', 'A mistake').status, 0);
  const cancelled = ca('rotate', 'root', '--cancel');
  assert.equal(cancelled.status, 0, cancelled.text);
  assert.deepEqual([cancelled.answer.phase, cancelled.answer.next], ['none', null]);
  assert.match(cancelled.answer.plan.join(), /forget the new root: fullchain apply/);
  assert.deepEqual([readFileSync(roots(), 'utf8'), readdirSync(join(state, 'secrets')).sort()], before);
  assert.equal(verifies(roots(), issue('after')), true);

  const offline = join(directory, 'usb');
  assert.equal(ca('rotate', 'root', '--prepare', '--root-only-offline', offline).status, 0);
  renameSync(offline, `${offline}-away`);
  assert.match(ca('rotate', 'root', '--cancel').text, /root-key-offline/);
  assert.equal(ca('status').answer.rotation.phase, 'prepared', 'a key that is away is not left behind');
  renameSync(`${offline}-away`, offline);
  assert.equal(ca('rotate', 'root', '--cancel').status, 0);
  assert.deepEqual(readdirSync(offline), []);

  assert.equal(ca('rotate', 'root', '--prepare').status, 0);
  assert.equal(ca('rotate', 'root', '--activate').status, 0);
  assert.match(ca('rotate', 'root', '--cancel').text, /rotation-order.*issues already|issues already.*rotation-order/s);
});

test('an authority that runs takes up both: its roots, its issuer, its own certificate', {
  timeout: 60_000,
}, async (t) => {
  const { ca, roots, state } = authority(t, '--dns', 'localhost,127.0.0.1');
  const running = await up(t, state);
  const crts = async (): Promise<readonly string[]> => {
    const answer = openssl([
      's_client',
      '-connect',
      new URL(running.ready.url).host,
      '-CAfile',
      roots(),
      '-verify_return_error',
      '-brief',
    ]);
    assert.match(answer.stdout + answer.stderr, /Verification: OK/);
    return get(`${running.ready.url}/roots`, readFileSync(roots(), 'utf8'));
  };
  assert.equal((await crts()).length, 1);
  assert.equal(ca('rotate', 'root', '--prepare').status, 0);
  await until(async () => (await crts()).length === 2, 'two roots at /roots');
  assert.equal(ca('rotate', 'root', '--activate').status, 0);
  const [active] = readFileSync(roots(), 'utf8').match(/-----BEGIN[\s\S]*?END CERTIFICATE-----/g) ?? [];
  await until(async () => (await crts())[0]?.trim() === active, 'the new root first');
});

function get(url: string, ca: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca, agent: false }, async (response) => {
      const body = (await response.setEncoding('utf8').toArray()).join('');
      resolve(JSON.parse(body).crts);
    });
    asked.on('error', reject).end();
  });
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`waited 10 s for ${what}`);
}
