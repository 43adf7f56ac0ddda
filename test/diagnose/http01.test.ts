/** `diagnose http-01://NAME --webroot DIR`, with a real nginx in front: each cause, and nothing left behind. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Finding } from '../../src/core/diagnosis/finding.ts';
import { placeToken } from '../../src/edge/files/webroot-token.ts';
import { addressesOf } from '../../src/edge/net/addresses.ts';
import { walkHttp01 } from '../../src/edge/net/http01-walk.ts';
import { diagnoseHttp01 } from '../../src/flow/diagnose/diagnose-http01.ts';
import { scratch } from '../ca/command-line.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { pathOf, skipWithout } from '../servers/available.ts';
import { startServer } from '../servers/process.ts';
import { testAuthority } from '../services/test-authority.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { shown } from './pair-site.ts';

const skip = skipWithout('nginx');

interface Site {
  readonly webroot: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly diagnose: (more?: {
    readonly addresses?: readonly string[];
    readonly webroot?: string;
    readonly port?: number;
    readonly host?: string;
  }) => Promise<Finding[]>;
}

/** @param servers of nginx's configuration, with PORT, TLS (a port, ssl and its pair) and WEBROOT in it */
async function site(t: TestContext, servers: string): Promise<Site> {
  const directory = scratch(t);
  chmodSync(directory, 0o755);
  const webroot = join(directory, 'www');
  mkdirSync(webroot);
  const [port, tlsPort] = [await freePort(), await freePort()];
  const pair = testAuthority().issue(['serverAuth']);
  writeFileSync(join(directory, 'tls.crt'), pair.chain);
  writeFileSync(join(directory, 'tls.key'), pair.key, { mode: 0o600 });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  const text = servers
    .replaceAll('WEBROOT', webroot)
    .replaceAll('PORT', String(port))
    .replaceAll('TLSP', String(tlsPort))
    .replaceAll(
      'TLS',
      `listen 127.0.0.1:${tlsPort} ssl; ssl_certificate ${directory}/tls.crt; ssl_certificate_key ${directory}/tls.key`,
    );
  const config = join(directory, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; pid ${directory}/pid; error_log ${directory}/error.log; worker_processes 1;\nevents {}\nhttp { access_log off; ${temporary.join(' ')}\n${text}\n}`,
  );
  const nginx = await startServer(
    pathOf('nginx') ?? 'nginx',
    ['-p', directory, '-e', join(directory, 'error.log'), '-c', config],
    {
      isReady: () => acceptsConnections(port),
    },
  );
  t.after(() => nginx.stop());
  return {
    webroot,
    port,
    tlsPort,
    async diagnose({ addresses = ['127.0.0.1'], ...more } = {}) {
      const target = { text: `http-01://localhost:${port}`, host: 'localhost', port, webroot, ...more };
      const results = await diagnoseHttp01(
        { ...target, addresses },
        {
          placeToken,
          addressesOf,
          walk: (one, address, placed) => walkHttp01(one, address, placed, { timeoutMs: 2000, ports: [tlsPort] }),
        },
      );
      return results.flatMap(({ findings }) => findings);
    },
  };
}

function only(findings: readonly Finding[], id: string): Finding {
  assert.deepEqual(shown(findings), [`${id} error`], JSON.stringify(findings, null, 1));
  const [finding] = findings;
  assert.ok(finding);
  assert.ok(finding.remedy.text.length > 10);
  return finding;
}

const SERVES = 'server { listen 127.0.0.1:PORT; root WEBROOT; }';

test('served from the webroot: nothing is said, and nothing is left behind', { skip }, async (t) => {
  const { webroot, diagnose } = await site(t, SERVES);
  assert.deepEqual(await diagnose(), []);
  assert.deepEqual(readdirSync(webroot), []);
  // What was there stays, and only that.
  mkdirSync(join(webroot, '.well-known'), { mode: 0o755 });
  writeFileSync(join(webroot, '.well-known', 'security.txt'), 'x');
  assert.deepEqual(await diagnose(), []);
  assert.deepEqual(readdirSync(webroot, { recursive: true }).toSorted(), ['.well-known', '.well-known/security.txt']);
  // With a umask that keeps everything from others.
  const before = process.umask(0o077);
  try {
    const placed = placeToken(webroot);
    assert.equal(placed.kind, 'placed');
    if (placed.kind !== 'placed') return;
    const directory = join(webroot, '.well-known', 'acme-challenge');
    assert.equal(statSync(directory).mode & 0o777, 0o755);
    assert.equal(statSync(join(directory, placed.token)).mode & 0o777, 0o644);
    placed.remove();
    placed.remove();
    assert.equal(existsSync(directory), false);
  } finally {
    process.umask(before);
  }
});

test('a redirect to HTTPS that leads to the same webroot is right, whatever the certificate', { skip }, async (t) => {
  const { webroot, diagnose } = await site(
    t,
    'server { listen 127.0.0.1:PORT; return 301 https://localhost:TLSP$request_uri; } server { TLS; root WEBROOT; }',
  );
  assert.deepEqual(await diagnose(), []);
  assert.deepEqual(readdirSync(webroot), []);
});

test('http01-redirected: the redirect swallows the challenge', { skip }, async (t) => {
  const { webroot, tlsPort, diagnose } = await site(
    t,
    `server { listen 127.0.0.1:PORT; return 301 https://localhost:TLSP$request_uri; }
     server { TLS; location / { return 404; } }`,
  );
  const finding = only(await diagnose(), 'http01-redirected');
  const { hops, status, server, address } = finding.evidence as {
    hops: { url: string; status: number; location: string }[];
    status: number;
    server: string;
    address: string;
  };
  assert.equal(hops.length, 1);
  assert.equal(hops[0]?.status, 301);
  assert.match(hops[0]?.location ?? '', new RegExp(`^https://localhost:${tlsPort}/\\.well-known/acme-challenge/`));
  assert.deepEqual([status, address], [404, '127.0.0.1']);
  assert.match(server, /^nginx/);
  assert.match(finding.what, /is redirected to https:.*, and the answer there is 404\.$/);
  assert.match(finding.remedy.command ?? '', /^curl -siL http:\/\/localhost:\d+\/\.well-known/);
  assert.deepEqual(readdirSync(webroot), []);
});

test('http01-redirected: into an application, in a circle, to nobody, to where authorities do not go', {
  skip,
}, async (t) => {
  const nobody = await freePort();
  const rows: readonly (readonly [server: string, what: RegExp])[] = [
    [
      `server { listen 127.0.0.1:PORT; location / { return 302 /login; } location /login { return 200 "log in"; } }`,
      /redirected to .*\/login, and something else than the token is answered there/,
    ],
    ['server { listen 127.0.0.1:PORT; return 301 $request_uri; }', /its server leads round in a circle/],
    ['server { listen 127.0.0.1:PORT; return 301 /x$request_uri; }', /redirects again, after 10 redirects/],
    [
      `server { listen 127.0.0.1:PORT; return 301 https://localhost:${nobody}$request_uri; }`,
      /a port that validation does not follow/,
    ],
    ['server { listen 127.0.0.1:PORT; return 301 ftp://localhost/; }', /a scheme that validation does not follow/],
    [
      'server { listen 127.0.0.1:PORT; return 301 http://localhost:TLSP$request_uri; }',
      /what is there refuses connections/,
    ],
    [
      'server { listen 127.0.0.1:PORT; return 301 http://nowhere.invalid:TLSP$request_uri; }',
      /\(nowhere\.invalid\) has no address/,
    ],
  ];
  await Promise.all(
    rows.map(async ([server, what]) => {
      const { webroot, diagnose } = await site(t, server);
      assert.match(only(await diagnose(), 'http01-redirected').what, what);
      assert.deepEqual(readdirSync(webroot), []);
    }),
  );
});

test('http01-wrong-server: answered, and not from this webroot', { skip }, async (t) => {
  const app = `server { listen unix:SOCKET; location / { return 200 "<html>the application</html>"; } }`;
  const beside = scratch(t);
  // nginx's workers are another user.
  chmodSync(beside, 0o755);
  const socket = join(beside, 'app.sock');
  const rows: readonly (readonly [server: string, status: number, what: RegExp])[] = [
    [
      'server { listen 127.0.0.1:PORT; root WEBROOT/elsewhere; }',
      404,
      /\(nginx\/\S+\) answers 404, although the token lay in/,
    ],
    [
      `server { listen 127.0.0.1:PORT; location / { proxy_pass http://unix:${socket}; } } ${app.replace('SOCKET', socket)}`,
      200,
      /answers 200 with something else than the token/,
    ],
    [`${SERVES.replace('}', String.raw`location ~ /\. { deny all; } }`)}`, 403, /hidden paths are forbidden/],
    [
      'server { listen 127.0.0.1:PORT ssl; ssl_certificate CRT; ssl_certificate_key KEY; }',
      400,
      /A port for TLS answers plain HTTP so/,
    ],
    ['server { listen 127.0.0.1:PORT; location / { return 200 $uri; } }', 200, /something else/],
  ];
  for (const [server, status, what] of rows) {
    const pair = testAuthority().issue(['serverAuth']);
    const directory = scratch(t);
    writeFileSync(join(directory, 'crt'), pair.chain);
    writeFileSync(join(directory, 'key'), pair.key, { mode: 0o600 });
    const { webroot, diagnose } = await site(
      t,
      server.replace('CRT', join(directory, 'crt')).replace('KEY', join(directory, 'key')),
    );
    const finding = only(await diagnose(), 'http01-wrong-server');
    assert.match(finding.what, what);
    assert.equal(finding.evidence.status, status);
    assert.match(String(finding.evidence.server), /^nginx/);
    assert.equal(finding.evidence.isOwnAddress, true);
    if (status === 200 && server.includes('proxy'))
      assert.equal(finding.evidence.body, '"<html>the application</html>"');
    assert.deepEqual(readdirSync(webroot), []);
  }
});

test('no connection, no answer, no HTTP, no name: the causes of connections', { skip }, async (t) => {
  const { port, webroot, diagnose } = await site(t, SERVES);
  only(await diagnose({ port: await freePort() }), 'connection-refused');
  const results = await diagnoseHttp01(
    { text: 'http-01://nowhere.invalid', host: 'nowhere.invalid', port: 80, webroot, addresses: null },
    { placeToken, addressesOf, walk: () => assert.fail() },
  );
  assert.deepEqual(
    results.map(({ address, findings }) => [address, ...shown(findings)]),
    [[null, 'name-not-resolved error']],
  );

  const behave: readonly (readonly [id: string, on: (socket: Socket) => void])[] = [
    ['no-answer', () => {}],
    ['closed-by-peer', (socket) => socket.destroy()],
    ['http01-wrong-server', (socket) => socket.end('SSH-2.0-OpenSSH_9.2p1\r\n')],
  ];
  for (const [id, on] of behave) {
    const server = await startTcpServer(
      createServer((socket) => {
        socket.on('error', () => {});
        on(socket);
      }),
      '127.0.0.1',
      0,
    );
    t.after(() => server.close());
    only(await diagnose({ port: server.port }), id);
  }
  // IPv6 refuses, IPv4 is right: authorities fall back.
  assert.deepEqual(shown(await diagnose({ addresses: ['::1', '127.0.0.1'] })), ['connection-refused warning']);
  // IPv6 leads to somebody else, who is believed.
  const other = await startServer6(t, port);
  if (other) only(await diagnose({ addresses: ['::1', '127.0.0.1'] }), 'http01-wrong-server');
  assert.deepEqual(readdirSync(webroot), []);
});

async function startServer6(t: TestContext, port: number): Promise<boolean> {
  const server = createServer((socket) => {
    socket.on('error', () => {}).end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
  });
  const started = await startTcpServer(server, '::1', port).catch(() => null);
  if (started) t.after(() => started.close());
  return started !== null;
}

test('the webroot: missing, no directory, not writable, a trap', { skip }, async (t) => {
  const { webroot, diagnose } = await site(t, SERVES);
  const missing = only(await diagnose({ webroot: join(webroot, 'gone') }), 'file-missing');
  assert.deepEqual(missing.where, { file: join(webroot, 'gone'), line: 1 });
  writeFileSync(join(webroot, 'file'), '');
  only(await diagnose({ webroot: join(webroot, 'file') }), 'file-missing');
  rmSync(join(webroot, 'file'));
  // Somebody has put a link where the directory should be.
  symlinkSync('/nonexistent/target', join(webroot, '.well-known'));
  await assert.rejects(diagnose(), { code: 'file-unwritable' });
  rmSync(join(webroot, '.well-known'));
  await assert.rejects(diagnose({ webroot: '/proc' }), { code: 'file-unwritable' });
});

test('the token is taken away on SIGINT and SIGTERM too', async (t) => {
  const directory = scratch(t);
  const module = new URL('../../src/edge/files/webroot-token.ts', import.meta.url).pathname;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { placeToken } from ${JSON.stringify(module)}; placeToken(process.argv[1]); console.log('placed'); setInterval(() => {}, 1000);`,
        directory,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(child.stdout, 'data');
    assert.equal(readdirSync(join(directory, '.well-known', 'acme-challenge')).length, 1);
    child.kill(signal);
    const [, ended] = await once(child, 'exit');
    assert.equal(ended, signal);
    assert.deepEqual(readdirSync(directory), []);
  }
});
