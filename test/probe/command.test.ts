/** `fullchain probe` as people and programs use it: verdict, findings, exit status, and where it looks. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { fullchain, scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { run } from '../servers/process.ts';
import { testAuthority } from '../services/test-authority.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { opensslPairs } from './openssl-pairs.ts';
import { idsOf, probeJson, probeOne, runProbe } from './run-probe.ts';

const pairs = opensslPairs();
const files = { cert: readFileSync(pairs.ecdsa.cert), key: readFileSync(pairs.ecdsa.key) };
const GOOD = { ...files, minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768:X25519' } as const;

async function serveTls(t: TestContext, options: TlsOptions = GOOD, host = '127.0.0.1'): Promise<number> {
  const server = await startTcpServer(createTlsServer(options), host, 0);
  t.after(server.close);
  return server.port;
}

test('nothing is wrong: one line says so, and the exit status is 0', async (t) => {
  const port = await serveTls(t);
  const { status, stdout } = await runProbe(`127.0.0.1:${port}`, '--ca', pairs.ca);
  assert.equal(status, 0, stdout);
  assert.match(
    stdout,
    /^✓ A\+ 127\.0\.0\.1:\d+ {2}· {2}TLS 1\.3 {2}· {2}CN=ecdsa, .* {2}· {2}trusted by CN=probe-root\n$/,
  );
});

test('a root that is not trusted: verdict, cause, the next command; -v says more', async (t) => {
  const port = await serveTls(t);
  const { status, stdout } = await runProbe(`127.0.0.1:${port}`, '--ca', pairs.otherCa);
  assert.equal(status, 1);
  const [verdict, cause, ...next] = stdout.trimEnd().split('\n');
  assert.match(verdict ?? '', /^✗ F {2}127\.0\.0\.1:/);
  assert.match(cause ?? '', /error.*CN=probe-root.*\(unknown-ca\)/);
  // The root was not sent: it might be an intermediate.
  assert.match(next.join('\n'), /^ {4}error.*\(chain-incomplete\)\n {4}\w.*\n {4}next: fullchain \w+/);
  const more = await runProbe(`127.0.0.1:${port}`, '--ca', pairs.otherCa, '-v');
  for (const wanted of [
    'TLS_AES_256_GCM_SHA384',
    'X25519MLKEM768',
    'no certificate is asked for',
    'would also accept an impostor',
  ])
    assert.ok(more.stdout.includes(wanted), `${wanted} in ${more.stdout}`);
});

test('the shape of --json is what programs rely on', async (t) => {
  const port = await serveTls(t);
  const { ok, targets } = await probeJson(`localhost:${port}`, '--connect', '127.0.0.1', '--ca', pairs.ca);
  const [target] = targets;
  assert.equal(ok, true);
  assert.deepEqual(target && { ...target, chain: target.chain.length, suites: target.suites.length }, {
    target: `localhost:${port}`,
    host: 'localhost',
    address: '127.0.0.1',
    reachable: true,
    starttls: null,
    protocols: ['TLSv1.3'],
    suites: 3,
    serverOrder: null,
    groups: ['X25519MLKEM768', 'x25519'],
    alpn: [],
    alpnMismatch: 'ignored',
    chain: 1,
    otherChains: [],
    names: ['localhost', 'service.internal', '127.0.0.1', '::1'],
    trust: { ok: true, why: null, anchor: 'CN=probe-root' },
    ocspStapling: false,
    sessionTickets: true,
    clientCertificate: 'none',
    acceptedAuthorities: [],
    hsts: null,
    redirects: [],
    grade: { letter: 'A+', isUpperBound: false, next: [] },
    complete: true,
    gaps: [],
    traces: [],
    untried: [],
    findings: [],
  });
  assert.deepEqual(Object.keys(target?.chain[0] ?? {}), [
    'subject',
    'issuer',
    'serial',
    'notBefore',
    'notAfter',
    'fingerprint',
    'key',
  ]);
  assert.match(target?.chain[0]?.notAfter ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.deepEqual(target?.suites[0], { protocol: 'TLSv1.3', name: 'TLS_AES_256_GCM_SHA384', code: '0x1302' });
});

test('every address behind a name is an entry of its own', async (t) => {
  const server = await startTcpServer(createTlsServer(GOOD), '127.0.0.1', 0);
  t.after(server.close);
  const { lookup } = await import('node:dns/promises');
  const addresses = (await lookup('localhost', { all: true })).map(({ address }) => address);
  const { targets } = await probeJson(`localhost:${server.port}`, '--ca', pairs.ca);
  assert.deepEqual(
    targets.map(({ target, address, reachable }) => [target, address, reachable]),
    addresses.map((address) => [`localhost:${server.port}`, address, address === '127.0.0.1']),
  );
});

test('the authority of the state directory is trusted without being named', async (t) => {
  const state = join(scratch(t), 'state');
  const [cert, key] = [join(scratch(t), 'db.crt'), join(scratch(t), 'db.key')];
  assert.equal(fullchain(['ca', 'init', '--state', state, '--name', 'Probed']).status, 0);
  const issued = fullchain(['cert', 'issue', 'localhost', '--cert', cert, '--key', key, '--state', state]);
  assert.equal(issued.status, 0, issued.stderr);
  const port = await serveTls(t, { ...GOOD, cert: readFileSync(cert), key: readFileSync(key) });
  const target = await probeOne(`localhost:${port}`, '--connect', '127.0.0.1', '--state', state);
  assert.deepEqual([target.trust.ok, idsOf(target)], [true, []]);
  assert.match(target.trust.anchor ?? '', /Probed/);
  const other = await probeOne(`localhost:${port}`, '--connect', '127.0.0.1', '--state', state, '--ca', pairs.ca);
  assert.deepEqual([other.trust.ok, idsOf(other)], [false, ['unknown-ca']], '--ca stands in its place');
});

test('the name that is asked for is the target’s, wherever it is dialled', async (t) => {
  const port = await serveTls(t);
  const at = (target: string) => probeOne(target, '--connect', `127.0.0.1:${port}`, '--ca', pairs.ca);
  const [right, wrong] = [await at('service.internal:9000'), await at('orders.internal:9000')];
  assert.deepEqual([idsOf(right), right.address], [[], '127.0.0.1']);
  const [finding] = wrong.findings;
  assert.deepEqual([finding?.id, finding?.severity, wrong.trust.ok], ['name-mismatch', 'error', true]);
  assert.match(finding?.what ?? '', /localhost, .*service\.internal.*not for orders\.internal/);
  assert.match(finding?.remedy.command ?? '', /^fullchain cert issue orders\.internal /);
});

test('a missing intermediate is told from an unknown root, where it is known', async (t) => {
  const authority = testAuthority();
  const { chain, key, ca } = authority.issue(['serverAuth']);
  const [leaf = '', intermediate = ''] = chain.match(/-----BEGIN[\s\S]*?END CERTIFICATE-----\n/g) ?? [];
  const port = await serveTls(t, { ...GOOD, cert: leaf, key });
  const at = (name: string, pem: string): string => {
    const path = join(scratch(t), name);
    writeFileSync(path, pem);
    return path;
  };
  const args = [`127.0.0.1:${port}`, '--ca', at('ca', ca)];
  const guessed = await probeOne(...args);
  assert.deepEqual(idsOf(guessed), ['unknown-ca', 'chain-incomplete']);
  assert.ok(guessed.findings.every(({ confidence }) => confidence === 'likely'));
  const known = await probeOne(...args, '--intermediates', at('intermediate', intermediate));
  assert.deepEqual(idsOf(known), ['chain-incomplete']);
  assert.match(known.findings[0]?.what ?? '', /intermediate/);
});

test('many targets from a file; what cannot be reached is told, and the exit status says which it was', async (t) => {
  const [port, closed] = [await serveTls(t), await freePort()];
  const list = join(scratch(t), 'targets');
  writeFileSync(list, `# ours\n127.0.0.1:${port}\n\n127.0.0.1:${closed}  # nobody\nno-such-host.invalid:443\n`);
  const all = await probeJson('--file', list, '--ca', pairs.ca);
  assert.deepEqual(
    all.targets.map((target) => [target.reachable, idsOf(target)[0] ?? 'good']),
    [
      [true, 'good'],
      [false, 'connection-refused'],
      [false, 'name-not-resolved'],
    ],
  );
  assert.deepEqual([all.status, all.ok], [3, false]);
  assert.equal((await probeJson('--file', list, '--ca', pairs.otherCa)).status, 1, 'something else is wrong too');
});

for (const args of [
  [],
  ['db.internal'],
  ['gopher://x'],
  ['http-01://www.example.org'],
  ['x:443', '--starttls', 'nntp'],
  ['x:443', '--client-cert', 'a'],
])
  test(`probe ${args.join(' ')} is wrong usage`, async () => {
    const { status, output } = await runProbe(...args);
    assert.equal(status, 2, output);
  });

test('an expired certificate, and one that is about to: with openssl’s own clock', {
  skip: skipWithout('openssl'),
}, async (t) => {
  const directory = scratch(t);
  const at = (name: string): string => join(directory, name);
  writeFileSync(at('ext'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n');
  writeFileSync(at('index'), '');
  writeFileSync(
    at('ca.cnf'),
    `[ca]\ndefault_ca=d\n[d]\ndatabase=${at('index')}\nnew_certs_dir=${directory}\nserial=${at('serial')}\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n`,
  );
  const issue = async (start: string, end: string): Promise<number> => {
    const key = at(`${start}.key`);
    const request = ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
    await run('openssl', [...request, '-out', at('csr'), '-subj', `/CN=${start}`]);
    const by = [
      '-cert',
      pairs.ca,
      '-keyfile',
      join(pairs.directory, 'probe-root.key'),
      '-extfile',
      at('ext'),
      '-rand_serial',
      '-batch',
      '-notext',
    ];
    const made = await run('openssl', [
      'ca',
      '-config',
      at('ca.cnf'),
      '-in',
      at('csr'),
      '-out',
      at(`${start}.crt`),
      '-startdate',
      start,
      '-enddate',
      end,
      ...by,
    ]);
    assert.equal(made.status, 0, made.output);
    return serveTls(t, { ...GOOD, cert: readFileSync(at(`${start}.crt`)), key: readFileSync(key) });
  };
  const asn1 = (daysFromNow: number): string =>
    `${new Date(Date.now() + daysFromNow * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '')}`;
  const seen = async (start: number, end: number): Promise<readonly string[]> =>
    idsOf(await probeOne(`127.0.0.1:${await issue(asn1(start), asn1(end))}`, '--ca', pairs.ca));
  assert.deepEqual(await seen(-90, -1), ['certificate-expired']);
  assert.deepEqual(await seen(1, 90), ['certificate-not-yet-valid']);
  assert.deepEqual(await seen(-88, 2), ['certificate-expiring']);
  assert.deepEqual(await seen(-45, 45), []);
});

test('names in another script, absolute names and upper case: asked for as DNS and certificates have them', async (t) => {
  const asked: (string | false | null)[] = [];
  const tls = createTlsServer(GOOD, (socket) => asked.push(socket.servername));
  const server = await startTcpServer(tls, '127.0.0.1', 0);
  t.after(server.close);
  const look = (name: string, ...more: readonly string[]) =>
    runProbe(`${name}:${server.port}`, '--connect', '127.0.0.1', '--ca', pairs.ca, ...more);
  const foreign = await look('bücher.example');
  assert.match(
    foreign.stdout,
    new RegExp(`^✗ .*bücher\\.example:${server.port} \\(xn--bcher-kva\\.example\\) at 127\\.0\\.0\\.1`),
  );
  assert.match(foreign.stdout, /not for xn--bcher-kva\.example.*\(name-mismatch\)/);
  assert.deepEqual([...new Set(asked.splice(0))], ['xn--bcher-kva.example']);
  const { targets } = JSON.parse((await look('LocalHost.', '--json')).stdout);
  assert.deepEqual(
    [targets[0].target, targets[0].host, targets[0].findings],
    [`LocalHost.:${server.port}`, 'localhost.', []],
  );
  assert.deepEqual([...new Set(asked.splice(0))], ['localhost']);
});

const [linkLocal] = Object.entries(networkInterfaces()).flatMap(([zone, addresses]) =>
  (addresses ?? []).flatMap(({ address }) => (address.startsWith('fe80:') ? [`${address}%${zone}`] : [])),
);

test('a link-local address with its zone', {
  skip: linkLocal === undefined && 'no link-local address here',
}, async (t) => {
  const server = await startTcpServer(createTlsServer(GOOD), '::', 0);
  t.after(server.close);
  const target = await probeOne(`[${linkLocal}]:${server.port}`, '--ca', pairs.ca);
  assert.deepEqual([target.reachable, target.address, target.host], [true, linkLocal, linkLocal?.replace(/%.*/, '')]);
  assert.deepEqual(idsOf(target), ['name-mismatch']);
});
