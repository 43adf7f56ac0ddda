import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KEY_ALGORITHMS } from '../../src/core/x509/algorithm.ts';
import { fullchain, openssl, scratch } from './command-line.ts';

function passwordFile(directory: string, name = 'password', password = 'correct horse'): string {
  const path = join(directory, name);
  writeFileSync(path, `${password}\n`, { mode: 0o600 });
  return path;
}

test('the Bakery guide’s authority is one configuration: RSA 4096, SHA-256, ten years, its own name (R002)', (t) => {
  const directory = scratch(t);
  const state = join(directory, 'state');
  const made = fullchain([
    ...['ca', 'init', '--state', state, '--name', 'Bakery IA', '--root-common-name', 'Bakery IA Internal CA'],
    ...['--root-algorithm', 'rsa-4096', '--intermediate-algorithm', 'rsa-4096', '--root-lifetime', '10y'],
    ...['--organization', 'Bakery IA', '--country', 'ES', '--max-lifetime', '3y'],
  ]);
  assert.equal(made.status, 0, made.stderr);
  const root = new X509Certificate(readFileSync(join(state, 'certs/root_ca.crt')));
  assert.equal(root.subject, 'C=ES\nO=Bakery IA\nCN=Bakery IA Internal CA');
  assert.equal(root.publicKey.asymmetricKeyDetails?.modulusLength, 4096);
  const days = (root.validToDate.getTime() - root.validFromDate.getTime()) / 86_400_000;
  assert.ok(Math.abs(days - 3650) <= 1, `${days} days`);
  const text = openssl(['x509', '-in', join(state, 'certs/root_ca.crt'), '-noout', '-text']).stdout;
  assert.match(text, /Signature Algorithm: sha256WithRSAEncryption/);
  assert.match(text, /Basic Constraints: critical\s+CA:TRUE/);
  assert.match(text, /Key Usage: critical\s+Certificate Sign, CRL Sign/);

  // R003: three years for a server certificate is allowed because the maximum says so.
  const [cert, key] = [join(directory, 'pg.crt'), join(directory, 'pg.key')];
  const issued = fullchain([
    ...['cert', 'issue', 'auth-db-service', '*.bakery-ia.svc.cluster.local', 'localhost', '--state', state],
    ...['--key-algorithm', 'rsa-4096', '--lifetime', '1095d', '--cert', cert, '--key', key],
  ]);
  assert.equal(issued.status, 0, issued.stderr);
  const verified = openssl([
    'verify',
    '-x509_strict',
    '-CAfile',
    join(state, 'certs/root_ca.crt'),
    '-untrusted',
    cert,
    cert,
  ]);
  assert.equal(verified.status, 0, verified.stderr);
});

for (const algorithm of Object.keys(KEY_ALGORITHMS)) {
  test(`root, intermediate and leaf with ${algorithm}: OpenSSL or Node accepts the chain and opens the keys`, (t) => {
    const directory = scratch(t);
    const state = join(directory, 'state');
    const password = passwordFile(directory);
    const made = fullchain([
      'ca',
      'init',
      '--state',
      state,
      '--root-algorithm',
      algorithm,
      '--intermediate-algorithm',
      algorithm,
      '--password-file',
      password,
    ]);
    assert.equal(made.status, 0, made.stderr);
    const [cert, key] = [join(directory, 'a.crt'), join(directory, 'a.key')];
    const leafAlgorithm = algorithm.startsWith('ml-dsa') ? 'ecdsa-p256' : algorithm;
    const issued = fullchain([
      'cert',
      'issue',
      'a.test',
      '--state',
      state,
      '--password-file',
      password,
      '--key-algorithm',
      leafAlgorithm,
      '--cert',
      cert,
      '--key',
      key,
    ]);
    assert.equal(issued.status, 0, issued.stderr);
    const pems = readFileSync(cert, 'utf8').split(/(?=-----BEGIN)/);
    const [leaf, intermediate] = pems.map((pem) => new X509Certificate(pem));
    const root = new X509Certificate(readFileSync(join(state, 'certs/root_ca.crt')));
    assert.ok(leaf?.verify(intermediate?.publicKey ?? leaf.publicKey));
    assert.ok(intermediate?.verify(root.publicKey));
    // Debian's OpenSSL 3.0 does not know ML-DSA; Node's 3.5 has judged those above.
    if (algorithm.startsWith('ml-dsa')) return;
    const verified = openssl([
      'verify',
      '-x509_strict',
      '-CAfile',
      join(state, 'certs/root_ca.crt'),
      '-untrusted',
      cert,
      cert,
    ]);
    assert.equal(verified.status, 0, verified.stderr);
    for (const file of ['root_ca_key', 'intermediate_ca_key']) {
      const path = join(state, 'secrets', file);
      assert.match(readFileSync(path, 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.equal(openssl(['pkey', '-in', path, '-passin', `file:${password}`, '-noout']).status, 0);
      assert.notEqual(openssl(['pkey', '-in', path, '-passin', 'pass:wrong', '-noout']).status, 0);
    }
  });
}

test('--root-only-offline leaves the root key outside the state from the first moment', (t) => {
  const directory = scratch(t);
  const [state, offline] = [join(directory, 'state'), join(directory, 'offline')];
  const made = fullchain(['ca', 'init', '--json', '--state', state, '--root-only-offline', offline]);
  assert.equal(made.status, 0, made.stderr);
  assert.deepEqual(readdirSync(offline).sort(), ['root_ca.crt', 'root_ca_key', 'root_password']);
  assert.equal(existsSync(join(state, 'secrets/root_ca_key')), false);
  assert.equal(existsSync(join(state, 'secrets/root_password')), false);
  assert.equal(
    openssl([
      'pkey',
      '-in',
      join(offline, 'root_ca_key'),
      '-passin',
      `file:${join(offline, 'root_password')}`,
      '-noout',
    ]).status,
    0,
  );
  // It issues without the root key, which only a new intermediate needs (R246).
  const issued = fullchain([
    'cert',
    'issue',
    'a.test',
    '--state',
    state,
    '--cert',
    join(directory, 'a.crt'),
    '--key',
    join(directory, 'a.key'),
  ]);
  assert.equal(issued.status, 0, issued.stderr);
});

test('the password comes from a file, the environment, or a generated file that the message names; never from argv', (t) => {
  const directory = scratch(t);
  const fromEnvironment = join(directory, 'environment');
  assert.equal(fullchain(['ca', 'init', '--state', fromEnvironment], { FULLCHAIN_PASSWORD: 'from env' }).status, 0);
  assert.equal(
    openssl(['pkey', '-in', join(fromEnvironment, 'secrets/intermediate_ca_key'), '-passin', 'pass:from env', '-noout'])
      .status,
    0,
  );
  assert.equal(existsSync(join(fromEnvironment, 'secrets/password')), false);

  const generated = join(directory, 'generated');
  const made = fullchain(['ca', 'init', '--state', generated]);
  const file = join(generated, 'secrets/password');
  assert.ok(made.stdout.includes(file));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(
    openssl(['pkey', '-in', join(generated, 'secrets/intermediate_ca_key'), '-passin', `file:${file}`, '-noout'])
      .status,
    0,
  );
  // W-63: root, issuing key and token key do not share a generated password.
  const passwords = ['password', 'root_password', 'provisioner_password'].map((name) =>
    readFileSync(join(generated, 'secrets', name), 'utf8'),
  );
  assert.equal(new Set(passwords).size, 3);
});

test('a password is typed on a terminal, twice for a new key, and never echoed', (t) => {
  const directory = scratch(t);
  const state = join(directory, 'state');
  // script(1) gives the program a terminal; the answers come through it as typed.
  const typed = fullchainOnTerminal(
    ['ca', 'init', '--state', state, '--ask-password'],
    ['typed secret', 'typed secret'],
  );
  assert.equal(typed.status, 0, typed.stdout);
  assert.equal(typed.stdout.includes('typed secret'), false);
  assert.equal(
    openssl(['pkey', '-in', join(state, 'secrets/intermediate_ca_key'), '-passin', 'pass:typed secret', '-noout'])
      .status,
    0,
  );
});

test('a second init changes nothing and says that there is an authority already', (t) => {
  const state = join(scratch(t), 'state');
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  const before = readFileSync(join(state, 'secrets/intermediate_ca_key'), 'utf8');
  const again = fullchain(['ca', 'init', '--json', '--state', state]);
  assert.equal(again.status, 1);
  assert.equal(JSON.parse(again.stdout).error.code, 'already-initialised');
  assert.equal(readFileSync(join(state, 'secrets/intermediate_ca_key'), 'utf8'), before);
});

test('an intermediate that would outlive its root is refused, and leaves no authority behind', (t) => {
  const state = join(scratch(t), 'state');
  const refused = fullchain([
    'ca',
    'init',
    '--json',
    '--state',
    state,
    '--root-lifetime',
    '1y',
    '--intermediate-lifetime',
    '2y',
  ]);
  assert.equal(refused.status, 1);
  assert.match(JSON.parse(refused.stdout).error.what, /intermediate.*its issuer only until/);
  assert.equal(existsSync(join(state, 'config.json')), false);
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0, 'the directory can be used afterwards');
});

test('a lifetime above the provisioner’s maximum is refused with both durations (W-15)', (t) => {
  const directory = scratch(t);
  const state = join(directory, 'state');
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  const refused = fullchain([
    'cert',
    'issue',
    'a.test',
    '--json',
    '--lifetime',
    '8760h',
    '--state',
    state,
    '--cert',
    join(directory, 'a.crt'),
    '--key',
    join(directory, 'a.key'),
  ]);
  assert.equal(refused.status, 1);
  assert.match(JSON.parse(refused.stdout).error.what, /1y was asked for; at most 90d is allowed/);
  assert.equal(existsSync(join(directory, 'a.key')), false);
});

/** Runs on a pseudo-terminal and types one line whenever the program asks. */
function fullchainOnTerminal(args: readonly string[], lines: readonly string[]) {
  const program = `
import fcntl, json, os, pty, select, signal, struct, sys, termios, time
args, lines = json.loads(sys.argv[1]), json.loads(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(args[0], args)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 100, 0, 0))
prompts = [b'assword of', b'same again']
out, since, status = b'', 0, None
end = time.time() + 30
while status is None and time.time() < end:
    if select.select([terminal], [], [], 0.2)[0]:
        try: out += os.read(terminal, 4096)
        except OSError: pass
    elif lines and any(prompt in out[since:] for prompt in prompts):
        since = len(out)
        os.write(terminal, (lines.pop(0) + '\\r').encode())
    done, code = os.waitpid(pid, os.WNOHANG)
    if done: status = os.waitstatus_to_exitcode(code)
if status is None: os.kill(pid, signal.SIGKILL)
sys.stdout.buffer.write(out)
sys.exit(1 if status is None else status)
`;
  const main = new URL('../../src/app/cli/main.ts', import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(
    'python3',
    ['-c', program, JSON.stringify([process.execPath, main, ...args]), JSON.stringify(lines)],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}
