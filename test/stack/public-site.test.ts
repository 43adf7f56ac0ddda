/** A site on HTTPS from nothing: the stack of examples/aragora.yaml, with ports and directories that are free here. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls, getCiphers } from 'node:tls';
import { TLS_POLICIES } from '../../src/core/services/tls-policy.ts';
import { startAcmeWorld } from '../interop/acme-world.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { pathOf, skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { type Ran, run, startServer, until } from '../servers/process.ts';
import { cleanup } from '../services/cleanup.ts';
import { look } from '../services/look.ts';
import { startUpstream } from '../services/upstream.ts';
import { freePort } from '../world/free-port.ts';

const NAMES = ['aragora.test', 'www.aragora.test'];
const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'aragora.yaml');

interface Site {
  readonly port: number;
  readonly redirectHttp: number;
  readonly ca: string;
  readonly webroot: string;
  readonly nginx: string;
  /** Not in this process's time: the DNS server and the upstream are in it. */
  readonly fullchain: (...args: readonly string[]) => Promise<Ran>;
}

/** nginx that knows no site and has no certificate, something behind it, an authority that asks nginx for the proof. */
async function startSite(t: TestContext): Promise<Site> {
  const stack = cleanup(t);
  const world = stack.use(await startAcmeWorld(NAMES));
  const upstream = stack.use(await startUpstream());
  const path = join(world.directory, 'nginx');
  const [config, webroot, state] = [join(path, 'conf.d'), join(path, 'acme'), join(world.directory, 'stack')];
  mkdirSync(config, { recursive: true });
  const [plain, port, redirectHttp] = [await freePort(), await freePort(), world.http01Port];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${path}/${name};`,
  );
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    join(path, 'nginx.conf'),
    `${user} pid ${path}/nginx.pid; error_log ${path}/error.log; worker_processes 1; events {}
http { access_log off; ${temporary.join(' ')} server { listen 127.0.0.1:${plain}; return 204; } include ${config}/*.conf; }
`,
  );
  const nginx = `${pathOf('nginx')} -p ${path} -c ${path}/nginx.conf -e ${path}/error.log`;
  const [program = '', ...args] = nginx.split(' ');
  stack.use(await startServer(program, [...args, '-g', 'daemon off;'], { isReady: () => acceptsConnections(plain) }));
  const file = join(world.directory, 'aragora.yaml');
  writeFileSync(
    file,
    replaced(readFileSync(EXAMPLE, 'utf8'), [
      ['acme: https://ca.internal:9000/acme/acme/directory', `acme: ${world.ca.acmeDirectory}`],
      ['caFile: /etc/fullchain/ca.internal.crt', `caFile: ${world.ca.rootCertificate}`],
      ['webroot: /var/www/acme', `webroot: ${webroot}`],
      ['address: 127.0.0.1:443', `address: 127.0.0.1:${port}`],
      ['config: /etc/nginx/conf.d', `config: ${config}\n    command: ${nginx}`],
      ['upstream: http://127.0.0.1:8080', `upstream: ${upstream.url}`],
      ['redirectHttp: 80', `redirectHttp: ${redirectHttp}`],
    ]),
  );
  const fullchain = (...command: readonly string[]) => run(process.execPath, [LAUNCHER, ...command, '--state', state]);
  assert.equal((await fullchain('ca', 'init')).status, 0);
  return {
    port,
    redirectHttp,
    ca: readFileSync(world.ca.rootCertificate, 'utf8'),
    webroot,
    nginx,
    fullchain: (...command) => fullchain(...command, '--json', '--file', file),
  };
}

/** The example stays what is tested: a line that is no longer there is a mistake. */
function replaced(text: string, lines: readonly (readonly [from: string, to: string])[]): string {
  return lines.reduce((before, [from, to]) => {
    assert.ok(before.includes(from), `examples/aragora.yaml has ${from}`);
    return before.replace(from, () => to);
  }, text);
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function ask(name: string, port: number, path: string, ca?: string): Promise<Answer> {
  const options = { host: '127.0.0.1', port, path, headers: { host: name }, agent: false } as const;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked =
    ca === undefined ? plainRequest(options) : secureRequest({ ...options, agent: false, ca, servername: name });
  asked.on('error', reject).on('response', async (answer) => {
    const body = (await answer.setEncoding('utf8').toArray()).join('');
    resolve({ status: answer.statusCode, headers: answer.headers, body });
  });
  asked.end();
  return promise;
}

/** What a WebSocket says back. */
async function echo({ port, ca }: Site, words: string): Promise<string> {
  const socket = connectTls({ port, host: '127.0.0.1', ca, servername: 'aragora.test' });
  let heard = '';
  socket.on('error', () => {});
  socket.on('data', (data) => {
    heard += data.toString('latin1');
  });
  socket.write(
    'GET /ws HTTP/1.1\r\nhost: aragora.test\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n',
  );
  const evidence = (): string => heard;
  await until(() => heard.includes('\r\n\r\n'), 'the WebSocket', 10_000, evidence);
  assert.match(heard, /^HTTP\/1\.1 101 /);
  socket.write(words);
  await until(() => heard.endsWith(words), 'the echo', 10_000, evidence);
  socket.destroy();
  return heard.slice(-words.length);
}

/** TLS 1.2 with this suite alone; whether the server takes it. */
async function takes({ port, ca }: Site, suite: string): Promise<boolean> {
  const options = {
    port,
    ca,
    servername: 'aragora.test',
    maxVersion: 'TLSv1.2',
    ciphers: `${suite}:@SECLEVEL=0`,
  } as const;
  return look(options).then(
    () => true,
    () => false,
  );
}

test('a site on HTTPS from nothing, by one command', { skip: skipWithout('nginx') }, async (t) => {
  const site = await startSite(t);
  const { port, redirectHttp, ca } = site;
  const applied = await site.fullchain('apply');
  assert.equal(applied.status, 0, applied.output);

  await t.test('https answers through the proxy, for each name', async () => {
    for (const name of NAMES) {
      const { status, headers, body } = await ask(name, port, '/a?b=c', ca);
      assert.equal(status, 200);
      assert.equal(JSON.parse(body).url, '/a?b=c');
      assert.equal(JSON.parse(body).headers['x-forwarded-proto'], 'https');
      assert.equal(headers['strict-transport-security'], 'max-age=300', 'short');
    }
  });

  await t.test('a WebSocket echoes', async () => assert.equal(await echo(site, 'hello there'), 'hello there'));

  await t.test('http redirects, but for challenges, which are gone after use', async () => {
    const { status, headers } = await ask('www.aragora.test', redirectHttp, '/a?b=c');
    assert.deepEqual([status, headers.location], [301, `https://www.aragora.test:${port}/a?b=c`]);
    const challenges = join(site.webroot, '.well-known', 'acme-challenge');
    writeFileSync(join(challenges, 'planted'), 'planted.thumbprint');
    const planted = await ask('aragora.test', redirectHttp, '/.well-known/acme-challenge/planted');
    assert.deepEqual([planted.status, planted.body], [200, 'planted.thumbprint']);
    assert.equal((await ask('aragora.test', redirectHttp, '/.well-known/acme-challenge/other')).status, 404);
    assert.deepEqual(spawnSync('ls', [challenges], { encoding: 'utf8' }).stdout.trim(), 'planted');
  });

  await t.test('TLS 1.2 and 1.3, and of TLS 1.2 the suites of the policy that fit the key; nothing else', async () => {
    const versions: string[] = [];
    for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const) {
      const options = { port, ca, servername: 'aragora.test', minVersion: version, maxVersion: version };
      await look(options).then(
        () => versions.push(version),
        () => {},
      );
    }
    assert.deepEqual(versions, ['TLSv1.2', 'TLSv1.3']);
    const taken: string[] = [];
    for (const suite of getCiphers().map((name) => name.toUpperCase())) {
      if (!suite.startsWith('TLS_') && (await takes(site, suite))) taken.push(suite);
    }
    const wanted = TLS_POLICIES.intermediate.suites12.filter((suite) => suite.includes('ECDSA'));
    assert.deepEqual(taken.sort(), [...wanted].sort());
  });

  await t.test('nginx has nothing to warn of', () => {
    const { status, stderr } = spawnSync('/bin/sh', ['-c', `${site.nginx} -t`], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.doesNotMatch(stderr, /warn|emerg/);
  });

  await t.test('a second apply changes nothing', async () => {
    const again = await site.fullchain('apply');
    assert.equal(again.status, 0, again.output);
    assert.deepEqual(
      JSON.parse(again.stdout).services.map(({ action }: { action: string }) => action),
      ['none'],
    );
  });

  await t.test('verify finds nothing wrong', async () => {
    const { stdout, output } = await site.fullchain('verify');
    const [service] = JSON.parse(stdout || '{}').services ?? [];
    assert.ok(service, output);
    for (const check of service.checks)
      assert.notEqual(check.ok, false, `${check.id}: wanted ${check.wanted}; ${check.observed}`);
  });
});
