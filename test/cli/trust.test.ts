/** `fullchain trust` with real stores below scratch directories, real tools, and a server that has to be trusted. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fullchain, openssl, type Ran, scratch, up } from '../ca/command-line.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { makeTestAuthority } from './openssl-authority.ts';

const MAIN = new URL('../../src/app/cli/main.ts', import.meta.url).pathname;

function needs(...commands: readonly string[]): { skip?: string } {
  const missing = commands.find(
    (command) => spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${command}`]).status !== 0,
  );
  return missing === undefined ? {} : { skip: `${missing} is not installed` };
}

/** While servers of this process answer. */
function run(command: string, args: readonly string[], extra: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH, HOME: '/nonexistent', ...extra };
    execFile(command, args, { env }, (fault, stdout, stderr) =>
      resolve({ status: fault ? (typeof fault.code === 'number' ? fault.code : null) : 0, stdout, stderr }),
    );
  });
}

const trust = (...args: readonly string[]): Promise<Ran> => run(process.execPath, [MAIN, 'trust', ...args]);
const tree = (directory: string): string[] => readdirSync(directory, { recursive: true }).map(String).sort();

const ca = makeTestAuthority();

/** An authority’s address that answers /root/{sha256} with `answer`, over TLS that nobody trusts yet. */
async function authority(
  t: TestContext,
  answer: (sha256: string) => unknown,
): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer({ key: readFileSync(ca.leafKey), cert: readFileSync(ca.chain) }, (request, response) => {
    requests.push(request.url ?? '');
    const [, sha256] = /^\/root\/([0-9a-f]{64})$/.exec(request.url ?? '') ?? [];
    const body = sha256 === undefined ? { ok: true } : answer(sha256);
    response.writeHead(body === null ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  server.on('tlsClientError', () => {});
  const { port, close } = await startTcpServer(server, '127.0.0.1', 0);
  t.after(close);
  return { url: `https://localhost:${port}`, requests };
}

const honest = (sha256: string): unknown =>
  sha256 === ca.rootFingerprint ? { ca: readFileSync(ca.root, 'utf8') } : null;

test(
  'after an installation by fingerprint curl, openssl, Node and Python trust the server, and after the removal none',
  needs('update-ca-certificates', 'curl', 'python3'),
  async (t) => {
    const { url } = await authority(t, honest);
    const directory = scratch(t);
    const bundle = join(directory, 'etc/ssl/certs/ca-certificates.crt');
    const python = `import ssl, sys, urllib.request\nurllib.request.urlopen(sys.argv[1], context=ssl.create_default_context(cafile=sys.argv[2]))`;
    const node = `require('node:https').get(process.argv[1], (answer) => answer.resume()).on('error', () => process.exit(60))`;
    const clients = async (anchor: string): Promise<(number | null)[]> => [
      (await run('curl', ['-sS', '--cacert', bundle, '--capath', '/nonexistent', url])).status,
      (await run('python3', ['-c', python, url, bundle])).status,
      (await run(process.execPath, ['-e', node, url], { NODE_EXTRA_CA_CERTS: anchor })).status,
      openssl([
        'verify',
        '-no-CAfile',
        '-no-CAstore',
        '-CApath',
        join(directory, 'etc/ssl/certs'),
        '-untrusted',
        ca.chain,
        ca.leaf,
      ]).status,
    ];
    const fingerprint = (ca.rootFingerprint.toUpperCase().match(/../g) ?? []).join(':');
    const options = ['--root-directory', directory, '--fingerprint', fingerprint];

    const installed = await trust('install', '--url', url, ...options, '--json');
    const { stores, ...rest } = JSON.parse(installed.stdout);
    assert.deepEqual(rest, { ok: true, fingerprint: ca.rootFingerprint });
    const anchor: string = stores[0].path;
    assert.deepEqual(stores, [{ store: 'system', changed: true, path: anchor }]);
    assert.match(
      anchor,
      new RegExp(`^${directory}/usr/local/share/ca-certificates/test-root-${ca.rootFingerprint.slice(0, 8)}\\.crt$`),
    );
    assert.equal(statSync(anchor).mode & 0o777, 0o644);
    assert.deepEqual(await clients(anchor), [0, 0, 0, 0]);

    const before = tree(directory);
    const again = await trust('install', '--url', url, ...options);
    assert.match(again.stdout, /already in the system store[\s\S]*Nothing was changed\./);
    assert.doesNotMatch(again.stdout, /NODE_EXTRA_CA_CERTS/);
    assert.deepEqual(tree(directory), before);

    const removed = await trust('uninstall', ...options, '--json');
    assert.deepEqual(JSON.parse(removed.stdout).stores, [{ store: 'system', changed: true, path: anchor }]);
    assert.deepEqual(
      tree(directory).filter((path) => statSync(join(directory, path)).isFile()),
      [],
    );
    writeFileSync(bundle, '');
    assert.ok((await clients('/nonexistent')).every((status) => status !== 0));
    assert.deepEqual(JSON.parse((await trust('uninstall', ...options, '--json')).stdout).stores[0].changed, false);
  },
);

test('people are told what was done and which programs look elsewhere', needs('update-ca-certificates'), async (t) => {
  const directory = scratch(t);
  const { stdout } = await trust(
    'install',
    '--root',
    ca.root,
    '--fingerprint',
    ca.rootFingerprint,
    '--root-directory',
    directory,
    '--name',
    'estate',
  );
  const anchor = `${directory}/usr/local/share/ca-certificates/estate.crt`;
  assert.ok(stdout.includes(`added to the system store: ${anchor}`));
  for (const line of [
    `NODE_EXTRA_CA_CERTS=${anchor}`,
    `REQUESTS_CA_BUNDLE=${directory}/etc/ssl/certs/ca-certificates.crt`,
    `keytool -importcert`,
    'trust install --store nss',
  ])
    assert.ok(stdout.includes(line), line);
  assert.equal((await trust('uninstall', '--name', 'estate', '--root-directory', directory)).status, 0);
  assert.equal(existsSync(anchor), false);
});

test('without a fingerprint nothing is even fetched, and the reason is given (W-14)', async (t) => {
  const { url, requests } = await authority(t, honest);
  const directory = scratch(t);
  for (const source of [
    ['--url', url],
    ['--root', ca.root],
  ]) {
    const { status, stderr } = await trust('install', ...source, '--root-directory', directory);
    assert.equal(status, 2);
    assert.match(stderr, /fingerprint is needed.*\(fingerprint-required\)/);
  }
  for (const fingerprint of ['abcd', ca.rootFingerprint.slice(0, 40), 'sha256']) {
    const { status, stdout } = await trust(
      'install',
      '--url',
      url,
      '--root-directory',
      directory,
      '--fingerprint',
      fingerprint,
      '--json',
    );
    assert.equal(status, 2);
    assert.equal(JSON.parse(stdout).error.code, 'fingerprint-required');
  }
  assert.deepEqual(requests, []);
  assert.deepEqual(tree(directory), []);
});

test('whatever does not have the fingerprint is refused, and nothing is written', async (t) => {
  const pem = (path: string): unknown => ({ ca: readFileSync(path, 'utf8') });
  for (const [who, answer] of [
    ['an authority that does not know it', () => null],
    ['somebody in between with a root of his own', () => pem(ca.otherRoot)],
    [
      'somebody who sends no certificate',
      () => ({ ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }),
    ],
    ['somebody who sends nonsense', () => ({ ca: 'nonsense' })],
    ['somebody who sends something else', () => [1]],
  ] as const) {
    const { url } = await authority(t, answer);
    const directory = scratch(t);
    const { status, stdout } = await trust(
      'install',
      '--url',
      url,
      '--fingerprint',
      ca.rootFingerprint,
      '--root-directory',
      directory,
      '--json',
    );
    assert.equal(status, 1, who);
    assert.equal(JSON.parse(stdout).error.code, 'fingerprint-mismatch', who);
    assert.deepEqual(tree(directory), [], who);
  }
  const directory = scratch(t);
  const { status, stderr } = await trust(
    'install',
    '--root',
    ca.root,
    '--fingerprint',
    '0'.repeat(64),
    '--root-directory',
    directory,
  );
  assert.equal(status, 1);
  assert.match(stderr, /fingerprint-mismatch/);
  assert.deepEqual(tree(directory), []);
});

test('only the self-signed certificate of an authority is trusted, not what the guides install (W-16)', async (t) => {
  const directory = scratch(t);
  for (const path of [ca.leaf, ca.intermediate, ca.guideWithoutNames, ca.guideWithoutDigitalSignature]) {
    const { status, stdout } = await trust(
      'install',
      '--root',
      path,
      '--fingerprint',
      ca.fingerprintOf(path),
      '--root-directory',
      directory,
      '--json',
    );
    assert.equal(status, 1, path);
    assert.equal(JSON.parse(stdout).error.code, 'trust-root-refused', path);
    assert.deepEqual(tree(directory), [], path);
  }
});

test('a wrong address, store or name is wrong usage; nobody there is exit status 3', async (t) => {
  const directory = scratch(t);
  const known = ['--fingerprint', ca.rootFingerprint, '--root-directory', directory];
  for (const args of [
    ['install', '--url', 'http://localhost:1', ...known],
    ['install', '--url', 'https://localhost:1', '--root', ca.root, ...known],
    ['install', '--root', ca.root, ...known, '--store', 'windows'],
    ['install', '--root', ca.root, ...known, '--name', '../../etc/x'],
    ['uninstall'],
  ])
    assert.equal((await trust(...args)).status, 2, args.join(' '));
  assert.equal((await trust('install', '--url', 'https://localhost:1', ...known)).status, 3);
  assert.deepEqual(tree(directory), []);
});

test('NSS databases: installed for servers, once, and removed (certutil)', needs('certutil'), async (t) => {
  const directory = join(scratch(t), 'nssdb');
  const options = ['--fingerprint', ca.rootFingerprint, '--nss-directory', directory, '--json'];
  const changes: boolean[] = [];
  for (const args of [['install', '--root', ca.root], ['install', '--root', ca.root], ['uninstall'], ['uninstall']]) {
    const { stores } = JSON.parse((await trust(...args, ...options)).stdout);
    assert.deepEqual([stores.length, stores[0].store, stores[0].path], [1, 'nss', directory]);
    changes.push(stores[0].changed);
    if (changes.length === 1) {
      // L: as an authority for TLS servers.
      const valid = spawnSync('certutil', [
        '-V',
        '-u',
        'L',
        '-d',
        `sql:${directory}`,
        '-n',
        `test-root-${ca.rootFingerprint.slice(0, 8)}`,
      ]);
      assert.match(String(valid.stdout), /certificate is valid/);
      assert.match(
        String(spawnSync('certutil', ['-L', '-d', `sql:${directory}`]).stdout),
        /test-root-[0-9a-f]{8}\s+C,,/,
      );
    }
  }
  assert.deepEqual(changes, [true, false, true, false]);
  assert.equal(existsSync(directory), false);
});

test('the bundle of an authority: its own from its state, another’s by fingerprint, as a file with --out', async (t) => {
  const state = join(scratch(t), 'state');
  assert.equal(fullchain(['bundle-is-no-command']).status, 2);
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  const own = readFileSync(join(state, 'certs/root_ca.crt'), 'utf8');
  assert.equal((await trust('bundle', '--state', state)).stdout, own);

  const { url } = await authority(t, honest);
  const out = join(scratch(t), 'roots.pem');
  const { stdout } = await trust('bundle', '--url', url, '--fingerprint', ca.rootFingerprint, '--out', out, '--json');
  const { ok, roots } = JSON.parse(stdout);
  assert.deepEqual(
    [ok, roots.length, roots[0].fingerprint, roots[0].subject],
    [true, 1, ca.rootFingerprint, 'CN=Test Root'],
  );
  assert.equal(ca.fingerprintOf(out), ca.rootFingerprint);
  assert.equal(statSync(out).mode & 0o777, 0o644);
  assert.equal((await trust('bundle', '--url', url)).status, 2);
  assert.equal((await trust('bundle', '--state', join(state, 'none'))).status, 1);
});

test(
  'a host that trusts a running authority by its fingerprint reaches it without -k (R068)',
  needs('update-ca-certificates', 'curl'),
  async (t) => {
    const { ready } = await up(t, join(scratch(t), 'state'), ['--dns', 'localhost,127.0.0.1']);
    const directory = scratch(t);
    const bundle = join(directory, 'etc/ssl/certs/ca-certificates.crt');
    assert.equal(
      (
        await trust(
          'install',
          '--url',
          ready.url,
          '--fingerprint',
          ready.rootFingerprint,
          '--root-directory',
          directory,
        )
      ).status,
      0,
    );
    const health = await run('curl', [
      '-sS',
      '--fail',
      '--cacert',
      bundle,
      '--capath',
      '/nonexistent',
      `${ready.url}/health`,
    ]);
    assert.equal(JSON.parse(health.stdout).status, 'ok');
  },
);
