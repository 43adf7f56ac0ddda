/** Services as Fullchain sets them up: `probe` has nothing to say of them but what this host's OpenSSL lacks. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mysql } from '../../src/core/services/mysql.ts';
import { nginx } from '../../src/core/services/nginx.ts';
import { postgresql } from '../../src/core/services/postgresql.ts';
import { redis } from '../../src/core/services/redis.ts';
import type { ServiceKind } from '../../src/core/services/service-kind.ts';
import { TLS_POLICIES } from '../../src/core/services/tls-policy.ts';
import type { TlsPolicyName } from '../../src/core/stack/stack.ts';
import { scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { until } from '../servers/process.ts';
import { configure, install, serviceSpec, take } from '../services/applied.ts';
import { type Look, serves } from '../services/look.ts';
import { mysqlPreamble, startMariaDb } from '../services/start-mariadb.ts';
import { startNginx } from '../services/start-nginx.ts';
import { EVERYBODY, postgresPreamble, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { startRedis } from '../services/start-redis.ts';
import { testAuthority } from '../services/test-authority.ts';
import { idsOf, type ProbedTarget, probeOne } from './run-probe.ts';

const authority = testAuthority();
const pair = authority.issue(['serverAuth']);

interface Served {
  readonly port: number;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly preamble?: Look['preamble'];
  /** Where a reload is not enough. */
  readonly restart?: () => Promise<void>;
}

/** Brought to TLS, and looked at. */
async function probed(kind: ServiceKind, tls: TlsPolicyName, served: Served, root: string): Promise<ProbedTarget> {
  const { port, settings, preamble, restart } = served;
  const { desired } = configure(kind, serviceSpec(kind, port, { settings, tls }));
  install(desired, pair);
  await (restart?.() ?? take(desired));
  const at: Look = { port, ca: authority.ca, ...(preamble && { preamble }) };
  await until(() => serves(at, pair), 'the pair', 5000);
  const target = kind === nginx ? `https://localhost:${port}` : `localhost:${port}`;
  return probeOne(target, '--connect', '127.0.0.1', '--ca', root);
}

function assertGood(target: ProbedTarget, tls: TlsPolicyName): void {
  assert.deepEqual([idsOf(target), target.protocols], [[], [...TLS_POLICIES[tls].versions]]);
  // A+ where OpenSSL has X25519MLKEM768.
  assert.match(target.grade?.letter ?? '', /^A/);
  assert.equal(target.chain.length, 2);
}

for (const tls of ['intermediate', 'modern'] as const) {
  const rootFile = (t: Parameters<typeof scratch>[0]): string => {
    const file = join(scratch(t), 'root.crt');
    writeFileSync(file, authority.ca);
    return file;
  };

  test(`PostgreSQL, ${tls}`, { skip: skipWithoutPostgresql }, async (t) => {
    const { port, data } = await startCluster(t, EVERYBODY);
    const served = { port, settings: { data }, preamble: postgresPreamble };
    assertGood(await probed(postgresql, tls, served, rootFile(t)), tls);
  });

  test(`Redis, ${tls}`, { skip: skipWithout('redis-server') }, async (t) => {
    const { port, config, passwordFile } = await startRedis(t);
    assertGood(await probed(redis, tls, { port, settings: { config, passwordFile } }, rootFile(t)), tls);
  });

  test(`nginx, ${tls}`, { skip: skipWithout('nginx') }, async (t) => {
    const { port, settings } = await startNginx(t);
    assertGood(await probed(nginx, tls, { port, settings }, rootFile(t)), tls);
  });
}

test('MariaDB, intermediate', { skip: skipWithout('mariadbd') }, async (t) => {
  const { port, config, socket, restart } = await startMariaDb(t);
  const file = join(scratch(t), 'root.crt');
  writeFileSync(file, authority.ca);
  const served = { port, settings: { config, socket }, preamble: mysqlPreamble, restart };
  assertGood(await probed(mysql, 'intermediate', served, file), 'intermediate');
});
