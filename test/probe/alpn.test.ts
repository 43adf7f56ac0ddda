/** Application protocols: which are taken, what becomes of others, and in how few handshakes that is seen. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { scratch } from '../ca/command-line.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { startServer } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { startSites } from './nginx-sites.ts';
import { opensslPairs } from './openssl-pairs.ts';
import { probeOne, runProbe } from './run-probe.ts';

const pairs = opensslPairs();
const files = { cert: readFileSync(pairs.ecdsa.cert), key: readFileSync(pairs.ecdsa.key) };

async function serve(t: TestContext, options: TlsOptions): Promise<number> {
  const server = await startTcpServer(createTlsServer({ ...files, minVersion: 'TLSv1.3', ...options }), '127.0.0.1', 0);
  t.after(server.close);
  return server.port;
}

const at = (port: number): readonly string[] => [`127.0.0.1:${port}`, '--ca', pairs.ca];

const SERVERS: readonly (readonly [
  what: string,
  options: TlsOptions,
  alpn: readonly string[],
  mismatch: string | null,
])[] = [
  ['takes none', {}, [], 'ignored'],
  ['takes those of the web', { ALPNProtocols: ['http/1.1', 'h2'] }, ['http/1.1', 'h2'], 'refused'],
  ['validates names for ACME', { ALPNProtocols: ['acme-tls/1'] }, ['acme-tls/1'], 'refused'],
  [
    'speaks DNS, MQTT and direct PostgreSQL',
    { ALPNProtocols: ['dot', 'mqtt', 'postgresql'] },
    ['dot', 'mqtt', 'postgresql'],
    'refused',
  ],
  ['takes whatever is offered', { ALPNCallback: ({ protocols }) => protocols[0] }, [], 'taken'],
];

for (const [what, options, alpn, mismatch] of SERVERS)
  test(`a server that ${what}: RFC 7301 §3.2`, async (t) => {
    const target = await probeOne(...at(await serve(t, options)));
    assert.deepEqual([target.alpn, target.alpnMismatch], [alpn, mismatch]);
  });

test('one handshake for each that is taken, one for the others, and one for ACME', async (t) => {
  let offers = 0;
  const port = await serve(t, {
    ALPNCallback: ({ protocols }) => {
      offers++;
      return ['h2', 'http/1.1'].find((name) => protocols.includes(name));
    },
  });
  assert.deepEqual((await probeOne(...at(port), '--rate', '0')).alpn, ['h2', 'http/1.1']);
  // And the GET of the front page.
  assert.equal(offers, 5);
});

test('openssl s_server and nginx', {
  skip: skipWithout('openssl', 'nginx'),
}, async (t) => {
  const port = await freePort();
  const args = ['-accept', `${port}`, '-cert', pairs.ecdsa.cert, '-key', pairs.ecdsa.key, '-alpn', 'imap,pop3', '-www'];
  const server = await startServer('openssl', ['s_server', ...args], { isReady: () => acceptsConnections(port) });
  t.after(() => server.stop());
  const mail = await probeOne(...at(port));
  assert.deepEqual([mail.alpn, mail.alpnMismatch], [['imap', 'pop3'], 'refused']);
  const { site } = await startSites(t, [pairs.ecdsa], { site: '' });
  const web = await probeOne(...at(site));
  assert.deepEqual([web.alpn, web.alpnMismatch], [['h2', 'http/1.1', 'http/1.0'], 'refused']);
  const { stdout } = await runProbe(...at(site), '-v');
  assert.match(stdout, /alpn +h2 http\/1\.1 http\/1\.0 \(others are refused\)/);
});

test('Caddy, as it is met on the web', { skip: skipWithout('caddy') }, async (t) => {
  const port = await freePort();
  const file = join(scratch(t), 'Caddyfile');
  writeFileSync(
    file,
    `{\n admin off\n auto_https off\n}\nhttps://127.0.0.1:${port} {\n bind 127.0.0.1\n tls ${pairs.ecdsa.cert} ${pairs.ecdsa.key}\n respond "here"\n}\n`,
  );
  const server = await startServer('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    isReady: () => acceptsConnections(port),
  });
  t.after(() => server.stop());
  const target = await probeOne(...at(port));
  assert.deepEqual([target.alpn, target.complete], [['h2', 'http/1.1'], true]);
});
