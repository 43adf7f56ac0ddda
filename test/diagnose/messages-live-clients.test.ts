/** What clients in many languages print when a server or they themselves are broken, and what OpenSSL's server logs of it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AUTHORITY, OpensslTree, SERVER } from '../cli/openssl-tree.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { run, startServer } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { assertExplained, type Expected } from './messages-assert.ts';
import { CLIENTS, type Client, writeJavaClient } from './messages-clients.ts';
import { brokenPairs, type PairFiles } from './messages-pairs.ts';
import { type OpensslServer, startOpenssl, writtenSince } from './messages-servers.ts';

const pairs = brokenPairs();
const skip = skipWithout('openssl', 'curl', 'python3', 'gnutls-cli', 'wget');

type Name = keyof typeof CLIENTS | 'Go' | 'Java';

interface Broken {
  readonly pair: PairFiles;
  readonly options?: readonly string[];
  readonly ca?: string;
  readonly host?: string;
  readonly client?: PairFiles;
  /** Of all clients but those that are named; null: this client notices nothing, or cannot be made to. */
  readonly expect: Expected;
  readonly but?: Partial<Record<Name, Expected | null>>;
  /** Of the server's log, after s_client has been there. */
  readonly log?: Expected | null;
}

const VERIFY = ['-Verify', '3', '-CAfile', pairs.root, '-verify_return_error'];
/** Alert 40, whose reasons a client is not told. */
const REFUSED = ['likely no-common-suite', 'likely client-certificate-required', 'possible key-type-mismatch'];
const ONE_WORD = ['likely unknown-ca', 'likely chain-incomplete', 'possible self-signed'];

const BROKEN: Readonly<Record<string, Broken>> = {
  'an expired certificate': {
    pair: pairs.expired,
    expect: ['likely certificate-expired', 'possible clock-skew'],
    log: ['likely certificate-expired', 'possible clock-skew'],
  },
  'a certificate that begins later': {
    pair: pairs.future,
    expect: ['likely certificate-not-yet-valid', 'likely clock-skew'],
    log: ['likely unknown-ca', 'likely name-mismatch', 'possible certificate-not-yet-valid'],
  },
  'an authority that the client does not know': {
    pair: pairs.good,
    ca: pairs.otherRoot,
    expect: ['likely unknown-ca', 'likely chain-incomplete'],
    but: {
      'Node.js': ['likely unknown-ca', 'possible chain-incomplete'],
      'gnutls-cli': ONE_WORD,
      Wget: ONE_WORD,
      Go: ONE_WORD,
      Java: ONE_WORD,
    },
    log: ['likely unknown-ca', 'likely chain-incomplete'],
  },
  'an unknown root that is sent along': {
    pair: pairs.withRoot,
    ca: pairs.otherRoot,
    expect: ['likely unknown-ca', 'possible retired-ca'],
    but: { 'gnutls-cli': ONE_WORD, Wget: ONE_WORD, Go: ONE_WORD, Java: ONE_WORD },
  },
  'an intermediate that is left out': {
    pair: pairs.leafAlone,
    expect: ['likely unknown-ca', 'likely chain-incomplete'],
    but: {
      'Node.js': ['likely chain-incomplete', 'likely unknown-ca'],
      'gnutls-cli': ONE_WORD,
      Wget: ONE_WORD,
      Go: ONE_WORD,
      Java: ONE_WORD,
    },
  },
  'an authority that was made anew under its old name': {
    pair: pairs.withRoot,
    ca: pairs.formerRoot,
    expect: ['likely unknown-ca', 'possible retired-ca'],
    but: { 'gnutls-cli': ONE_WORD, Wget: ONE_WORD, Go: ['likely retired-ca', 'possible unknown-ca'], Java: null },
  },
  'a self-signed certificate': {
    pair: pairs.selfSigned,
    expect: ['certain self-signed'],
    but: { 'gnutls-cli': ONE_WORD, Wget: ONE_WORD, Go: ONE_WORD, Java: ONE_WORD },
  },
  'another name': {
    pair: pairs.otherName,
    expect: ['likely name-mismatch', 'possible no-subject-alt-name', 'possible ip-not-in-certificate'],
    but: {
      curl: ['certain name-mismatch'],
      'Node.js': ['certain name-mismatch'],
      Go: ['certain name-mismatch'],
      Java: ['likely name-mismatch', 'possible no-subject-alt-name'],
    },
  },
  'an address without an entry of its own': {
    pair: pairs.namesAlone,
    host: '127.0.0.1',
    expect: ['certain ip-not-in-certificate'],
    but: {
      // Asked to compare a name, it does not see that this is an address.
      'openssl s_client': ['likely name-mismatch', 'possible no-subject-alt-name', 'possible ip-not-in-certificate'],
      'gnutls-cli': ['likely name-mismatch', 'possible no-subject-alt-name', 'possible ip-not-in-certificate'],
    },
  },
  'a common name and no other': {
    pair: pairs.commonNameAlone,
    expect: ['certain no-subject-alt-name'],
    // The others still read it.
    but: {
      'openssl s_client': null,
      curl: null,
      'Node.js': null,
      Python: null,
      'gnutls-cli': null,
      Wget: null,
      Java: null,
    },
  },
  'a certificate for clients': {
    pair: pairs.forClients,
    expect: ['certain certificate-wrong-purpose'],
    but: { Wget: null, Java: ['likely certificate-wrong-purpose'] },
    log: ['likely certificate-wrong-purpose'],
  },
  'a key of 1024 bits': {
    pair: pairs.weak,
    options: ['-cipher', 'ALL:@SECLEVEL=0'],
    expect: ['certain weak-certificate'],
    but: { 'gnutls-cli': null, Wget: null, Go: null, Java: null },
  },
  'a client certificate that is wanted, in TLS 1.3': {
    pair: pairs.good,
    options: VERIFY,
    expect: ['certain client-certificate-required'],
    but: { Wget: null },
    log: ['certain client-certificate-required'],
  },
  'a client certificate that is wanted, in TLS 1.2': {
    pair: pairs.good,
    options: [...VERIFY, '-tls1_2'],
    expect: REFUSED,
    log: ['certain client-certificate-required'],
  },
  'a client certificate of another authority': {
    pair: pairs.good,
    options: [...VERIFY, '-tls1_2'],
    client: pairs.otherClient,
    expect: ['certain client-certificate-untrusted'],
    but: { Go: null, Java: null, 'gnutls-cli': null, Wget: null },
    log: ['certain client-certificate-untrusted'],
  },
  'an expired client certificate': {
    pair: pairs.good,
    options: [...VERIFY, '-tls1_2'],
    client: pairs.expiredClient,
    expect: ['certain client-certificate-expired'],
    but: { Go: null, Java: null, 'gnutls-cli': null, Wget: null },
    log: ['likely client-certificate-expired', 'possible clock-skew'],
  },
  'a client that shows a server’s certificate': {
    pair: pairs.good,
    options: [...VERIFY, '-tls1_2'],
    client: pairs.serverAsClient,
    expect: ['certain client-certificate-wrong-purpose'],
    but: { Go: null, Java: null, 'gnutls-cli': null, Wget: null },
    log: ['certain client-certificate-wrong-purpose'],
  },
  'suites for another type of key': {
    pair: pairs.rsa,
    options: ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
    expect: REFUSED,
    log: ['likely no-common-suite', 'likely key-type-mismatch'],
  },
  'a server of TLS 1.0': {
    pair: pairs.good,
    options: ['-tls1', '-cipher', 'ALL:@SECLEVEL=0'],
    // Debian's OpenSSL takes the version and refuses its signatures.
    expect: ['likely local-policy'],
    but: {
      'Node.js': ['certain no-common-protocol'],
      'gnutls-cli': null,
      Wget: null,
      Go: ['certain no-common-protocol'],
      Java: ['certain no-common-protocol'],
    },
  },
};

const servers = new Map<string, OpensslServer>();

before(async () => {
  if (skip) return;
  await Promise.all(
    Object.entries(BROKEN).map(async ([what, { pair, options }]) =>
      servers.set(what, await startOpenssl(pair, options)),
    ),
  );
});
after(() => Promise.all([...servers.values()].map((server) => server.stop())));

function serverOf(what: string): OpensslServer {
  const server = servers.get(what);
  assert.ok(server, what);
  return server;
}

function expectedOf({ expect, but }: Broken, name: Name): Expected | null {
  const other = but?.[name];
  return other === undefined ? expect : other;
}

for (const [what, broken] of Object.entries(BROKEN))
  test(`${what}, as clients say it`, { skip }, async () => {
    const server = serverOf(what);
    const { host = 'localhost', ca = pairs.root, client, log } = broken;
    const attempt = { host, ca, port: server.port, ...(client && { client }) };
    // The looks at whether it is ready are in the log as well.
    const before = server.output().length;
    for (const [name, connect] of Object.entries(CLIENTS) as [keyof typeof CLIENTS, Client][]) {
      const expected = expectedOf(broken, name);
      if (expected === null) continue;
      assertExplained(await connect(attempt), null, expected, name);
      if (name === 'openssl s_client' && log)
        assertExplained(await writtenSince(server, before), 'server', log, 'its log');
    }
  });

test('the same, as Java says it', { skip: skip || skipWithout('java', 'javac') }, async () => {
  const source = writeJavaClient(pairs.directory);
  const all = Object.entries(BROKEN).filter(([, broken]) => expectedOf(broken, 'Java') !== null && !broken.client);
  for (const ca of new Set(all.map(([, broken]) => broken.ca ?? pairs.root))) {
    const these = all.filter(([, broken]) => (broken.ca ?? pairs.root) === ca);
    const targets = these.map(([what, { host = 'localhost' }]) => `${host}:${serverOf(what).port}`);
    const { output } = await run('java', ['-XX:TieredStopAtLevel=1', source, ca, ...targets]);
    const parts = output.split(/^=====.*$/m).slice(1);
    assert.equal(parts.length, these.length, output);
    for (const [i, [what, broken]] of these.entries())
      assertExplained(parts[i] ?? '', null, expectedOf(broken, 'Java') ?? [], `Java, ${what}`);
  }
});

test('the same, as Go says it', { skip: skip || skipWithout('prometheus-blackbox-exporter') }, async (t) => {
  const modules = { root: pairs.root, otherRoot: pairs.otherRoot, formerRoot: pairs.formerRoot };
  const config = join(pairs.directory, 'blackbox.yml');
  writeFileSync(
    config,
    `modules:\n${Object.entries(modules)
      .map(
        ([name, ca]) =>
          `  ${name}: { prober: http, timeout: 3s, http: { preferred_ip_protocol: ip4, tls_config: { ca_file: ${ca} } } }\n`,
      )
      .join('')}`,
  );
  const port = await freePort();
  const exporter = await startServer(
    'prometheus-blackbox-exporter',
    [`--config.file=${config}`, `--web.listen-address=127.0.0.1:${port}`],
    { isReady: () => acceptsConnections(port) },
  );
  t.after(() => exporter.stop());
  for (const [what, broken] of Object.entries(BROKEN)) {
    const expected = expectedOf(broken, 'Go');
    if (expected === null) continue;
    const { host = 'localhost', ca = pairs.root } = broken;
    const [module] = Object.entries(modules).find(([, file]) => file === ca) ?? ['root'];
    const target = encodeURIComponent(`https://${host}:${serverOf(what).port}/`);
    const answer = await fetch(`http://127.0.0.1:${port}/probe?module=${module}&debug=true&target=${target}`);
    assertExplained(await answer.text(), null, expected, `Go, ${what}`);
  }
});

test('a revoked certificate, and a chain that breaks the rules', { skip }, async (t) => {
  const tree = new OpensslTree();
  t.after(() => tree.remove());
  const names = `${SERVER}\nsubjectAltName=DNS:localhost`;
  const ca = tree.issue('root', null, AUTHORITY);
  tree.issue('revoked', 'root', names);
  tree.issue('no-authority', 'root', names);
  tree.issue('below', 'no-authority', names);
  const list = tree.list('root.crl', 'root', { revoked: ['revoked'] });
  const pairOf = (name: string, rest?: string): PairFiles => ({
    cert: tree.path(`${name}.crt`),
    key: tree.path(`${name}.key`),
    ...(rest !== undefined && { rest: tree.path(`${rest}.crt`) }),
  });
  const [revoked, invalid] = [
    await startOpenssl(pairOf('revoked')),
    await startOpenssl(pairOf('below', 'no-authority')),
  ];
  t.after(() => Promise.all([revoked.stop(), invalid.stop()]));
  const before = revoked.output().length;
  const attempt = { port: revoked.port, ca, options: ['-crl_check', '-CRL', list] };
  assertExplained(await CLIENTS['openssl s_client'](attempt), null, ['certain certificate-revoked'], 's_client');
  assertExplained(await writtenSince(revoked, before), 'server', ['certain certificate-revoked'], 'its log');
  const curl = await run('curl', ['-sS', '--cacert', ca, '--crlfile', list, `https://localhost:${revoked.port}/`]);
  assertExplained(curl.output, null, ['certain certificate-revoked'], 'curl');
  for (const name of ['openssl s_client', 'curl', 'Node.js', 'Python'] as const)
    assertExplained(await CLIENTS[name]({ port: invalid.port, ca }), null, ['likely certificate-invalid'], name);
});

test('a client that was told not to verify', { skip }, async () => {
  const { output } = await run(
    process.execPath,
    ['-e', "require('node:tls').connect(1, '127.0.0.1').on('error', () => {})"],
    {
      env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    },
  );
  assertExplained(output, null, ['certain url-not-verifying'], 'Node.js');
});

test('a server in Go that wants client certificates: its log has the reason that its clients are not told', {
  skip: skip || skipWithout('prometheus-blackbox-exporter'),
}, async (t) => {
  const port = await freePort();
  const config = pairs.write('go-server.yml', 'modules: { http: { prober: http } }\n');
  const web = pairs.write(
    'go-server-web.yml',
    `tls_server_config: { cert_file: ${pairs.good.cert}, key_file: ${pairs.good.key}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ${pairs.root} }\n`,
  );
  const server = await startServer(
    'prometheus-blackbox-exporter',
    [`--config.file=${config}`, `--web.listen-address=127.0.0.1:${port}`, `--web.config.file=${web}`],
    { isReady: () => acceptsConnections(port) },
  );
  t.after(() => server.stop());
  const cases: readonly (readonly [client: PairFiles | null, log: Expected])[] = [
    [null, ['certain client-certificate-required']],
    [pairs.otherClient, ['certain client-certificate-untrusted']],
    [pairs.expiredClient, ['likely client-certificate-expired', 'possible clock-skew']],
    [pairs.serverAsClient, ['certain client-certificate-wrong-purpose']],
  ];
  for (const [client, log] of cases) {
    // What it says of the looks at whether it is ready may come late.
    await sleep(100);
    const before = server.output().length;
    await CLIENTS.Python({ port, ca: pairs.root, ...(client && { client }) });
    assertExplained(await writtenSince(server, before), null, log, 'the log');
  }
  const { output } = await run('curl', ['-sS', `http://127.0.0.1:${port}/`]);
  assertExplained(output, null, ['certain tls-service'], 'curl');
});
