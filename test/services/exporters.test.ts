import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { prometheus } from '../../src/core/services/prometheus.ts';
import type { ClientPolicy } from '../../src/core/stack/stack.ts';
import { skipWithout } from '../servers/available.ts';
import { configure, install, remove, run, serviceSpec, take } from './applied.ts';
import { cleanup } from './cleanup.ts';
import { ask } from './fetch.ts';
import { type Look, look, serves, speak } from './look.ts';
import { directoryFor } from './own-user.ts';
import { PROGRAMS, startProgram } from './start-exporter.ts';
import { type TestPair, testAuthority } from './test-authority.ts';

const authority = testAuthority();
const foreign = testAuthority('Foreign Root');

for (const program of PROGRAMS) {
  const { kind, command } = program;
  const skip = skipWithout(command);

  test(`${kind.name} serves TLS after a restart, and a new pair without anything`, { skip }, async (t) => {
    const { restart, config, port } = await startProgram(t, program);
    await restart();
    const service = serviceSpec(kind, port, { settings: { config } });
    const at: Look = { port, ca: authority.ca };
    const [first, second] = [authority.issue(['serverAuth']), authority.issue(['serverAuth'])];

    const { desired } = configure(kind, service);
    assert.notEqual(desired.restart, null);
    assert.equal(desired.reload, null);
    install(desired, first);
    await take(desired);
    await restart();
    assert.ok(await serves(at, first));

    await t.test('the file is for the service to read, the key for nobody else', () => {
      assert.equal(statSync(config).mode & 0o777, 0o644);
      assert.equal(statSync(join(desired.install.directory, 'current', 'tls.key')).mode & 0o777, 0o600);
    });

    await t.test('policy is kept', async () => {
      assert.equal((await look(at)).chainLength, 2);
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
        assert.equal((await look({ ...at, minVersion: version, maxVersion: version })).version, version);
      await assert.rejects(look({ ...at, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
      await assert.rejects(look({ ...at, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }));
      assert.match(await speak(port, 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'), /^HTTP\/1\.[01] 400 /);
    });

    await t.test('a second run changes nothing and wants no restart', () => {
      const again = configure(kind, service);
      assert.equal(again.changed, false);
      assert.equal(again.desired.restart, null);
    });

    await t.test('a new pair is served at once, and never half of it', async () => {
      install(desired, second);
      assert.ok(await serves(at, second));
    });

    await t.test('a person’s own part of the file stays, and a second tls_server_config is told of', async () => {
      const own = `basic_auth_users:\n  admin: "$2y$05$x"\n${readFileSync(config, 'utf8')}`;
      writeFileSync(config, own);
      assert.equal(configure(kind, service).changed, false);
      const facts = {
        files: { [config]: `tls_server_config: {}\n${own}` },
        version: null,
        openssl: null,
        user: '',
        uid: 0,
        gid: 0,
      };
      assert.match(kind.unsupported(service, facts) ?? '', /tls_server_config of its own/);
      await remove(kind, serviceSpec(kind, port, { restart: 'true', settings: { config } }));
      assert.equal(readFileSync(config, 'utf8'), 'basic_auth_users:\n  admin: "$2y$05$x"\n');
    });
  });

  const alice = authority.issue(['clientAuth'], 'alice');
  const cases: readonly (readonly [
    clients: Exclude<ClientPolicy['kind'], 'required-names'>,
    who: string,
    client: TestPair | undefined,
    status: number,
  ])[] = [
    ['optional', 'nobody', undefined, 200],
    ['optional', 'alice', alice, 200],
    ['optional', 'a foreign alice', foreign.issue(['clientAuth'], 'alice'), 0],
    ['required', 'nobody', undefined, 0],
    ['required', 'alice', alice, 200],
    ['required', 'a server', authority.issue(['serverAuth'], 'alice'), 0],
  ];

  test(`${kind.name} verifies clients as declared, without a restart`, { skip }, async (t) => {
    const { restart, config, port } = await startProgram(t, program);
    let before: ClientPolicy['kind'] | null = null;
    for (const [clients, who, client, status] of cases) {
      const { desired } = configure(
        kind,
        serviceSpec(kind, port, { clients: { kind: clients }, settings: { config } }),
      );
      if (clients !== before) {
        install(desired, authority.issue(['serverAuth']));
        await take(desired);
        if (before === null) await restart();
        before = clients;
      }
      await t.test(`clients: ${clients}; ${who}: ${status || 'refused'}`, async () => {
        const path = kind === prometheus ? '/-/healthy' : '/metrics';
        const asked = ask({ port, path, ca: authority.ca, ...(client && { client }) });
        if (status === 0) await assert.rejects(asked);
        else assert.equal((await asked).status, status);
      });
    }
  });
}

test('promtool refuses a file that Prometheus would refuse', {
  skip: skipWithout('promtool', 'prometheus'),
}, async (t) => {
  const stack = cleanup(t);
  const directory = stack.use(directoryFor('prometheus'));
  const config = join(directory.path, 'web.yml');
  const { desired } = configure(prometheus, serviceSpec(prometheus, 1, { settings: { config } }));
  install(desired, authority.issue(['serverAuth']));
  writeFileSync(config, `${readFileSync(config, 'utf8')}tls_server_config: {}\n`);
  const outcome = desired.check && (await run(desired.check));
  assert.equal(outcome?.ok, false);
});
