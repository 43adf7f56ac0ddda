/** Members that cannot be planned beside one that can: each is reported for itself, by every command. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHECK_IDS } from '../../src/flow/agent/verify/verify-service.ts';
import { startAgent, until } from '../agent/running-agent.ts';
import { fullchain, scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { startNginx } from '../services/start-nginx.ts';
import { startRedis } from '../services/start-redis.ts';

interface Told {
  readonly name: string;
  readonly ok: boolean;
  readonly state: string;
  readonly why: string;
  readonly notAfter: string | null;
  readonly error?: Words;
  readonly lastError?: Words;
  readonly checks: readonly { readonly id: string; readonly ok: boolean | null; readonly observed: string }[];
  readonly connects: readonly { readonly service: string; readonly ok: boolean | null }[];
}

interface Words {
  readonly step: string;
  readonly detail: string;
  readonly remedy: string;
  readonly where?: unknown;
}

interface Change {
  readonly service?: string;
  readonly client?: string;
  readonly action: string;
  readonly error?: Words;
}

test('a broken member is reported for itself, and the others as if it were not there', {
  skip: skipWithout('nginx', 'redis-server') || (!IS_ROOT && 'skipped: needs root, to run servers as their own users'),
}, async (t) => {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const [nginx, redis] = [await startNginx(t), await startRedis(t)];
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  mkdirSync(join(directory, 'grafana.ini'));
  writeFileSync(join(directory, 'no-directory'), '');
  mkdirSync(join(directory, 'old'));
  writeFileSync(join(directory, 'old', 'PG_VERSION'), '11\n');
  const good = `stack: shop
services:
  site: { kind: nginx, names: [localhost], address: "localhost:${nginx.port}", config: ${nginx.config}, upstream: "${nginx.settings.upstream}", command: ${nginx.settings.command} }
  cache: { kind: redis, names: [localhost], address: "localhost:${redis.port}", config: ${redis.config}, passwordFile: ${redis.passwordFile} }
`;
  const command = async (name: string, ...args: readonly string[]) => {
    const ran = await run(process.execPath, [LAUNCHER, name, ...args, '--file', file, '--state', state]);
    assert.doesNotMatch(ran.output, /bug:/);
    return ran;
  };
  const answer = async (name: string) => {
    const { status, stdout } = await command(name, '--json');
    return { status, ...JSON.parse(stdout) };
  };
  writeFileSync(file, good);
  assert.equal((await command('apply')).status, 0);
  assert.equal((await command('status')).status, 0);

  renameSync(redis.config, `${redis.config}.gone`);
  writeFileSync(
    file,
    `${good}  db: { kind: postgresql, names: [localhost], address: "localhost:1", data: ${directory}/no-directory }
  old: { kind: postgresql, names: [localhost], address: "localhost:1", data: ${directory}/old }
  charts: { kind: grafana, names: [localhost], address: "localhost:1", config: ${directory}/grafana.ini }
  app: { kind: files, names: [localhost], certificate: ${directory}/a.crt, key: ${directory}/a.key, owner: nobody-of-here }
clients:
  batch: { connects: [site], names: [batch], directory: ${directory}/batch, owner: nobody-of-here }
`,
  );
  /** Cause with its place, and the next command. */
  const said: Readonly<Record<string, RegExp>> = {
    cache: /redis\.conf is missing/,
    old: /PostgreSQL 11 is too old: supported from 12 on.*Correct the service in the stack file/,
    db: /no-directory\/\S+ cannot be read .*ls -l .*no-directory/,
    charts: /grafana\.ini cannot be read .*ls -l .*grafana\.ini/,
    app: /no user nobody-of-here.*getent passwd nobody-of-here/,
    batch: /no user nobody-of-here.*getent passwd nobody-of-here/,
  };
  const lineOf = (name: string): number =>
    readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((line) => line.startsWith(`  ${name}:`)) + 1;
  const broken = Object.keys(said).sort();
  const assertSaid = (name: string, words: Words | undefined): void => {
    assert.equal(words?.step, 'plan', name);
    assert.match(`${words.detail} ${words.remedy}`, said[name] ?? /never/);
    assert.deepEqual(words.where, { file, line: lineOf(name), column: 3 });
  };

  await t.test('plan: one line each, exit 1', async () => {
    const { status, ok, changes } = await answer('plan');
    assert.deepEqual([status, ok], [1, false]);
    const of = (name: string): Change[] =>
      changes.filter(({ service, client }: Change) => (service ?? client) === name);
    assert.deepEqual(
      of('site').map(({ action }) => action),
      ['none'],
    );
    for (const name of broken) {
      assert.deepEqual(
        of(name).map(({ action }) => action),
        ['none'],
      );
      assertSaid(name, of(name)[0]?.error);
    }
    const { stdout } = await command('plan');
    assert.match(stdout, /^site +none /m);
    assert.match(
      stdout,
      /^app +failed +\/\S+\/fullchain\.yaml:8:3: this host has no user nobody-of-here\n {4}next: Name the user.*getent/m,
    );
  });

  await t.test('status: failed with its why, and until when the installed pair lasts', async () => {
    const { status, services, clients } = await answer('status');
    assert.equal(status, 1);
    const told: readonly Told[] = [...services, ...clients];
    assert.equal(told.find(({ name }) => name === 'site')?.state, 'ok');
    assert.deepEqual(
      told
        .filter(({ state }) => state === 'failed')
        .map(({ name }) => name)
        .sort(),
      broken,
    );
    for (const { name, lastError } of told) if (name !== 'site') assertSaid(name, lastError);
    assert.match(told.find(({ name }) => name === 'cache')?.notAfter ?? '', /^20\d\d-/);
    assert.match((await command('status')).stdout, /^charts +failed +\/\S+\/fullchain\.yaml:7:3: .*\n {4}next: /m);
  });

  await t.test('verify: nothing is tried of it, and everything of the others', async () => {
    const { status, ok, services, clients } = await answer('verify');
    assert.deepEqual([status, ok], [1, false]);
    const [site, ...others]: readonly Told[] = services;
    assert.equal(site?.ok, true, JSON.stringify(site));
    assert.ok(site.checks.filter((check) => check.ok === true).length >= 9);
    for (const { name, ok, error, checks } of others) {
      assert.equal(ok, false);
      assertSaid(name, error);
      assert.deepEqual(
        checks.map((check) => [check.id, check.ok]),
        name === 'app' ? [] : CHECK_IDS.map((id) => [id, null]),
      );
    }
    const [batch]: readonly Told[] = clients;
    assertSaid('batch', batch?.error);
    assert.deepEqual(
      batch?.connects.map(({ service, ok }) => [service, ok]),
      [['site', null]],
    );
    assert.match(
      (await command('verify')).stdout,
      /✗ db .*\n {4}\/\S+\/fullchain\.yaml:5:3: .*no-directory\/\S+ cannot be read.*\n {4}next: .*ls -l/,
    );
  });

  await t.test('apply and agent: a failure of its own, in the same words', async () => {
    const { status, services, clients } = await answer('apply');
    assert.equal(status, 1);
    const told: readonly (Told & { steps: readonly Words[] })[] = [...services, ...clients];
    assert.deepEqual(
      told
        .filter(({ ok }) => !ok)
        .map(({ name }) => name)
        .sort(),
      broken,
    );
    for (const { name, ok, steps } of told)
      if (!ok) {
        assert.match(`${steps[0]?.detail} ${steps[0]?.remedy}`, said[name] ?? /never/);
        assert.ok(steps[0]?.detail.startsWith(`${file}:${lineOf(name)}:3: `));
      }

    const agent = startAgent(t, file, join(directory, 'state'), '--interval', '1s');
    const failures = () => agent.log().filter(({ failures }) => failures !== undefined);
    // What failed by hand is tried again later: a new state of the file is looked at as a whole.
    await until(() => failures().length >= broken.length, 'every broken member', 60);
    for (const { member, ...words } of failures())
      assertSaid(String(member).split('/')[1] ?? '', words as unknown as Words);
    assert.equal(await agent.stop(), 0);
  });
});
