/** What Redis, MariaDB and nginx say, their logs and their clients: redis-cli, redis-py, mariadb, PyMySQL, curl. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { skipWithoutPython } from '../clients/python.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { pathOf, skipWithout } from '../servers/available.ts';
import { run, startServer, until } from '../servers/process.ts';
import { account, IS_ROOT } from '../services/applied.ts';
import { as } from '../services/own-user.ts';
import { startMariaDb } from '../services/start-mariadb.ts';
import { PASSWORD, startRedis } from '../services/start-redis.ts';
import { freePort } from '../world/free-port.ts';
import { assertExplained, type Expected } from './messages-assert.ts';
import { brokenPairs, type PairFiles } from './messages-pairs.ts';
import { writtenSince } from './messages-servers.ts';

const pairs = brokenPairs();
const skipUsers = !IS_ROOT && 'skipped: needs root, to run servers as their own users';
const skipPython = await skipWithoutPython();

function place(from: string, to: string, user: string): string {
  copyFileSync(from, to);
  chmodSync(to, 0o600);
  const { uid, gid } = account([user]);
  chownSync(to, uid, gid);
  return to;
}

async function outputOf(command: string, ...args: readonly string[]): Promise<string> {
  return (await run(command, args, { withinMs: 20_000 })).output;
}

const python = (program: string): Promise<string> => outputOf('/usr/bin/python3', '-c', program);

const UNREASONED = ['likely unknown-ca', 'possible chain-incomplete', 'possible certificate-expired'];
/** MariaDB says the same of a key that is not there and of another's. */
const UNABLE = ['likely key-mismatch', 'likely file-missing', 'possible key-permissions'];
const UNREASONED_CLIENT = [
  'likely client-certificate-untrusted',
  'possible client-certificate-wrong-purpose',
  'possible client-certificate-expired',
];

async function tlsRedis(
  t: TestContext,
  pair: PairFiles,
  more: string,
): Promise<{ port: number; plain: number; output: () => string }> {
  const port = await freePort();
  const key = place(pair.key, join(pairs.directory, `redis-${port}.key`), 'redis');
  const redis = await startRedis(
    t,
    `tls-port ${port}\ntls-cert-file ${pair.cert}\ntls-key-file ${key}\ntls-ca-cert-file ${pairs.root}\n${more}`,
  );
  return { port, plain: redis.port, output: redis.server.output };
}

test('Redis and its clients', { skip: skipWithout('redis-server', 'redis-cli') || skipUsers }, async (t) => {
  const wanting = await tlsRedis(t, pairs.good, 'tls-auth-clients yes\n');
  const open = await tlsRedis(t, pairs.good, 'tls-auth-clients no\ntls-protocols "TLSv1.3"\n');
  const expired = await tlsRedis(t, pairs.expired, 'tls-auth-clients no\n');
  const otherType = await tlsRedis(t, pairs.otherTypeOfKey, 'tls-auth-clients no\n');
  const cli = (port: number, ...args: readonly string[]): Promise<string> =>
    outputOf('redis-cli', '-h', '127.0.0.1', '-p', `${port}`, ...args, 'PING');
  const tls = ['--tls', '--cacert', pairs.root];
  const said = async (
    { port, output }: { readonly port: number; readonly output: () => string },
    args: readonly string[],
    client: Expected | null,
    log: Expected | null,
  ): Promise<void> => {
    const before = output().length;
    const words = await cli(port, ...args);
    if (client !== null) assertExplained(words, 'client', client, 'redis-cli');
    if (log !== null) assertExplained(await writtenSince({ output }, before), null, log, 'the log');
  };

  await t.test('plaintext at the port of TLS', () =>
    said(
      open,
      [],
      ['likely closed-by-peer', 'possible tls-service', 'possible starttls-needed'],
      ['certain tls-service'],
    ),
  );
  await t.test('an authority that the client does not know', () =>
    said(open, ['--tls', '--cacert', pairs.otherRoot], UNREASONED, ['likely unknown-ca', 'likely chain-incomplete']),
  );
  await t.test('an expired certificate', () =>
    said(expired, tls, UNREASONED, ['likely certificate-expired', 'possible clock-skew']),
  );
  await t.test('a key of another type than the certificate, which Redis starts with', () =>
    said(
      otherType,
      tls,
      ['likely no-common-suite', 'likely client-certificate-required', 'possible key-type-mismatch'],
      ['likely no-common-suite', 'likely key-type-mismatch'],
    ),
  );
  // The client sees a reset or an end, whichever is first.
  await t.test('no client certificate', () => said(wanting, tls, null, ['certain client-certificate-required']));
  for (const [what, client] of [
    ['of another authority', pairs.otherClient],
    ['that is expired', pairs.expiredClient],
    ['for servers', pairs.serverAsClient],
  ] as const)
    await t.test(`a client certificate ${what}`, () =>
      said(wanting, [...tls, '--cert', client.cert, '--key', client.key], null, UNREASONED_CLIENT),
    );
  await t.test('TLS 1.2 alone', async () => {
    const before = open.output().length;
    const words = await outputOf('openssl', 's_client', '-connect', `127.0.0.1:${open.port}`, '-tls1_2');
    assertExplained(words, null, ['certain no-common-protocol'], 's_client');
    assertExplained(await writtenSince(open, before), null, ['certain no-common-protocol'], 'the log');
  });
  await t.test('nobody', async () => {
    assertExplained(await cli(await freePort()), null, ['certain connection-refused'], 'redis-cli');
  });
  await t.test('redis-py', { skip: skipPython }, async () => {
    const ping = (url: string, more = ''): Promise<string> =>
      python(`import redis; redis.from_url("${url}", password="${PASSWORD}", socket_timeout=2${more}).ping()`);
    const at = `rediss://127.0.0.1:${open.port}`;
    for (const [text, expected] of [
      [await ping(at, `, ssl_ca_certs="${pairs.otherRoot}"`), ['likely unknown-ca', 'likely chain-incomplete']],
      [await ping(`rediss://127.0.0.1:${open.plain}`), ['likely plaintext-service', 'likely no-answer']],
      [await ping(`${at}?ssl_cert_reqs=maybe`), ['certain url-parameter-invalid']],
      [await ping(`redis://127.0.0.1:${open.plain}?ssl=true`), ['certain url-parameter-invalid']],
      [await ping(`redis://127.0.0.1:${await freePort()}`), ['certain connection-refused']],
      // The guide's text: asyncio does not answer for certificates, but for a port that never answers TLS.
      [
        await python(
          `import asyncio\nasyncio.run(asyncio.wait_for(asyncio.open_connection("127.0.0.1", ${open.plain}, ssl=True, ssl_handshake_timeout=1), 9))`,
        ),
        ['likely plaintext-service', 'likely no-answer'],
      ],
    ] as const)
      assertExplained(text, null, expected, 'redis-py');
  });
});

test('Redis that does not start', { skip: skipWithout('redis-server') || skipUsers }, async (t) => {
  const start = async (cert: string, key: string, more: readonly string[]): Promise<string> =>
    outputOf(
      'redis-server',
      '--port',
      '0',
      '--tls-port',
      `${await freePort()}`,
      '--tls-cert-file',
      cert,
      '--tls-key-file',
      key,
      ...more,
    );
  const ca = ['--tls-ca-cert-file', pairs.root];
  for (const [what, text, expected] of [
    [
      'another’s key',
      await start(pairs.otherKey.cert, pairs.otherKey.key, ca),
      ['likely key-mismatch', 'possible chain-order'],
    ],
    ['no certificate', await start('/nonexistent/tls.crt', pairs.good.key, ca), ['certain file-missing']],
    ['a certificate that is none', await start(pairs.good.key, pairs.good.key, ca), ['likely file-unusable']],
    ['no authorities', await start(pairs.good.cert, pairs.good.key, []), ['likely file-missing']],
  ] as const)
    await t.test(what, () => void assertExplained(text, null, expected, 'the log'));
});

test('MariaDB and its clients', {
  skip: skipWithout('mariadbd', 'mariadb', 'mariadb-install-db') || skipUsers,
}, async (t) => {
  const server = await startMariaDb(t);
  const client = (...args: readonly string[]): Promise<string> => server.overTcp(...args).then(({ output }) => output);
  const verified = ['--ssl', `--ssl-ca=${pairs.root}`, '--ssl-verify-server-cert'];

  await t.test('no TLS at the server', async () => {
    assertExplained(await client(...verified), null, ['certain tls-off'], 'mariadb');
  });

  const restarted = async (pair: PairFiles, more = ''): Promise<void> => {
    const key = place(pair.key, join(server.path, 'tls.key'), 'mysql');
    const lines = `[mysqld]\nssl-cert=${pair.cert}\nssl-key=${key}\nssl-ca=${pairs.root}\ntls_version=TLSv1.3\n${more}`;
    writeFileSync(join(server.config, 'tls.cnf'), lines);
    await server.restart();
  };
  await restarted(pairs.good);
  assert.equal((await server.overSocket("CREATE USER shown@'127.0.0.1' IDENTIFIED BY 'a' REQUIRE X509")).status, 0);

  await t.test('an authority that the client does not know', async () => {
    assertExplained(
      await client('--ssl', `--ssl-ca=${pairs.otherRoot}`, '--ssl-verify-server-cert'),
      null,
      ['likely unknown-ca', 'likely chain-incomplete'],
      'mariadb',
    );
  });
  await t.test('TLS 1.2 where 1.3 is the least', async () => {
    assertExplained(
      await client(...verified, '--tls-version=TLSv1.2'),
      null,
      ['certain no-common-protocol'],
      'mariadb',
    );
  });
  await t.test('a client certificate of another authority', async () => {
    const { cert, key } = pairs.otherClient;
    const words = await client(...verified, `--ssl-cert=${cert}`, `--ssl-key=${key}`);
    // The end of the connection may overtake the alert.
    const expected = /alert/.test(words)
      ? ['certain client-certificate-untrusted']
      : ['likely client-certificate-untrusted', 'likely closed-by-peer'];
    assertExplained(words, null, expected, 'mariadb');
  });
  await t.test('a key of the client that is another’s', async () => {
    assertExplained(
      await client(...verified, `--ssl-cert=${pairs.client.cert}`, `--ssl-key=${pairs.otherClient.key}`),
      null,
      ['likely key-mismatch', 'possible chain-order'],
      'mariadb',
    );
  });
  await t.test('an account that is to show a certificate: a refusal that looks like a wrong password', async () => {
    assertExplained(
      await client(...verified, '--user=shown'),
      null,
      ['possible tls-required', 'possible client-certificate-required'],
      'mariadb',
    );
  });
  await t.test('PyMySQL', { skip: skipPython }, async () => {
    const at = `host="127.0.0.1", port=${server.port}, user="app", password="a"`;
    assertExplained(
      await python(`import pymysql; pymysql.connect(${at}, ssl_ca="${pairs.otherRoot}", ssl_verify_cert=True)`),
      null,
      ['likely unknown-ca', 'likely chain-incomplete'],
      'PyMySQL',
    );
    assertExplained(
      await python(`import pymysql; pymysql.connect(${at}, ssl_mode="x")`),
      null,
      ['certain url-parameter-invalid'],
      'PyMySQL',
    );
  });
  await t.test('another name', async () => {
    await restarted(pairs.otherName);
    assertExplained(
      await client(...verified),
      null,
      ['likely name-mismatch', 'possible no-subject-alt-name', 'possible ip-not-in-certificate'],
      'mariadb',
    );
  });
  await t.test('an expired certificate', async () => {
    await restarted(pairs.expired);
    assertExplained(await client(...verified), null, ['likely certificate-expired', 'possible clock-skew'], 'mariadb');
  });
  for (const [what, cert, key, expected] of [
    ['another’s key', pairs.otherKey.cert, pairs.otherKey.key, UNABLE],
    ['no key', pairs.good.cert, '/nonexistent/tls.key', UNABLE],
  ] as const)
    await t.test(`a start with ${what}`, async () => {
      await server.stop();
      const at = key.startsWith('/nonexistent') ? key : place(key, join(server.path, 'wrong.key'), 'mysql');
      const [program, args] = as('mysql', [
        'mariadbd',
        `--defaults-file=${server.path}/my.cnf`,
        `--ssl-cert=${cert}`,
        `--ssl-key=${at}`,
      ]);
      const { output } = await run(program, args, { withinMs: 30_000 });
      assertExplained(output, null, expected, 'the log');
    });
});

interface NginxRun {
  readonly port: number;
  readonly log: () => string;
}

async function startNginx(t: TestContext, listen: string, more: string): Promise<NginxRun> {
  const port = await freePort();
  const directory = join(pairs.directory, `nginx-${port}`);
  mkdirSync(directory);
  const [config, log] = [join(directory, 'nginx.conf'), join(directory, 'error.log')];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  writeFileSync(
    config,
    `${IS_ROOT ? 'user root;' : ''} daemon off; pid ${directory}/pid; error_log ${log} info; worker_processes 1; events {}
http { access_log off; ${temporary.join(' ')} server { listen 127.0.0.1:${port} ${listen}; server_name localhost; ${more} } }\n`,
  );
  const server = await startServer(pathOf('nginx') ?? 'nginx', ['-p', directory, '-c', config, '-e', log], {
    isReady: () => acceptsConnections(port),
  });
  t.after(() => server.stop());
  return { port, log: () => readFileSync(log, 'utf8') };
}

const withPair = ({ cert, key }: PairFiles): string => `ssl_certificate ${cert}; ssl_certificate_key ${key};`;

test('nginx, its log, and what it tells clients in plain text', {
  skip: skipWithout('nginx', 'curl', 'openssl'),
}, async (t) => {
  const wanting = await startNginx(
    t,
    'ssl',
    `${withPair(pairs.good)} ssl_client_certificate ${pairs.root}; ssl_verify_client on; ssl_verify_depth 3; return 200;`,
  );
  const curl = (...args: readonly string[]): Promise<string> =>
    outputOf('curl', '-sS', '--max-time', '5', '--cacert', pairs.root, ...args);
  const logged = async (
    { log }: NginxRun,
    work: () => Promise<string>,
    client: Expected | null,
    expected: Expected,
  ): Promise<void> => {
    const before = log().length;
    const words = await work();
    if (client !== null) assertExplained(words, null, client, 'the client');
    await until(() => log().length > before, 'a line in the log', 5000);
    assertExplained(log().slice(before), null, expected, 'the log');
  };
  const at = `https://localhost:${wanting.port}/`;
  const shown = ({ cert, key }: PairFiles): readonly string[] => ['--cert', cert, '--key', key];

  await t.test('no client certificate', () =>
    logged(wanting, () => curl(at), ['certain client-certificate-required'], ['certain client-certificate-required']),
  );
  for (const [what, client, log] of [
    ['of another authority', pairs.otherClient, ['certain client-certificate-untrusted']],
    ['that is expired', pairs.expiredClient, ['likely client-certificate-expired', 'possible clock-skew']],
    ['for servers', pairs.serverAsClient, ['certain client-certificate-wrong-purpose']],
  ] as const)
    await t.test(`a client certificate ${what}`, () =>
      logged(wanting, () => curl(...shown(client), at), UNREASONED_CLIENT, log),
    );
  await t.test('plaintext at its TLS port', () =>
    logged(wanting, () => curl(`http://localhost:${wanting.port}/`), ['certain tls-service'], ['certain tls-service']),
  );
  await t.test('a client that does not know the authority', () =>
    logged(
      wanting,
      () => outputOf('curl', '-sS', '--cacert', pairs.otherRoot, at),
      ['likely unknown-ca', 'likely chain-incomplete'],
      ['likely unknown-ca', 'likely chain-incomplete'],
    ),
  );

  await t.test('a key of another type, which `nginx -t` lets pass', async () => {
    const server = await startNginx(t, 'ssl', `${withPair(pairs.otherTypeOfKey)} return 200;`);
    await logged(
      server,
      () => curl(`https://localhost:${server.port}/`),
      ['likely no-common-suite', 'likely client-certificate-required', 'possible key-type-mismatch'],
      ['likely no-common-suite', 'likely key-type-mismatch'],
    );
  });
  await t.test('backends that it does not trust, or that speak plaintext', async () => {
    const plain = await startNginx(t, '', 'return 200;');
    for (const [backend, name, ca, expected] of [
      [wanting.port, 'localhost', pairs.otherRoot, ['likely unknown-ca', 'likely chain-incomplete']],
      [wanting.port, 'wrong.internal', pairs.root, ['certain name-mismatch']],
      [plain.port, 'localhost', pairs.root, ['likely plaintext-service', 'possible starttls-needed']],
      [await freePort(), 'localhost', pairs.root, ['certain connection-refused']],
    ] as const) {
      const proxy = await startNginx(
        t,
        '',
        `location / { proxy_pass https://127.0.0.1:${backend}; proxy_ssl_name ${name}; proxy_ssl_verify on; proxy_ssl_verify_depth 3; proxy_ssl_trusted_certificate ${ca}; }`,
      );
      await logged(proxy, () => curl(`http://localhost:${proxy.port}/`), null, expected);
    }
  });
});

test('nginx that does not start', { skip: skipWithout('nginx') }, async (t) => {
  const empty = pairs.write('empty', '');
  for (const [what, pair, more, expected] of [
    ['another’s key', pairs.otherKey, '', ['likely key-mismatch', 'possible chain-order']],
    ['a chain from the intermediate on', pairs.fromIntermediate, '', ['likely key-mismatch', 'possible chain-order']],
    ['no key', { cert: pairs.good.cert, key: '/nonexistent/tls.key' }, '', ['certain file-missing']],
    ['an empty certificate', { cert: empty, key: pairs.good.key }, '', ['likely file-unusable']],
    [
      'a group that the library does not know',
      pairs.good,
      'ssl_ecdh_curve X25519MLKEM768:X25519;',
      ['possible no-common-group'],
    ],
    ['a key of 1024 bits', pairs.weak, '', ['certain weak-certificate']],
  ] as const)
    await t.test(what, async () => {
      const directory = join(pairs.directory, `start-${what.replaceAll(/\W/g, '-')}`);
      mkdirSync(directory);
      const config = join(directory, 'nginx.conf');
      writeFileSync(
        config,
        `pid ${directory}/pid; events {} http { server { listen 127.0.0.1:1 ssl; ${withPair(pair)} ${more} } }\n`,
      );
      const { status, output } = await run(pathOf('nginx') ?? 'nginx', [
        '-t',
        '-p',
        directory,
        '-c',
        config,
        '-e',
        'stderr',
      ]);
      assert.notEqual(status, 0, output);
      const best = assertExplained(output, null, expected, 'nginx -t');
      if (what === 'no key') assert.equal(best.evidence.file, '/nonexistent/tls.key');
    });
});
