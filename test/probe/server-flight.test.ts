/** What a server sends, as it sends it: against openssl s_server and Node.js, and against bytes that nobody sends. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect, createServer as createPlainServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { SUITES_12, SUITES_13, suiteName } from '../../src/core/tls/cipher-suites.ts';
import { ALL_GROUPS, GROUPS_12 } from '../../src/core/tls/named-groups.ts';
import type { ProtocolVersion } from '../../src/core/tls/protocol-version.ts';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { FlightReader } from '../../src/edge/probe/flight-reader.ts';
import { readFlight } from '../../src/edge/probe/server-flight.ts';
import { handshake } from '../../src/edge/probe/service-handshake.ts';
import { openssl, scratch } from '../ca/command-line.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { startServer } from '../servers/process.ts';
import { testAuthority } from '../services/test-authority.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';

const skip = skipWithout('openssl');
const authority = testAuthority();
const { chain, key } = authority.issue(['serverAuth']);
const [leaf = '', intermediate = ''] = chain.match(/-----BEGIN[\s\S]*?END CERTIFICATE-----\n/g) ?? [];

/** Sends leaf, root, intermediate: an order that no client would build. */
async function sServer(t: TestContext, ...args: readonly string[]): Promise<number> {
  const directory = scratch(t);
  const at = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const port = await freePort();
  const server = await startServer(
    'openssl',
    [
      's_server',
      '-accept',
      String(port),
      '-cert',
      at('leaf', leaf),
      '-key',
      at('key', key),
      '-cert_chain',
      at('rest', authority.ca + intermediate),
      '-CAfile',
      at('ca', authority.ca),
      '-www',
      '-quiet',
      ...args,
    ],
    { isReady: () => acceptsConnections(port) },
  );
  t.after(() => server.stop());
  return port;
}

const fingerprints = (ders: readonly Uint8Array[] | null | undefined): readonly string[] =>
  (ders ?? []).map((der) => parseCertificate(der).fingerprint);
const SENT = fingerprints([leaf, authority.ca, intermediate].map(derOf));

function derOf(pem: string): Uint8Array {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}

const CASES: readonly (readonly [what: string, ...args: string[]])[] = [
  ['TLS 1.2', '-tls1_2'],
  ['TLS 1.3', '-tls1_3'],
  ['TLS 1.3 after a HelloRetryRequest', '-tls1_3', '-groups', 'P-384'],
  ['TLS 1.3 with AES-256', '-tls1_3', '-ciphersuites', 'TLS_AES_256_GCM_SHA384'],
  ['TLS 1.3 with AES-128', '-tls1_3', '-ciphersuites', 'TLS_AES_128_GCM_SHA256'],
  ['TLS 1.3 with ChaCha20', '-tls1_3', '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256'],
];

for (const [what, ...args] of CASES) {
  for (const asks of [false, true]) {
    test(`${what}${asks ? ', and asks for a client certificate' : ''}: the chain as sent, and who is accepted`, {
      skip,
    }, async (t) => {
      const port = await sServer(t, ...args, ...(asks ? ['-verify', '1'] : []));
      const result = await handshake({
        protocol: 'tls',
        address: { host: '127.0.0.1', port },
        serverName: 'localhost',
        anchors: null,
        exchange: false,
        flight: true,
        chain: true,
        timeoutMs: 5000,
      });
      assert.ok(result.kind === 'established', JSON.stringify(result));
      assert.deepEqual(fingerprints(result.flight?.chain), SENT);
      assert.deepEqual(fingerprints(result.chain), SENT);
      const subject = parseCertificate(derOf(authority.ca)).subject.raw;
      assert.deepEqual(
        result.flight?.acceptedAuthorities?.map((name) => Buffer.from(name).toString('hex')),
        asks ? [Buffer.from(subject).toString('hex')] : undefined,
      );
    });
  }
}

test('a server that refuses who has no certificate has still sent its chain', { skip }, async (t) => {
  const port = await sServer(t, '-tls1_2', '-Verify', '1');
  const result = await handshake({
    protocol: 'tls',
    address: { host: '127.0.0.1', port },
    serverName: null,
    anchors: null,
    exchange: false,
    flight: true,
    timeoutMs: 5000,
  });
  assert.equal(result.kind, 'refused');
  assert.deepEqual(fingerprints(result.flight?.chain), SENT);
});

function ask(port: number, version: ProtocolVersion, suites: readonly number[], groups: readonly number[]) {
  return readFlight({
    protocol: 'tls',
    address: { host: '127.0.0.1', port },
    timeoutMs: 5000,
    hello: { version, suites, groups, serverName: 'localhost', alpn: [], statusRequest: false },
  });
}

test('a hello of our own: the choice of the server, in every version that it has', { skip }, async (t) => {
  const port = await sServer(t, '-cipher', 'ALL:@SECLEVEL=0', '-groups', 'P-256');
  for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2'] as const) {
    const found = await ask(port, version, SUITES_12, GROUPS_12);
    assert.ok(found.kind === 'flight', version);
    assert.deepEqual([found.hello.version, found.group], [version, 0x17]);
    assert.match(suiteName(found.hello.suite), /^TLS_ECDHE_ECDSA_/);
    assert.deepEqual(fingerprints(found.chain), SENT);
  }
  const found = await ask(port, 'TLSv1.3', SUITES_13, ALL_GROUPS);
  assert.ok(found.kind === 'flight');
  assert.deepEqual(
    [found.hello.version, found.hello.isRetry, found.group],
    ['TLSv1.3', true, 0x17],
    'it asks for its group',
  );
  assert.deepEqual(await ask(port, 'SSLv3', SUITES_12, []), { kind: 'alert', code: 40 });
});

test('X25519MLKEM768 is seen at a server that has it', async (t) => {
  const server = await startTcpServer(
    createTlsServer({ cert: chain, key, ecdhCurve: 'X25519MLKEM768' }),
    '127.0.0.1',
    0,
  );
  t.after(server.close);
  const found = await ask(server.port, 'TLSv1.3', SUITES_13, ALL_GROUPS);
  assert.ok(found.kind === 'flight');
  assert.equal(found.group, 0x11ec);
  assert.equal((await ask(server.port, 'TLSv1.3', SUITES_13, [0x17])).kind, 'alert');
});

test('a prime of Diffie-Hellman is measured', { skip }, async (t) => {
  const directory = scratch(t);
  const [cert, rsa] = [join(directory, 'cert'), join(directory, 'key')];
  assert.equal(
    openssl(['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', rsa, '-out', cert, '-subj', '/CN=localhost'])
      .status,
    0,
  );
  const port = await freePort();
  const server = await startServer(
    'openssl',
    [
      's_server',
      '-accept',
      String(port),
      '-cert',
      cert,
      '-key',
      rsa,
      '-www',
      '-quiet',
      '-tls1_2',
      '-cipher',
      'DHE-RSA-AES128-GCM-SHA256',
    ],
    { isReady: () => acceptsConnections(port) },
  );
  t.after(() => server.stop());
  const found = await ask(port, 'TLSv1.2', SUITES_12, GROUPS_12);
  assert.ok(found.kind === 'flight');
  assert.deepEqual([suiteName(found.hello.suite), found.primeBits], ['TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', 2048]);
});

/** xorshift32: the same bytes at each run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

test('bytes that nobody sends never end more than the look', async (t) => {
  const server = createTlsServer({ cert: chain + authority.ca, key, requestCert: true, maxVersion: 'TLSv1.2' });
  const tls = await startTcpServer(server, '127.0.0.1', 0);
  t.after(tls.close);
  const real = await recorded(t, tls.port);
  assert.equal(new FlightReader(null).take(real)?.kind, 'flight');
  const random = randomFrom(20261125);
  const kinds = new Set<string>();
  for (let run = 0; run < 20_000; run++) {
    const bytes = Uint8Array.from(real);
    for (let changes = 1 + Math.floor(random() * 4); changes > 0; changes--)
      bytes[Math.floor(random() * bytes.byteLength)] = Math.floor(random() * 256);
    const end = random() < 0.3 ? Math.floor(random() * bytes.byteLength) : bytes.byteLength;
    const cut = Math.floor(random() * end);
    const reader = new FlightReader(null);
    const found = reader.take(bytes.subarray(0, cut)) ?? reader.take(bytes.subarray(cut, end)) ?? reader.atEnd();
    kinds.add(found.kind);
  }
  assert.deepEqual(
    [...kinds].sort(),
    ['alert', 'closed', 'flight', 'not-tls'].filter((kind) => kinds.has(kind)),
  );
  assert.ok(kinds.has('flight') && kinds.has('not-tls'), [...kinds].join());
});

/** The first flight of a TLS server, as it comes over the wire. */
async function recorded(t: TestContext, port: number): Promise<Uint8Array> {
  const heard: Buffer[] = [];
  const relay = await startTcpServer(
    createPlainServer((client: Socket) => {
      const upstream = connect(port, '127.0.0.1');
      upstream.on('data', (chunk: Buffer) => heard.push(chunk));
      client
        .on('error', () => {})
        .pipe(upstream)
        .on('error', () => {})
        .pipe(client);
    }),
    '127.0.0.1',
    0,
  );
  t.after(relay.close);
  await ask(relay.port, 'TLSv1.2', SUITES_12, GROUPS_12);
  return Buffer.concat(heard);
}
