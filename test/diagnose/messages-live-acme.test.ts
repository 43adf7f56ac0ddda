/** What ACME clients print when an authority refuses, and what DNS servers and their clients say of a wrong key. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type AcmeWorld, startAcmeWorld } from '../interop/acme-world.ts';
import { skipWithout } from '../servers/available.ts';
import { startBind } from '../servers/bind.ts';
import { run, temporaryDirectory } from '../servers/process.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { assertExplained, type Expected } from './messages-assert.ts';

const URN = 'urn:ietf:params:acme:error:';

async function certbot(
  world: Pick<AcmeWorld, 'directory'>,
  server: string,
  env: Readonly<Record<string, string>>,
  name: string,
): Promise<string> {
  const [at, webroot] = [join(world.directory, 'certbot'), join(world.directory, 'webroot')];
  mkdirSync(webroot, { recursive: true });
  const { status, output } = await run(
    'certbot',
    [
      ...[
        'certonly',
        '--webroot',
        '--webroot-path',
        webroot,
        '-d',
        name,
        '--agree-tos',
        '--email',
        'ops@shop.internal',
      ],
      ...[
        '--non-interactive',
        '--server',
        server,
        '--config-dir',
        at,
        '--work-dir',
        `${at}/work`,
        '--logs-dir',
        `${at}/logs`,
      ],
    ],
    { env, withinMs: 60_000 },
  );
  assert.notEqual(status, 0, output);
  return output;
}

async function lego(
  world: AcmeWorld,
  options: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const { status, output } = await run(
    'lego',
    [
      ...['--server', world.ca.acmeDirectory, '--accept-tos', '--email', 'ops@shop.internal'],
      ...['--path', join(world.directory, 'lego'), ...options, 'run'],
    ],
    { env: { LEGO_CA_CERTIFICATES: world.ca.rootCertificate, ...env }, withinMs: 60_000 },
  );
  assert.notEqual(status, 0, output);
  return output;
}

/** Who answers where the authority looks for the token. */
type Answer = Parameters<typeof createServer>[1];

async function answering(t: TestContext, port: number, answer: Answer): Promise<void> {
  const server: Server = createServer(answer ?? (() => {}));
  const { close } = await startTcpServer(server, '127.0.0.1', port);
  t.after(close);
}

const NOT_FOUND: Answer = (_, response) => response.writeHead(404).end('nothing here');
const APPLICATION: Answer = ({ url, headers }, response) =>
  url === '/login'
    ? response.end('<!doctype html><title>Log in</title>')
    : response.writeHead(302, { location: `http://${headers.host}/login` }).end();
const LOOP: Answer = ({ url }, response) => response.writeHead(301, { location: url }).end();
const OTHER_TOKEN: Answer = (_, response) => response.end(`token.${'A'.repeat(43)}`);

const ANSWERS: readonly (readonly [what: string, answer: Answer, expected: Expected])[] = [
  ['nothing of the kind', NOT_FOUND, ['likely http01-wrong-server', 'possible http01-redirected']],
  ['an application, after a redirect', APPLICATION, ['likely http01-redirected']],
  ['itself, again and again', LOOP, ['certain http01-redirected']],
  ['another account’s authorization', OTHER_TOKEN, ['likely http01-wrong-server', 'possible http01-redirected']],
];

test('http-01 that fails, as certbot prints it', { skip: skipWithout('certbot', 'openssl') }, async (t) => {
  await using world = await startAcmeWorld(['shop.internal']);
  const env = { REQUESTS_CA_BUNDLE: world.ca.rootCertificate };
  const tried = (name = 'shop.internal'): Promise<string> => certbot(world, world.ca.acmeDirectory, env, name);
  for (const [what, answer, expected] of ANSWERS)
    await t.test(`the token’s address leads to ${what}`, async (inner) => {
      await answering(inner, world.http01Port, answer);
      const best = assertExplained(await tried(), null, expected, 'certbot');
      assert.equal(best.evidence.name, 'shop.internal');
    });
  await t.test('nobody answers at the port', async () => {
    assertExplained(await tried(), null, ['certain connection-refused'], 'certbot');
  });
  await t.test('the name has no address', async () => {
    assertExplained(await tried('nowhere.internal'), null, ['certain name-not-resolved'], 'certbot');
  });
  await t.test('the authority’s own certificate is not trusted', async () => {
    assertExplained(
      await certbot(world, world.ca.acmeDirectory, {}, 'shop.internal'),
      null,
      ['likely unknown-ca', 'likely chain-incomplete'],
      'certbot',
    );
  });
});

test('an authority that has had enough, as certbot prints it', { skip: skipWithout('certbot') }, async (t) => {
  using directory = temporaryDirectory();
  const detail =
    'too many new registrations (10) from this IP address in the last 3h0m0s, retry after 2026-11-27 05:41:12 UTC: see https://letsencrypt.org/docs/rate-limits/';
  const server = createServer(({ url, headers }, response) => {
    const at = `http://${headers.host}`;
    response.setHeader('replay-nonce', 'bm9uY2U');
    if (url === '/directory')
      return response.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          newNonce: `${at}/nonce`,
          newAccount: `${at}/account`,
          newOrder: `${at}/order`,
          revokeCert: `${at}/r`,
          keyChange: `${at}/k`,
        }),
      );
    if (url === '/nonce') return response.end();
    return response
      .writeHead(429, { 'content-type': 'application/problem+json', 'retry-after': '97200' })
      .end(JSON.stringify({ type: `${URN}rateLimited`, detail, status: 429 }));
  });
  const { port, close } = await startTcpServer(server, '127.0.0.1', 0);
  t.after(close);
  const text = await certbot({ directory: directory.path }, `http://127.0.0.1:${port}/directory`, {}, 'shop.internal');
  const best = assertExplained(text, null, ['certain acme-rate-limited'], 'certbot');
  assert.equal(best.evidence.retryAfter, '2026-11-27 05:41:12 UTC');
  assert.match(best.what, /after 2026-11-27 05:41:12 UTC/);
});

test('a DNS server that refuses the update’s key', { skip: skipWithout('named', 'nsupdate') }, async (t) => {
  using directory = temporaryDirectory();
  await using bind = await startBind(join(directory.path, 'bind'), 'shop.internal', ['shop.internal']);
  const [host = '', port = ''] = bind.address.split(':');
  const update = async (keyFile: string | null, name: string): Promise<string> => {
    const { output } = await run('nsupdate', keyFile === null ? [] : ['-k', keyFile], {
      input: `server ${host} ${port}\nzone ${name}\nupdate add _acme-challenge.${name} 60 TXT "a"\nsend\n`,
      withinMs: 30_000,
    });
    return output;
  };
  await t.test('nsupdate with another secret', async () => {
    assertExplained(await update(bind.wrongKeyFile, 'shop.internal'), null, ['certain dns01-credentials'], 'nsupdate');
  });
  await t.test('nsupdate without a key', async () => {
    assertExplained(await update(null, 'shop.internal'), null, ['certain dns01-credentials'], 'nsupdate');
  });
  await t.test('nsupdate for a zone that is another’s', async () => {
    assertExplained(await update(bind.keyFile, 'other.internal'), null, ['certain dns01-credentials'], 'nsupdate');
  });
  await t.test('lego with another secret', { skip: skipWithout('lego', 'openssl') }, async () => {
    await using world = await startAcmeWorld(['shop.internal']);
    const text = await lego(
      world,
      ['--dns', 'rfc2136', '--dns.disable-cp', '--dns.resolvers', bind.address, '-d', 'shop.internal'],
      {
        RFC2136_NAMESERVER: bind.address,
        RFC2136_TSIG_ALGORITHM: 'hmac-sha256.',
        RFC2136_TSIG_KEY: 'acme',
        RFC2136_TSIG_SECRET: Buffer.alloc(32, 7).toString('base64'),
      },
    );
    const best = assertExplained(text, null, ['certain dns01-credentials'], 'lego');
    assert.doesNotMatch(JSON.stringify(best), /BwcHBwcH/);
  });
});

test('a clock that is wrong: what the client says is of the certificate', {
  skip: skipWithout('faketime', 'curl', 'openssl'),
}, async () => {
  await using world = await startAcmeWorld(['shop.internal']);
  for (const [by, expected] of [
    ['-2y', ['likely certificate-not-yet-valid', 'likely clock-skew']],
    ['+30y', ['likely certificate-expired', 'possible clock-skew']],
  ] as const) {
    const { output } = await run('faketime', [
      '-f',
      by,
      'curl',
      '-sS',
      '--cacert',
      world.ca.rootCertificate,
      world.ca.acmeDirectory,
    ]);
    assertExplained(output, null, expected, `curl, ${by}`);
  }
});
