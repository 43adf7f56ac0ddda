/** Whom a server lets in, and what a web server tells a browser. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { scratch } from '../ca/command-line.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { startServer } from '../servers/process.ts';
import { testAuthority } from '../services/test-authority.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { startSites } from './nginx-sites.ts';
import { opensslPairs } from './openssl-pairs.ts';
import { idsOf, probeJson, probeOne } from './run-probe.ts';

const pairs = opensslPairs();
const files = { cert: readFileSync(pairs.ecdsa.cert), key: readFileSync(pairs.ecdsa.key) };
const GOOD = { ...files, minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768:X25519' } as const;

async function serveTls(t: TestContext, options: TlsOptions): Promise<number> {
  const server = await startTcpServer(createTlsServer(options), '127.0.0.1', 0);
  t.after(server.close);
  return server.port;
}

async function serveHttps(t: TestContext, answer: Parameters<typeof createHttpsServer>[1]): Promise<number> {
  const server = await startTcpServer(createHttpsServer(GOOD, answer), '127.0.0.1', 0);
  t.after(server.close);
  return server.port;
}

test('a client certificate that is asked for, demanded by an alert, by a close, and by HTTP 400', {
  skip: skipWithout('nginx', 'openssl'),
}, async (t) => {
  const { asks, demands } = await startSites(t, [pairs.ecdsa], {
    asks: `ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client optional; ssl_client_certificate ${pairs.ca};`,
    demands: `ssl_verify_client on; ssl_client_certificate ${pairs.ca}; ssl_protocols TLSv1.2 TLSv1.3;`,
  });
  const mutual = { ...files, ca: readFileSync(pairs.ca), requestCert: true };
  const closes = await serveTls(t, { ...mutual, rejectUnauthorized: true });
  const sServer = async (version: string): Promise<number> => {
    const port = await freePort();
    const args = [
      '-cert',
      pairs.ecdsa.cert,
      '-key',
      pairs.ecdsa.key,
      '-CAfile',
      pairs.ca,
      '-Verify',
      '1',
      '-www',
      '-quiet',
      version,
    ];
    const server = await startServer('openssl', ['s_server', '-accept', `${port}`, ...args], {
      isReady: () => acceptsConnections(port),
    });
    t.after(() => server.stop());
    return port;
  };
  const policyAt = async (port: number): Promise<readonly unknown[]> => {
    const { clientCertificate, acceptedAuthorities, protocols } = await probeOne(
      `localhost:${port}`,
      '--connect',
      '127.0.0.1',
      '--ca',
      pairs.ca,
    );
    return [clientCertificate, acceptedAuthorities, protocols.at(-1)];
  };
  const accepted = ['CN=probe-root'];
  assert.deepEqual(await policyAt(asks), ['optional', accepted, 'TLSv1.3']);
  assert.deepEqual(await policyAt(demands), ['required', accepted, 'TLSv1.3']);
  assert.deepEqual(await policyAt(closes), ['required', accepted, 'TLSv1.3']);
  assert.deepEqual(await policyAt(await sServer('-tls1_3')), ['required', accepted, 'TLSv1.3']);
  assert.deepEqual(await policyAt(await sServer('-tls1_2')), ['required', accepted, 'TLSv1.2']);
});

test('a client certificate that is not accepted is said to be refused', { skip: skipWithout('openssl') }, async (t) => {
  const port = await freePort();
  const args = [
    '-cert',
    pairs.ecdsa.cert,
    '-key',
    pairs.ecdsa.key,
    '-CAfile',
    pairs.ca,
    '-Verify',
    '1',
    '-verify_return_error',
    '-www',
    '-quiet',
    '-tls1_2',
  ];
  const server = await startServer('openssl', ['s_server', '-accept', `${port}`, ...args], {
    isReady: () => acceptsConnections(port),
  });
  t.after(() => server.stop());
  const stranger = testAuthority('Stranger').issue(['clientAuth'], 'stranger');
  const [cert, key] = ['cert', 'key'].map((name) => join(scratch(t), name));
  writeFileSync(cert ?? '', stranger.chain);
  writeFileSync(key ?? '', stranger.key, { mode: 0o600 });
  const shown = (certFile: string, keyFile: string) =>
    probeOne(`127.0.0.1:${port}`, '--ca', pairs.ca, '--client-cert', certFile, '--client-key', keyFile);
  const refused = await shown(cert ?? '', key ?? '');
  const finding = refused.findings.find(({ id }) => id.startsWith('client-'));
  assert.deepEqual(
    [finding?.id, finding?.confidence],
    ['client-certificate-untrusted', 'likely'],
    JSON.stringify(refused.findings),
  );
  assert.ok(!idsOf(await shown(pairs.client.cert, pairs.client.key)).some((id) => id.startsWith('client-')));
});

test('HSTS, redirects and what a page fetches in plaintext', async (t) => {
  const page = '<script src="http://cdn.example/a.js"></script>';
  const port = await serveHttps(t, (request, response) => {
    if (request.url === '/')
      response.writeHead(302, { location: '/home', 'strict-transport-security': 'max-age=100; preload' }).end();
    else response.writeHead(200, { 'content-type': 'text/html' }).end(page);
  });
  const target = await probeOne(`https://localhost:${port}`, '--connect', '127.0.0.1', '--ca', pairs.ca);
  assert.deepEqual(target.hsts, { maxAge: 100, includeSubDomains: false, preload: true });
  assert.deepEqual(target.redirects, [`https://localhost:${port}/home`]);
  assert.deepEqual(idsOf(target), ['hsts-preload', 'mixed-content']);
  const away = await serveHttps(t, (_, response) => response.writeHead(301, { location: 'http://localhost/' }).end());
  const led = await probeOne(`https://localhost:${away}`, '--connect', '127.0.0.1', '--ca', pairs.ca);
  assert.deepEqual(idsOf(led), ['plaintext-listener', 'hsts-missing']);
});

test('a page without an end, and one that never comes, are not waited for', async (t) => {
  const endless = await serveHttps(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
    };
    response.on('drain', more);
    more();
  });
  const silent = await serveHttps(t, () => {});
  const started = performance.now();
  const { targets } = await probeJson(
    `https://127.0.0.1:${endless}`,
    `https://127.0.0.1:${silent}`,
    '--ca',
    pairs.ca,
    '--timeout',
    '2',
  );
  assert.ok(performance.now() - started < 20_000);
  assert.deepEqual(targets.map(idsOf), [['hsts-missing'], []]);
  assert.match(targets[1]?.untried.join() ?? '', /^HSTS, redirects and the front page/);
});
