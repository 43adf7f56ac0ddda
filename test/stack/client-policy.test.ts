/** Whom a live server lets in follows the stack file both ways: each apply is proven, and nothing is left to do. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';
import { startMariaDb } from '../services/start-mariadb.ts';
import { EVERYBODY, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { PASSWORD, startRedis } from '../services/start-redis.ts';

interface Change {
  readonly action: string;
  readonly why: string;
}

interface Verified {
  readonly services: readonly {
    readonly checks: readonly {
      readonly id: string;
      readonly ok: boolean | null;
      readonly observed: string;
      readonly remedy: string | null;
    }[];
  }[];
}

/** A stack of one service, whose policy is what changes. */
function stackOf(t: TestContext, service: string) {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const command = (...args: readonly string[]) =>
    run(process.execPath, [LAUNCHER, ...args, '--json', '--file', file, '--state', state]);
  const answer = async (...args: readonly string[]): Promise<never> => {
    const { status, stdout, output } = await command(...args);
    assert.equal(status, 0, output);
    return JSON.parse(stdout) as never;
  };
  return {
    command,
    answer,
    declare: (policy: string): void =>
      writeFileSync(
        file,
        `stack: one\nservices:\n  svc:\n    names: [service.internal, localhost, 127.0.0.1]\n    clients: ${policy}\n${service}`,
      ),
    plan: async (): Promise<readonly Change[]> =>
      ((await answer('plan')) as { readonly changes: readonly Change[] }).changes,
    /** Ids of the checks that were made and passed. */
    proven: async (): Promise<readonly string[]> => {
      const { services }: Verified = await answer('verify');
      return services.flatMap(({ checks }) => checks.filter(({ ok }) => ok).map(({ id }) => id));
    },
  };
}

async function followed(stack: ReturnType<typeof stackOf>, policies: readonly string[]): Promise<void> {
  for (const policy of policies) {
    stack.declare(policy);
    await stack.answer('apply');
    const proven = await stack.proven();
    assert.ok(proven.includes('served'), policy);
    assert.equal(proven.includes('clients'), policy !== 'none', policy);
    assert.deepEqual(
      (await stack.plan()).map(({ action }) => action),
      ['none'],
      policy,
    );
  }
}

const REQUIRED_AND_BACK = ['none', 'required', 'none', 'optional', 'required', 'optional', 'none'];

test('PostgreSQL: clients from none to required, and every way back', { skip: skipWithoutPostgresql }, async (t) => {
  const { port, data } = await startCluster(t, EVERYBODY);
  await followed(
    stackOf(t, `    kind: postgresql\n    address: 127.0.0.1:${port}\n    data: ${data}\n`),
    REQUIRED_AND_BACK,
  );
});

test('MariaDB: clients from none to optional and back', {
  skip: skipWithout('mariadbd', 'mariadb-install-db', 'mariadb'),
}, async (t) => {
  const { port, config, socket, restartScript } = await startMariaDb(t);
  await followed(
    stackOf(
      t,
      `    kind: mysql\n    address: 127.0.0.1:${port}\n    config: ${config}\n    socket: ${socket}\n    restart: ${restartScript}\n`,
    ),
    ['none', 'optional', 'none', 'optional'],
  );
});

test('Redis: clients from none to required, and every way back, without a restart', {
  skip: skipWithout('redis-server'),
}, async (t) => {
  await followed((await startRedisStack(t)).stack, REQUIRED_AND_BACK);
});

test('Redis: a pair that is not good for what its policy wants is due, and one without clientAuth gets in by its older version', {
  skip: skipWithout('redis-server'),
}, async (t) => {
  const { stack } = await startRedisStack(t);
  await followed(stack, ['none']);
  stack.declare('required');
  const [issue] = await stack.plan();
  assert.deepEqual([issue?.action, issue?.why], ['issue', 'it is not good for clientAuth']);
  await stack.answer('apply');
  stack.declare('none');
  assert.equal(
    (await stack.plan()).some(({ action }) => action === 'issue'),
    false,
    'a peer can do what a server does',
  );
  await stack.answer('rotate');
  assert.ok((await stack.proven()).includes('served'));
});

test('Redis that a person has told something else since: verify sees it, and what it names mends it', {
  skip: skipWithout('redis-server', 'redis-cli'),
}, async (t) => {
  const { stack, port, config } = await startRedisStack(t);
  await followed(stack, ['required']);
  const pair = join(dirname(config), 'fullchain-svc', 'current');
  const redisCli = (...words: readonly string[]) => {
    const identity = ['--cert', join(pair, 'tls.crt'), '--key', join(pair, 'tls.key')];
    const args = ['-h', '127.0.0.1', '-p', String(port), '--tls', '--insecure', ...identity, ...words];
    return run('redis-cli', args, { env: { REDISCLI_AUTH: PASSWORD } });
  };
  assert.match((await redisCli('CONFIG', 'SET', 'tls-auth-clients', 'no')).output, /OK/);
  const { status, stdout } = await stack.command('verify');
  assert.equal(status, 1, stdout);
  const { services }: Verified = JSON.parse(stdout);
  const failed = services.flatMap(({ checks }) => checks.filter(({ ok }) => ok === false));
  assert.deepEqual(
    failed.map(({ id }) => id),
    ['clients'],
  );
  assert.match(failed[0]?.remedy ?? '', /told otherwise since .*fullchain rotate svc$/);
  await stack.answer('rotate', 'svc');
  assert.ok((await stack.proven()).includes('clients'));
  assert.match((await redisCli('CONFIG', 'GET', 'tls-auth-clients')).output, /yes/);
});

async function startRedisStack(t: TestContext) {
  const redis = await startRedis(t);
  const { port, config, passwordFile } = redis;
  const service = `    kind: redis\n    address: 127.0.0.1:${port}\n    config: ${config}\n    passwordFile: ${passwordFile}\n`;
  return { ...redis, stack: stackOf(t, service) };
}
