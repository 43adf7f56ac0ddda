/** `cert inspect`, `verify` and `lint` against openssl's opinion of openssl's certificates. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { createServer, type TlsOptions } from 'node:tls';
import { fullchain, openssl, type Ran, scratch } from '../ca/command-line.ts';
import { startBlackHole } from '../world/black-hole.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { makeTestAuthority } from './openssl-authority.ts';

const MAIN = new URL('../../src/app/cli/main.ts', import.meta.url).pathname;
const ca = makeTestAuthority();

/** While a server of this process answers. */
function cert(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH, HOME: '/nonexistent', FULLCHAIN_STATE: '/nonexistent' };
    execFile(process.execPath, [MAIN, 'cert', ...args], { env }, (fault, stdout, stderr) =>
      resolve({ status: fault ? (typeof fault.code === 'number' ? fault.code : null) : 0, stdout, stderr }),
    );
  });
}

function x509(path: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = openssl(['x509', '-in', path, '-noout', ...args]);
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

/** "notBefore=2026-11-25 03:10:01Z" → RFC 3339. */
const isoDate = (line: string): string => line.replace(/^\w+=/, '').replace(' ', 'T');

/** Certificates whose every odd field is openssl's: key kinds, serials with a sign octet, dates past 2049. */
const GOLDENS: readonly [string, readonly string[]][] = [
  ['RSA', ['-newkey', 'rsa:2048', '-days', '30']],
  ['P-384 until 2062', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-days', '13000']],
  ['Ed25519', ['-newkey', 'ed25519', '-days', '1']],
  [
    'a serial whose top bit is set',
    ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-set_serial', '0xfedcba9876543210'],
  ],
  ['a serial of one digit', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521', '-set_serial', '7']],
];

for (const [what, options] of GOLDENS)
  test(`inspect agrees with openssl x509: ${what}`, async (t) => {
    const directory = scratch(t);
    const path = join(directory, 'cert.pem');
    const subject = ['-subj', '/C=DE/O=Müller, Söhne & Co/CN=api.internal', '-utf8'];
    const names = [
      '-addext',
      'subjectAltName=DNS:api.internal,DNS:*.api.internal,IP:10.0.0.1,IP:2001:db8::1,email:a@b.c,URI:spiffe://x/y',
    ];
    const made = openssl([
      'req',
      '-x509',
      '-nodes',
      ...options,
      ...subject,
      ...names,
      '-keyout',
      join(directory, 'key'),
      '-out',
      path,
    ]);
    assert.equal(made.status, 0, made.stderr);
    const { status, stdout } = await cert('inspect', path, '--json');
    assert.equal(status, 0);
    const [document] = JSON.parse(stdout).certificates;
    const serial = x509(path, '-serial').replace('serial=', '').toLowerCase();
    assert.equal(document.serial, serial.length % 2 ? `0${serial}` : serial);
    assert.equal(document.fingerprint, ca.fingerprintOf(path));
    assert.equal(document.notBefore, isoDate(x509(path, '-startdate', '-dateopt', 'iso_8601')));
    assert.equal(document.notAfter, isoDate(x509(path, '-enddate', '-dateopt', 'iso_8601')));
    assert.equal(document.subject, x509(path, '-subject', '-nameopt', 'RFC2253,utf8,-esc_msb').replace('subject=', ''));
    assert.deepEqual(document.names, [
      'api.internal',
      '*.api.internal',
      '10.0.0.1',
      '2001:db8::1',
      'a@b.c',
      'spiffe://x/y',
    ]);
    const keyId = x509(path, '-ext', 'subjectKeyIdentifier').split('\n').at(-1) ?? '';
    assert.equal(document.subjectKeyId, keyId.replace(/[:\s]/g, '').toLowerCase());
    const text = await cert('inspect', path);
    assert.ok(text.stdout.includes(document.fingerprint) && text.stdout.includes(document.serial));
  });

test('inspect shows every certificate of a file, not only the first (W-47), and never a private key', async (t) => {
  const path = join(scratch(t), 'all.pem');
  writeFileSync(path, [ca.chain, ca.leafKey, ca.root].map((part) => readFileSync(part, 'utf8')).join(''));
  const { stdout } = await cert('inspect', path);
  for (const subject of ['CN=localhost', 'CN=Test Intermediate', 'CN=Test Root'])
    assert.match(stdout, new RegExp(`^certificate  ${subject}$`, 'm'));
  assert.match(stdout, /a private key, not shown \(PRIVATE KEY\)/);
  const secret = readFileSync(ca.leafKey, 'utf8').split('\n')[1] ?? 'x';
  const json = (await cert('inspect', path, '--json')).stdout;
  for (const output of [stdout, json]) assert.equal(output.includes(secret), false);
  assert.deepEqual(
    JSON.parse(json).certificates.map(({ subject }: { subject: string }) => subject),
    ['CN=localhost', 'CN=Test Intermediate', 'CN=Test Root'],
  );
});

test('inspect reads DER, requests, revocation lists and standard input', async (t) => {
  const directory = scratch(t);
  const der = join(directory, 'leaf.der');
  openssl(['x509', '-in', ca.leaf, '-outform', 'DER', '-out', der]);
  assert.equal(
    JSON.parse((await cert('inspect', der, '--json')).stdout).certificates[0].fingerprint,
    ca.fingerprintOf(ca.leaf),
  );

  const csr = await cert('inspect', join(ca.directory, 'leaf.csr'));
  assert.match(csr.stdout, /^certificate request {2}CN=localhost[\s\S]*made with this key/);

  const config = join(directory, 'ca.cnf');
  writeFileSync(
    config,
    `[ca]\ndefault_ca=d\n[d]\ndatabase=${directory}/index\ncrlnumber=${directory}/number\ndefault_md=sha256\ndefault_crl_days=7\n`,
  );
  writeFileSync(join(directory, 'index'), 'R\t300101000000Z\t261101000000Z,keyCompromise\tABCD\tunknown\t/CN=gone\n');
  writeFileSync(join(directory, 'number'), '10\n');
  const crl = join(directory, 'list.crl');
  const made = openssl([
    'ca',
    '-config',
    config,
    '-gencrl',
    '-cert',
    ca.root,
    '-keyfile',
    join(ca.directory, 'root.key'),
    '-out',
    crl,
  ]);
  assert.equal(made.status, 0, made.stderr);
  const [list] = JSON.parse((await cert('inspect', crl, '--json')).stdout).revocationLists;
  assert.deepEqual(
    [list.issuer, list.number, list.revoked],
    ['CN=Test Root', '16', [{ serial: 'abcd', revokedAt: '2026-11-01T00:00:00Z', reason: 'keyCompromise' }]],
  );

  const piped = spawnSync(process.execPath, [MAIN, 'cert', 'inspect', '-', '--json'], {
    input: readFileSync(ca.chain),
    encoding: 'utf8',
  });
  assert.equal(JSON.parse(piped.stdout).certificates.length, 2);
});

test('inspect of what is damaged shows the rest and exits with 1; of what is not there, the way to write a server', async (t) => {
  const path = join(scratch(t), 'cut-off.pem');
  writeFileSync(path, readFileSync(ca.chain, 'utf8').slice(0, -200));
  const { status, stdout } = await cert('inspect', path);
  assert.equal(status, 1);
  assert.match(stdout, /^certificate {2}CN=localhost[\s\S]*unreadable: the last block \(CERTIFICATE\) has no END line/);
  const missing = await cert('inspect', 'db.internal');
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /a server is written host:port/);
});

async function serve(t: TestContext, options: TlsOptions = {}): Promise<string> {
  const server = createServer({ key: readFileSync(ca.leafKey), cert: readFileSync(ca.chain), ...options });
  server.on('tlsClientError', () => {}).on('secureConnection', (socket) => socket.on('error', () => {}));
  const { port, close } = await startTcpServer(server, '127.0.0.1', 0);
  t.after(close);
  return `localhost:${port}`;
}

test('inspect, verify and lint take what a server sends, verified or not (R220)', async (t) => {
  const target = await serve(t);
  const inspected = await cert('inspect', target);
  assert.match(inspected.stdout, /sends 2 certificates, in this order:[\s\S]*CN=localhost[\s\S]*CN=Test Intermediate/);
  assert.equal((await cert('verify', target, '--ca', ca.root)).status, 0);
  const stranger = JSON.parse((await cert('verify', target, '--ca', ca.otherRoot, '--json')).stdout);
  assert.deepEqual([stranger.ok, stranger.findings[0].id], [false, 'unknown-ca']);
  const misnamed = JSON.parse(
    (await cert('verify', target, '--ca', ca.root, '--name', 'db.internal', '--json')).stdout,
  );
  assert.deepEqual(
    misnamed.findings.map(({ id }: { id: string }) => id),
    ['name-mismatch'],
  );
  assert.equal((await cert('lint', target)).status, 0);
});

test('a server that does not answer costs the time that was given, and exit status 3', async (t) => {
  const hole = await startBlackHole();
  t.after(() => hole.close());
  const before = performance.now();
  const { status, stderr } = await cert('inspect', `127.0.0.1:${hole.port}`, '--timeout', '1');
  assert.ok(performance.now() - before < 5000);
  assert.equal(status, 3);
  assert.match(stderr, /no answer within 1 s/);
});

/** Chain, trusted root, further intermediates, options of ours → what openssl verify says of the same. */
const VERDICTS: readonly [string, string, readonly string[], boolean][] = [
  ['the chain', ca.chain, ['--ca', ca.root], true],
  ['the leaf with its intermediate given', ca.leaf, ['--ca', ca.root, '--intermediates', ca.intermediate], true],
  ['the leaf alone', ca.leaf, ['--ca', ca.root], false],
  ['the chain, another root of the same name', ca.chain, ['--ca', ca.otherRoot], false],
  ['the chain in a hundred days', ca.chain, ['--ca', ca.root, '--at', in100Days()], false],
  ['the chain for clients', ca.chain, ['--ca', ca.root, '--purpose', 'client'], false],
  ['the chain by address', ca.chain, ['--ca', ca.root, '--name', '127.0.0.1'], true],
  ['the chain by another address', ca.chain, ['--ca', ca.root, '--name', '127.0.0.2'], false],
  ['the chain by another name', ca.chain, ['--ca', ca.root, '--name', 'localhost.localdomain'], false],
  ['a root', ca.root, ['--ca', ca.root], true],
];

function in100Days(): string {
  return new Date(Date.now() + 100 * 86400 * 1000).toISOString();
}

function opensslVerdict(path: string, options: readonly string[]): boolean {
  const value = (flag: string): string | undefined =>
    options[options.indexOf(flag) + 1] && options.includes(flag) ? options[options.indexOf(flag) + 1] : undefined;
  const name = value('--name');
  const at = value('--at');
  const isAuthority = path === ca.root;
  const { status } = openssl([
    'verify',
    ...['-no-CApath', '-no-CAstore', '-CAfile', value('--ca') ?? ''],
    ...['-untrusted', path],
    ...(value('--intermediates') ? ['-untrusted', value('--intermediates') ?? ''] : []),
    ...(isAuthority ? [] : ['-purpose', value('--purpose') === 'client' ? 'sslclient' : 'sslserver']),
    ...(name === undefined ? [] : [/^[\d.]+$/.test(name) ? '-verify_ip' : '-verify_hostname', name]),
    ...(at === undefined ? [] : ['-attime', String(Math.floor(Date.parse(at) / 1000))]),
    path,
  ]);
  return status === 0;
}

for (const [what, path, options, accepted] of VERDICTS)
  test(`verify agrees with openssl verify: ${what}`, async () => {
    const { status, stdout } = await cert('verify', path, ...options, '--json');
    assert.equal(opensslVerdict(path, options), accepted);
    assert.equal(status, accepted ? 0 : 1);
    const { ok, findings } = JSON.parse(stdout);
    assert.equal(ok, accepted);
    assert.equal(findings.length > 0, !accepted);
  });

test('verify shows the path with its anchor, or the reason and what to do', async () => {
  const good = await cert('verify', ca.chain, '--ca', ca.root, '--name', 'localhost', '--key', ca.leafKey);
  assert.match(
    good.stdout,
    /^ok: CN=localhost is valid for localhost as a server, and the key belongs to it\nPath:\n {2}CN=localhost .*\n {2}← CN=Test Intermediate .*\n {2}← CN=Test Root .*trusted by /,
  );
  const { path } = JSON.parse((await cert('verify', ca.chain, '--ca', ca.root, '--json')).stdout);
  assert.deepEqual(
    path.map(({ subject }: { subject: string }) => subject),
    ['CN=localhost', 'CN=Test Intermediate', 'CN=Test Root'],
  );
  const bad = await cert('verify', ca.leaf, '--ca', ca.root);
  assert.match(
    bad.stdout,
    /its issuer "CN=Test Intermediate" was neither sent nor is it trusted {2}\(unknown-ca\)\n +If the authority is yours, give its root/,
  );
});

test('verify finds a key that belongs to another certificate, and one that is encrypted needs its password', async (t) => {
  const wrong = JSON.parse(
    (await cert('verify', ca.chain, '--ca', ca.root, '--key', join(ca.directory, 'root.key'), '--json')).stdout,
  );
  assert.deepEqual(
    wrong.findings.map(({ id }: { id: string }) => id),
    ['key-mismatch'],
  );
  const directory = scratch(t);
  const key = join(directory, 'encrypted.key');
  const password = join(directory, 'password');
  openssl(['pkcs8', '-topk8', '-in', ca.leafKey, '-passout', 'pass:secret', '-out', key]);
  writeFileSync(password, 'secret\n', { mode: 0o600 });
  const ask = ['verify', ca.chain, '--ca', ca.root, '--key', key];
  assert.match((await cert(...ask)).stderr, /password-missing/);
  assert.equal((await cert(...ask, '--password-file', password)).status, 0);
  writeFileSync(password, 'guess\n');
  assert.match((await cert(...ask, '--password-file', password)).stderr, /password-wrong/);
  assert.match((await cert('verify', ca.chain, '--ca', ca.root, '--key', ca.leaf)).stderr, /key-unusable/);
});

test('on the authority’s own host its root is trusted, and a missing intermediate of its own is named', async (t) => {
  const directory = scratch(t);
  const state = join(directory, 'state');
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  const [certificate, key] = [join(directory, 'db.crt'), join(directory, 'db.key')];
  const issued = fullchain(['cert', 'issue', 'db.internal', '--cert', certificate, '--key', key, '--state', state]);
  assert.equal(issued.status, 0, issued.stderr);
  const good = fullchain(['cert', 'verify', certificate, '--name', 'db.internal', '--key', key, '--state', state]);
  assert.match(good.stdout, /trusted as the root of this host’s authority/);
  assert.equal(good.status, 0);
  const alone = join(directory, 'leaf.crt');
  openssl(['x509', '-in', certificate, '-out', alone]);
  const incomplete = JSON.parse(fullchain(['cert', 'verify', alone, '--state', state, '--json']).stdout);
  assert.deepEqual(
    incomplete.findings.map(({ id }: { id: string }) => id),
    ['chain-incomplete'],
  );
  assert.equal(fullchain(['cert', 'lint', certificate]).status, 0);
});

test('the system’s store is trusted as a bundle too, oddities in it notwithstanding', async () => {
  const { status, stdout } = await cert('verify', ca.chain, '--json');
  assert.deepEqual([status, JSON.parse(stdout).findings[0].id], [1, 'unknown-ca']);
});

test('the self-signed recipes of the guides are refused in Chromium’s words (W-16)', async () => {
  for (const [path, id, word] of [
    [ca.guideWithoutNames, 'san-missing', 'ERR_CERT_COMMON_NAME_INVALID'],
    [ca.guideWithoutDigitalSignature, 'no-digital-signature', 'ERR_SSL_KEY_USAGE_INCOMPATIBLE'],
  ] as const) {
    const { status, stdout } = await cert('lint', path);
    assert.equal(status, 1);
    assert.match(stdout, new RegExp(`^error +.*${word} +\\(${id}; `, 'm'));
    const { ok, findings } = JSON.parse((await cert('lint', path, '--json')).stdout);
    assert.equal(ok, false);
    assert.match(findings.find((finding: { id: string }) => finding.id === id).what, new RegExp(word));
    assert.equal(findings[0].severity, 'error');
    for (const finding of findings) {
      const shape = ['id', 'severity', 'what', 'section', 'subject', 'where', 'why', 'remedy', 'evidence'];
      assert.deepEqual(Object.keys(finding), shape);
      assert.deepEqual([finding.where, Object.keys(finding.remedy)], [{ target: path }, ['text', 'command']]);
      assert.match(finding.remedy.text, /\w.*\.$/);
    }
  }
});

test('lint judges the first certificate as what it is told to', async () => {
  assert.equal((await cert('lint', ca.chain)).status, 0);
  const { status, stdout } = await cert('lint', ca.chain, '--profile', 'peer', '--json');
  assert.equal(status, 1);
  assert.deepEqual(
    JSON.parse(stdout)
      .findings.filter(({ severity }: { severity: string }) => severity === 'error')
      .map(({ id }: { id: string }) => id),
    ['purpose-missing'],
  );
  assert.equal((await cert('lint', ca.chain, '--profile', 'nonsense')).status, 2);
  assert.equal((await cert('verify', ca.chain, '--at', 'tomorrow')).status, 2);
});
