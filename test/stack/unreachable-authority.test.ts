/** What can be told of a stack while its authority cannot be asked, and what of it needs the authority. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fullchain, scratch, up } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { startNginx } from '../services/start-nginx.ts';
import { PASSWORD, startRedis } from '../services/start-redis.ts';
import { freePort } from '../world/free-port.ts';

interface Service {
  readonly name: string;
  readonly ok: boolean;
  readonly state: string;
  readonly notAfter: string;
  readonly checks: readonly { readonly id: string; readonly ok: boolean | null; readonly observed: string }[];
}

const DOWN = /the authority at https:\/\/\S+ cannot be reached: connect ECONNREFUSED/;

test('an authority that is down: everything but what takes a new certificate, and the reason once', {
  skip: skipWithout('nginx', 'redis-server') || (!IS_ROOT && 'skipped: needs root, to run servers as their own users'),
}, async (t) => {
  const directory = scratch(t);
  const [authorityState, state, file] = ['authority', 'state', 'fullchain.yaml'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  const [nginx, redis] = [await startNginx(t), await startRedis(t)];
  assert.equal(fullchain(['ca', 'init', '--state', authorityState, '--dns', 'localhost']).status, 0);
  const authority = await up(t, authorityState);
  writeFileSync(
    file,
    `stack: shop
authority: { url: "${authority.ready.url}", fingerprint: ${authority.ready.rootFingerprint}, provisioner: admin, passwordFile: ${authorityState}/secrets/provisioner_password }
services:
  site: { kind: nginx, names: [localhost], address: "localhost:${nginx.port}", config: ${nginx.config}, upstream: "${nginx.settings.upstream}", command: ${nginx.settings.command}, clients: optional }
  cache: { kind: redis, names: [localhost], address: "localhost:${redis.port}", config: ${redis.config}, passwordFile: ${redis.passwordFile}, clients: required }
clients:
  app: { connects: [site, cache], names: [app], directory: ${directory}/app }
`,
  );
  const command = (name: string, ...args: readonly string[]) =>
    run(process.execPath, [LAUNCHER, name, ...args, '--file', file, '--state', state]);
  const answer = async (name: string) => {
    const { status, stdout } = await command(name, '--json');
    return { exit: status, ...JSON.parse(stdout) };
  };
  const checksOf = (services: readonly Service[], name: string): Readonly<Record<string, boolean | null>> =>
    Object.fromEntries(services.find((one) => one.name === name)?.checks.map(({ id, ok }) => [id, ok]) ?? []);
  const assertOk = ({ services, clients }: { services: readonly Service[]; clients: readonly Service[] }): void => {
    for (const { name, state, notAfter } of [...services, ...clients]) {
      assert.equal(state, 'ok', name);
      assert.match(notAfter, /^20/);
    }
  };
  const applied = await command('apply');
  assert.equal(applied.status, 0, applied.output);
  const before = await answer('verify');
  assert.deepEqual([before.exit, before.ok, before.authority], [0, true, undefined]);
  await authority.stop();

  await t.test('status and plan go by the roots that were known last', async () => {
    const status = await answer('status');
    assertOk(status);
    assert.deepEqual([status.exit, status.authority.ok, status.authority.roots], [0, false, 'known']);
    assert.match(status.authority.error.detail, DOWN);
    assert.match(status.authority.error.remedy, /curl .*\/health/);
    const plan = await answer('plan');
    assert.deepEqual(
      [plan.exit, plan.changes.map(({ action }: { action: string }) => action), plan.authority.roots],
      [0, ['none', 'none', 'none'], 'known'],
    );
    for (const name of ['status', 'plan']) {
      const { output } = await command(name);
      assert.equal(output.match(/cannot be reached/g)?.length, 1, output);
      assert.match(output, /next: Check that the authority runs/);
    }
  });

  await t.test('verify proves what it can without a new certificate, and is not content', async () => {
    const { exit, ok, services, clients, authority: asked } = await answer('verify');
    assert.deepEqual([exit, ok], [3, false]);
    assert.match(asked.error.detail, DOWN);
    for (const name of ['site', 'cache']) {
      const { clients: untried, ...others } = checksOf(services, name);
      assert.equal(untried, null);
      assert.deepEqual(
        Object.entries(others).filter(([, ok]) => ok !== true),
        [],
        name,
      );
    }
    const [{ checks } = assert.fail()]: readonly Service[] = services;
    assert.match(checks.find(({ id }) => id === 'clients')?.observed ?? '', /^not tried: the authority at /);
    assert.deepEqual(
      clients.map(({ ok }: Service) => ok),
      [true],
      'its certificate is there already',
    );
    const { output, status } = await command('verify');
    assert.equal(status, 3);
    assert.equal(output.match(/cannot be reached/g)?.length, 1, output);
    assert.match(output, /✓ cache .*\n {4}not tried: clients\n/);
  });

  await t.test('a service that ends each handshake without a certificate: neither accepted nor refused', async () => {
    const tls = ['--tls', '--cacert', `${directory}/app/ca.crt`];
    const shown = ['--cert', `${directory}/app/client.crt`, '--key', `${directory}/app/client.key`];
    const limit = (versions: string) =>
      run(
        'redis-cli',
        ['-h', 'localhost', '-p', String(redis.port), ...tls, ...shown, 'CONFIG', 'SET', 'tls-protocols', versions],
        { env: { REDISCLI_AUTH: PASSWORD } },
      );
    assert.match((await limit('TLSv1.2')).output, /OK/);
    const { exit, services } = await answer('verify');
    assert.equal(exit, 1);
    const { served, chain, names, protocols, suites, ...others } = checksOf(services, 'cache');
    assert.deepEqual({ served, chain, protocols }, { served: true, chain: true, protocols: false });
    assert.deepEqual(
      { names, wrong: others['wrong-name'], foreign: others['foreign-ca'], clients: others.clients },
      { names: null, wrong: null, foreign: null, clients: null },
    );
    assert.match((await limit('TLSv1.2 TLSv1.3')).output, /OK/);
  });

  await t.test('roots that were never fetched are those beside the installed pairs', async () => {
    rmSync(join(state, 'authorities'), { recursive: true });
    const status = await answer('status');
    assertOk(status);
    assert.deepEqual([status.exit, status.authority.roots], [3, 'installed']);
    const { exit, services } = await answer('verify');
    assert.equal(exit, 3);
    assert.equal(checksOf(services, 'site').chain, true);
    assert.equal(checksOf(services, 'cache').foreign, undefined);
    const plan = await answer('plan');
    assert.deepEqual(
      [plan.exit, plan.changes.map(({ action }: { action: string }) => action)],
      [3, ['none', 'none', 'none']],
    );
    const applied = await command('apply');
    assert.equal(applied.status, 3, 'what changes things goes by no guess');
    assert.match(applied.output, DOWN);
  });
});

test('an authority that was never reached, and nothing installed: the plan is told all the same', async (t) => {
  const directory = scratch(t);
  const file = join(directory, 'fullchain.yaml');
  writeFileSync(
    file,
    `stack: shop
authority: { url: "https://localhost:${await freePort()}", fingerprint: ${'ab'.repeat(32)}, tokenFile: ${directory}/token }
services:
  app: { kind: files, names: [app], certificate: ${directory}/a.crt, key: ${directory}/a.key, reload: "true" }
`,
  );
  const command = (name: string) => fullchain([name, '--json', '--file', file, '--state', join(directory, 'state')]);
  const [plan, status] = [command('plan'), command('status')];
  assert.deepEqual([plan.status, status.status], [3, 3]);
  const { changes, authority } = JSON.parse(plan.stdout);
  assert.deepEqual(
    [changes.map(({ action }: { action: string }) => action), authority.roots],
    [['issue', 'install', 'reload'], 'none'],
  );
  assert.equal(JSON.parse(status.stdout).services[0].state, 'unmanaged');
});

test('a password that is missing hinders only the certificates to try with', {
  skip: skipWithout('nginx'),
}, async (t) => {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const nginx = await startNginx(t);
  const password = join(directory, 'password');
  writeFileSync(password, 'a long enough password', { mode: 0o600 });
  assert.equal(fullchain(['ca', 'init', '--state', state, '--password-file', password]).status, 0);
  writeFileSync(
    file,
    `stack: shop\nservices:\n  site: { kind: nginx, names: [localhost], address: "localhost:${nginx.port}", config: ${nginx.config}, upstream: "${nginx.settings.upstream}", command: ${nginx.settings.command}, clients: optional }\n`,
  );
  const command = (...args: readonly string[]) =>
    run(process.execPath, [LAUNCHER, ...args, '--json', '--file', file, '--state', state]);
  const applied = await command('apply', '--password-file', password);
  assert.equal(applied.status, 0, applied.output);
  assert.equal((await command('verify', '--password-file', password)).status, 0);
  const { status, stdout } = await command('verify');
  const { services, authority } = JSON.parse(stdout);
  assert.equal(status, 1);
  assert.match(`${authority.error.detail} ${authority.error.remedy}`, /password.*--password-file/);
  assert.deepEqual(
    services[0].checks.filter(({ ok }: { ok: boolean | null }) => ok !== true).map(({ id }: { id: string }) => id),
    ['clients'],
  );
});
