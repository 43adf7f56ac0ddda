/** What clients print when there is no TLS where they look for it: plaintext, silence, nobody, no name. */
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { run, startServer } from '../servers/process.ts';
import { startBlackHole } from '../world/black-hole.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { assertExplained, type Expected } from './messages-assert.ts';
import { CLIENTS, type Client } from './messages-clients.ts';
import { brokenPairs } from './messages-pairs.ts';
import { type OpensslServer, startOpenssl, writtenSince } from './messages-servers.ts';

const pairs = brokenPairs();
const skip = skipWithout('openssl', 'curl', 'python3', 'gnutls-cli', 'wget');

type Name = keyof typeof CLIENTS;

interface Place {
  readonly serve?: (socket: Socket) => void;
  readonly host?: string;
  readonly port?: () => Promise<number>;
  readonly expect: Expected;
  readonly but?: Partial<Record<Name, Expected | null>>;
}

const SILENT = ['likely plaintext-service', 'likely no-answer'];
const NOT_TLS = ['likely plaintext-service', 'possible starttls-needed'];
const CLOSED = ['likely closed-by-peer', 'possible starttls-needed', 'possible client-certificate-required'];
const RESET = ['likely closed-by-peer', 'possible tls-service', 'possible starttls-needed'];

const PLACES: Readonly<Record<string, Place>> = {
  'plaintext HTTP': {
    serve: (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')),
    expect: NOT_TLS,
  },
  'a greeting of SMTP': {
    serve: (socket) => socket.write('220 mail.internal ESMTP\r\n'),
    expect: NOT_TLS,
  },
  'silence, as of plaintext Redis': {
    serve: () => {},
    expect: SILENT,
    but: {
      'openssl s_client': null,
      'gnutls-cli': null,
      'Node.js': null,
      Wget: ['likely no-answer', 'likely closed-by-peer', 'possible plaintext-service'],
    },
  },
  'somebody who hangs up': {
    serve: (socket) => socket.once('data', () => socket.end()),
    expect: CLOSED,
  },
  'somebody who resets': {
    serve: (socket) => socket.once('data', () => socket.resetAndDestroy()),
    expect: RESET,
  },
  nobody: {
    port: () => freePort(),
    expect: ['certain connection-refused'],
  },
  'no name': {
    host: 'nowhere.invalid',
    port: async () => 443,
    expect: ['certain name-not-resolved'],
  },
};

for (const [what, { serve, host = 'localhost', port, expect, but }] of Object.entries(PLACES))
  test(`${what}, where TLS was looked for`, { skip }, async (t) => {
    const server =
      serve &&
      (await startTcpServer(
        createServer((socket) => serve(socket.on('error', () => {}))),
        '127.0.0.1',
        0,
      ));
    t.after(() => server?.close());
    const at = server?.port ?? (await port?.()) ?? 0;
    await Promise.all(
      (Object.entries(CLIENTS) as [Name, Client][]).map(async ([name, connect]) => {
        const expected = but?.[name] === undefined ? expect : but[name];
        if (expected !== null) assertExplained(await connect({ host, port: at, ca: pairs.root }), null, expected, name);
      }),
    );
  });

test('a port that drops everything', { skip: skip || process.platform !== 'linux' }, async (t) => {
  const hole = await startBlackHole();
  t.after(() => hole.close());
  const attempt = { host: hole.host, port: hole.port, ca: pairs.root };
  const [curl, python] = await Promise.all([CLIENTS.curl(attempt), CLIENTS.Python(attempt)]);
  assertExplained(curl, null, ['likely connect-timeout', 'likely no-answer', 'possible plaintext-service'], 'curl');
  assertExplained(python, null, ['likely no-answer', 'likely plaintext-service', 'possible connect-timeout'], 'Python');
});

test('the same by Go: plaintext, silence, nobody, no name', {
  skip: skip || skipWithout('prometheus-blackbox-exporter'),
}, async (t) => {
  const config = join(pairs.directory, 'blackbox.yml');
  writeFileSync(
    config,
    'modules: { http: { prober: http, timeout: 2s }, tcp: { prober: tcp, timeout: 2s, tcp: { tls: true } } }\n',
  );
  const port = await freePort();
  const exporter = await startServer(
    'prometheus-blackbox-exporter',
    [`--config.file=${config}`, `--web.listen-address=127.0.0.1:${port}`],
    { isReady: () => acceptsConnections(port) },
  );
  t.after(() => exporter.stop());
  const probe = async (module: string, target: string): Promise<string> => {
    const url = `http://127.0.0.1:${port}/probe?module=${module}&debug=true&target=${encodeURIComponent(target)}`;
    return (await fetch(url)).text();
  };
  const { serve } = PLACES['plaintext HTTP'] ?? {};
  const [http, silent] = await Promise.all([
    startTcpServer(
      createServer((socket) => serve?.(socket.on('error', () => {}))),
      '127.0.0.1',
      0,
    ),
    startTcpServer(createServer(), '127.0.0.1', 0),
  ]);
  t.after(() => Promise.all([http.close(), silent.close()]));
  const texts = await Promise.all([
    probe('http', `https://127.0.0.1:${http.port}/`),
    probe('tcp', `127.0.0.1:${http.port}`),
    probe('tcp', `127.0.0.1:${silent.port}`),
    probe('tcp', `127.0.0.1:${await freePort()}`),
    probe('http', 'https://nowhere.invalid/'),
  ]);
  const expected: readonly Expected[] = [
    ['certain plaintext-service'],
    NOT_TLS,
    ['likely no-answer', 'likely plaintext-service', 'possible connect-timeout'],
    ['certain connection-refused'],
    ['certain name-not-resolved'],
  ];
  for (const [i, text] of texts.entries()) assertExplained(text, null, expected[i] ?? [], 'Go');
});

test('plaintext clients at a TLS port, and what its log says of them', { skip }, async (t) => {
  const server = await startOpenssl(pairs.good);
  t.after(() => server.stop());
  const before = server.output().length;
  await run('curl', ['-sS', '--max-time', '3', `http://localhost:${server.port}/`]);
  assertExplained(await writtenSince(server, before), 'server', ['certain tls-service'], 'openssl s_server');
});

test('groups that only one side has', { skip }, async (t) => {
  const server = await startOpenssl(pairs.good, ['-tls1_3', '-groups', 'X25519']);
  t.after(() => server.stop());
  const before = server.output().length;
  const attempt = { port: server.port, ca: pairs.root, options: ['-groups', 'P-384'] };
  assertExplained(
    await CLIENTS['openssl s_client'](attempt),
    null,
    ['likely no-common-suite', 'likely client-certificate-required', 'possible key-type-mismatch'],
    's_client',
  );
  assertExplained(await writtenSince(server, before), 'server', ['likely no-common-group'], 'its log');
});

test('a client that has no version left', { skip }, async (t) => {
  const server: OpensslServer = await startOpenssl(pairs.good, ['-tls1_3']);
  t.after(() => server.stop());
  const before = server.output().length;
  const attempt = { port: server.port, ca: pairs.root, options: ['-tls1_2'] };
  assertExplained(await CLIENTS['openssl s_client'](attempt), null, ['certain no-common-protocol'], 's_client');
  assertExplained(await writtenSince(server, before), 'server', ['certain no-common-protocol'], 'its log');
  const local = { ...attempt, options: ['-tls1_3', '-ciphersuites', ''] };
  assertExplained(await CLIENTS['openssl s_client'](local), null, ['likely local-policy'], 's_client');
});
