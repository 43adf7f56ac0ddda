import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { caddy } from '../../src/core/services/caddy.ts';
import type { ClientPolicy, ServiceSpec } from '../../src/core/stack/stack.ts';
import { scratch } from '../ca/command-line.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run as runProgram, startServer, until } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { configure, install, remove, run, serviceSpec, take } from './applied.ts';
import { cleanup } from './cleanup.ts';
import { ask } from './fetch.ts';
import { type Look, look, serves, speak } from './look.ts';
import { as, directoryFor } from './own-user.ts';
import { NAMES, type TestPair, testAuthority } from './test-authority.ts';
import { startUpstream } from './upstream.ts';

const skip = skipWithout('caddy');

const authority = testAuthority();
const foreign = testAuthority('Foreign Root');

async function startCaddy(t: TestContext, prepare: (directory: string) => string = () => '') {
  const stack = cleanup(t);
  const directory = stack.use(directoryFor('caddy'));
  const etc = join(directory.path, 'etc');
  mkdirSync(etc);
  const config = join(etc, 'Caddyfile');
  const adminPort = await freePort();
  const admin = `127.0.0.1:${adminPort}`;
  // The port for redirects is everybody's; here it is left alone.
  const text = `{\n\tadmin ${admin}\n\tauto_https disable_redirects\n}\n${prepare(etc)}`;
  writeFileSync(config, text);
  const start = async () => {
    const [program, args] = as('caddy', ['caddy', 'run', '--config', config, '--adapter', 'caddyfile']);
    const server = await startServer(program, args, {
      env: {
        HOME: directory.own,
        XDG_DATA_HOME: join(directory.own, 'data'),
        XDG_CONFIG_HOME: join(directory.own, 'config'),
      },
      isReady: () => acceptsConnections(adminPort),
    });
    stack.defer(async () => void (await server.stop()));
    return server;
  };
  return { start, config, admin, text };
}

test('Caddy gets a site with TLS, renews, refuses a broken pair, and goes back', { skip }, async (t) => {
  const { start, config, admin, text } = await startCaddy(t);
  await start();
  await using upstream = await startUpstream();
  const port = await freePort();
  const service = serviceSpec(caddy, port, { settings: { config, admin, upstream: upstream.url } });
  const at: Look = { port, ca: authority.ca };
  const [first, second] = [authority.issue(['serverAuth']), authority.issue(['serverAuth'])];

  const { desired } = configure(caddy, service);
  install(desired, first);
  await take(desired);
  await until(() => serves(at, first), 'TLS', 10_000);

  await t.test('policy is kept', async () => {
    assert.equal((await look(at)).chainLength, 2);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      assert.equal((await look({ ...at, minVersion: version, maxVersion: version })).version, version);
    await assert.rejects(look({ ...at, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
    await assert.rejects(look({ ...at, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }));
    assert.match(await speak(port, 'GET / HTTP/1.1\r\nhost: service.internal\r\n\r\n'), /^HTTP\/1\.[01] 400 /);
  });

  await t.test('the key belongs to the user of the server', () => {
    assert.equal(statSync(join(desired.install.directory, 'current', 'tls.key')).mode & 0o777, 0o600);
  });

  await t.test('requests reach the upstream, without what the client made up', async () => {
    const made = { 'x-client-cn': 'admin', 'x-client-dn': 'CN=admin', 'x-client-verify': 'SUCCESS' };
    // Many upstreams read these as the names above.
    const alike = { x_client_cn: 'admin', 'X_CLIENT-DN': 'CN=admin', 'X-Client_Verify': 'SUCCESS', x_other: 'kept' };
    const { headers } = JSON.parse((await ask({ port, ca: authority.ca, headers: { ...made, ...alike } })).body);
    const odd = Object.keys(headers).filter((name) => name.includes('_'));
    assert.deepEqual(odd, ['x_other']);
    assert.equal(headers['x-client-verify'], 'NONE');
    assert.equal(headers['x-client-dn'], undefined);
    assert.equal(headers['x-client-cn'], undefined);
  });

  await t.test('a second run changes nothing', () => {
    assert.equal(configure(caddy, service).changed, false);
  });

  await t.test('a new pair is served after the reload', async () => {
    install(desired, second);
    assert.ok(await serves(at, first));
    await take(desired);
    await until(() => serves(at, second), 'the second pair', 10_000);
  });

  await t.test(
    'a pair that does not fit is refused by the check and by the reload, and the old one is served',
    async () => {
      install(desired, first, { key: second.key });
      for (const action of [desired.check, desired.reload]) {
        const outcome = action && (await run(action));
        assert.equal(outcome?.ok, false);
        assert.match(outcome.output, /private key does not match public key/);
      }
      assert.ok(await serves(at, second));
      install(desired, second);
    },
  );

  await t.test('taken out again, the file is as it was', async () => {
    await remove(caddy, service);
    assert.equal(readFileSync(config, 'utf8'), text);
    assert.equal(existsSync(join(config, '..', 'fullchain-svc.tls')), false);
    await until(async () => !(await acceptsConnections(port)), 'the end of the listener', 10_000);
  });
});

const alice = authority.issue(['clientAuth'], 'alice');

const CASES: readonly (readonly [clients: ClientPolicy, who: string, client: TestPair | undefined, heard: string])[] = [
  [{ kind: 'optional' }, 'nobody', undefined, 'NONE undefined undefined'],
  [{ kind: 'optional' }, 'alice', alice, 'SUCCESS CN=alice alice'],
  [{ kind: 'optional' }, 'a foreign alice', foreign.issue(['clientAuth'], 'alice'), 'refused'],
  [{ kind: 'required' }, 'nobody', undefined, 'refused'],
  [{ kind: 'required' }, 'alice', alice, 'SUCCESS CN=alice alice'],
  [
    { kind: 'required' },
    'one who has a comma in its name',
    authority.issue(['clientAuth'], 'mallory,CN=alice'),
    'SUCCESS CN=mallory\\,CN=alice mallory\\,CN=alice',
  ],
  [{ kind: 'required' }, 'a server', authority.issue(['serverAuth'], 'alice'), 'refused'],
];

test('clients are verified as declared, and the upstream hears who they are', { skip }, async (t) => {
  const { start, config, admin } = await startCaddy(t);
  await start();
  await using upstream = await startUpstream();
  const port = await freePort();
  let before: ServiceSpec['clients'] | null = null;
  for (const [clients, who, client, heard] of CASES) {
    const service = serviceSpec(caddy, port, { clients, settings: { config, admin, upstream: upstream.url } });
    const { desired } = configure(caddy, service);
    if (clients !== before) {
      const pair = authority.issue(['serverAuth']);
      install(desired, pair);
      await take(desired);
      await until(() => serves({ port, ca: authority.ca, client: alice }, pair), 'TLS', 10_000);
      before = clients;
    }
    await t.test(`clients: ${clients.kind}; ${who}: ${heard}`, async () => {
      const made = { 'x-client-dn': 'CN=root', 'x-client-cn': 'root', 'x-client-verify': 'SUCCESS' };
      const asked = ask({ port, ca: authority.ca, headers: made, ...(client && { client }) });
      if (heard === 'refused') return void (await assert.rejects(asked));
      const { headers } = JSON.parse((await asked).body);
      assert.equal(`${headers['x-client-verify']} ${headers['x-client-dn']} ${headers['x-client-cn']}`, heard);
    });
  }
});

test('with client certificates a request by address is answered 421, which is said; and no other name leads around them', {
  skip,
}, async (t) => {
  const port = await freePort();
  const { start, config, admin, text } = await startCaddy(
    t,
    (etc) =>
      `https://other.internal:${port} {\n\ttls ${etc}/fullchain-other.tls.crt ${etc}/fullchain-other.tls.key\n\trespond open\n}\n`,
  );
  const other = authority.issue(['serverAuth']);
  const beside = join(config, '..', 'fullchain-other.tls');
  for (const [part, content] of [
    ['crt', other.chain],
    ['key', other.key],
  ] as const)
    writeFileSync(`${beside}.${part}`, content, { mode: 0o644 });
  await start();
  await using upstream = await startUpstream();
  const service = serviceSpec(caddy, port, {
    clients: { kind: 'required' },
    settings: { config, admin, upstream: upstream.url },
  });
  const { desired } = configure(caddy, service);
  assert.match(desired.notes.join(), /answers 421 to whoever connects by IP address/);
  const pair = authority.issue(['serverAuth']);
  install(desired, pair);
  await take(desired);
  await until(() => serves({ port, ca: authority.ca, client: alice }, pair), 'TLS', 10_000);

  const asked = { port, ca: authority.ca };
  assert.equal((await ask({ ...asked, client: alice })).status, 200);
  const byAddress = { ...asked, serverName: '', headers: { host: `127.0.0.1:${port}` } };
  assert.equal((await ask({ ...byAddress, client: alice })).status, 421);
  assert.equal(
    (await ask({ ...asked, serverName: 'other.internal', headers: { host: 'other.internal' }, isVerified: false }))
      .body,
    'open',
  );
  // Whoever shows no certificate gets nothing of this site, whatever is named where.
  for (const host of ['service.internal', '127.0.0.1', '[::1]', 'localhost']) {
    for (const serverName of ['', 'other.internal', 'unknown.internal', 'service.internal']) {
      const answer = await ask({ ...asked, serverName, headers: { host }, isVerified: false }).catch(() => null);
      assert.ok(
        answer === null || answer.status === 421,
        `${host} by way of ${serverName || 'no name'}: ${answer?.status}`,
      );
    }
  }
  assert.ok(readFileSync(config, 'utf8').startsWith(text));

  const names = NAMES.filter(({ kind }) => kind === 'ip');
  const impossible = (clients: ClientPolicy) => caddy.impossible({ ...service, names, clients });
  assert.match(impossible({ kind: 'required' })?.why ?? '', /needs a DNS name in "names"/);
  assert.equal(impossible({ kind: 'none' }), null);
  const { notes } = configure(caddy, { ...service, names: NAMES.filter(({ kind }) => kind === 'dns') }).desired;
  assert.doesNotMatch(notes.join(), /421/);
});

test('apply, and verify finds clients treated as declared, although an address is among the names', {
  skip,
}, async (t) => {
  const { start, config, admin } = await startCaddy(t);
  await start();
  await using upstream = await startUpstream();
  const port = await freePort();
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const command = async (...args: readonly string[]) => {
    const { status, stdout, output } = await runProgram(process.execPath, [
      LAUNCHER,
      ...args,
      '--json',
      '-f',
      file,
      '--state',
      state,
    ]);
    assert.equal(status, 0, output);
    return JSON.parse(stdout);
  };
  for (const clients of ['required', 'optional']) {
    writeFileSync(
      file,
      `stack: test
services:
  site:
    kind: caddy
    names: [service.internal, 127.0.0.1]
    address: 127.0.0.1:${port}
    clients: ${clients}
    config: ${config}
    admin: ${admin}
    upstream: ${upstream.url}
`,
    );
    assert.match(JSON.stringify((await command('plan')).notes), /answers 421/);
    await command('apply');
    const { services } = await command('verify');
    assert.deepEqual(
      services[0].checks.filter(({ ok }: { ok: boolean | null }) => ok === null),
      [],
    );
  }
});

test('a site of a person’s own imports the pair', { skip }, async (t) => {
  const port = await freePort();
  const { start, config, admin, text } = await startCaddy(
    t,
    (etc) => `https://service.internal:${port} {\n\timport ${etc}/fullchain-svc.tls\n\trespond hello\n}\n`,
  );
  const service = serviceSpec(caddy, port, { tls: 'modern', settings: { config, admin } });
  const { desired } = configure(caddy, service);
  assert.deepEqual(desired.notes, []);
  const pair = authority.issue(['serverAuth']);
  install(desired, pair);
  await start();
  await take(desired);
  assert.equal((await ask({ port, ca: authority.ca })).body, 'hello');
  assert.ok(await serves({ port, ca: authority.ca }, pair));
  await assert.rejects(look({ port, ca: authority.ca, maxVersion: 'TLSv1.2' }));
  assert.equal(readFileSync(config, 'utf8'), text);
});
