/**
 * S-18: everything in the estate by one command, kept by the agent. For as long as the scenario says:
 *
 *   FULLCHAIN_SOAK_MINUTES=60 node --test test/estates/kldload.test.ts     certificates of five minutes, for an hour
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent, until } from '../agent/running-agent.ts';
import { skipWithout } from '../servers/available.ts';
import { IS_ROOT } from '../services/applied.ts';
import { ask } from '../services/fetch.ts';
import { skipWithoutPostgresql } from '../services/start-postgresql.ts';
import { type Kldload, SERVICES, startKldload } from './kldload.ts';

const skip =
  skipWithoutPostgresql ||
  skipWithout('redis-server', 'mariadbd', 'nginx', 'prometheus', 'prometheus-node-exporter') ||
  (!IS_ROOT && 'skipped: needs root, to run servers as their own users');

const SOAK_MINUTES = Number(process.env.FULLCHAIN_SOAK_MINUTES ?? 0);
const LIFETIME = SOAK_MINUTES > 0 ? '5m' : '60s';
/** Without a soak: how many times each certificate is renewed before it is enough. */
const RENEWALS = 2;
const CLIENTS = ['client-api', 'app-service', 'prometheus'];

interface Member {
  readonly name: string;
  readonly ok?: boolean;
  readonly state?: string;
  readonly why?: string;
  readonly checks?: readonly { readonly id: string; readonly ok: boolean | null; readonly observed: string }[];
}

interface Answer {
  readonly ok: boolean;
  readonly services: readonly Member[];
  readonly clients: readonly Member[];
}

test('S-18: an estate of one host', { skip, timeout: (SOAK_MINUTES + 10) * 60_000 }, async (t) => {
  const estate = await startKldload(t, LIFETIME);
  const answer = async (...args: readonly string[]): Promise<Answer> => {
    const { stdout, output } = await estate.fullchain(...args);
    assert.match(stdout, /^\{.*\}\n$/, output);
    return JSON.parse(stdout);
  };
  const flaws = async (): Promise<readonly string[]> =>
    (await answer('verify')).services.flatMap(({ name, checks = [] }) =>
      checks.filter(({ ok }) => ok === false).map(({ id, observed }) => `${name} ${id}: ${observed}`),
    );

  await t.test('one command brings each service to TLS in its own way, and each client what it needs', async () => {
    const applied = await answer('apply');
    assert.equal(applied.ok, true, JSON.stringify(applied));
    assert.deepEqual(
      applied.services.map(({ name }) => name),
      SERVICES,
    );
    assert.deepEqual(
      applied.clients.map(({ name }) => name),
      CLIENTS,
    );
  });

  await t.test('the identity of a client reaches the upstream, and cannot be forged by a header', () =>
    forgedInVain(estate),
  );

  await t.test('the agent renews each certificate in time, and every check holds then', async (t) => {
    const agent = startAgent(t, estate.file, estate.state, '--interval', '1s');
    const renewals = new Map<string, number>();
    const count = (): void => {
      renewals.clear();
      for (const { service, client, msg } of agent.log()) {
        if (msg !== 'brought to what the stack file says') continue;
        const name = service === undefined ? `client ${client}` : `${service}`;
        renewals.set(name, (renewals.get(name) ?? 0) + 1);
      }
    };
    const enough = (): boolean => {
      count();
      return renewals.size === SERVICES.length + CLIENTS.length && Math.min(...renewals.values()) >= RENEWALS;
    };
    if (SOAK_MINUTES === 0) await until(enough, `${RENEWALS} renewals of each`, 90);
    else await sleep(SOAK_MINUTES * 60_000);
    count();
    t.diagnostic(`renewals: ${[...renewals].map(([name, times]) => `${name} ${times}`).join(', ')}`);
    assert.deepEqual(
      agent.log().filter(({ level }) => level >= 50),
      [],
    );
    assert.deepEqual(await flaws(), []);
    const { services, clients } = await answer('status');
    // One may be due at this very moment: the agent is there.
    for (const { name, state, why } of [...services, ...clients])
      assert.match(state ?? '', /^(?:ok|due)$/, `${name}: ${why}`);
    await forgedInVain(estate);
    assert.equal(await agent.stop(), 0);
  });

  await t.test('all of it is taken out again', async () => {
    const removed = await answer('apply', '--remove');
    // The web interface cannot do without a certificate, as it could not before.
    const failed = removed.services.filter(({ ok }) => !ok).map(({ name }) => name);
    assert.deepEqual(failed, [], JSON.stringify(removed));
    const again = await answer('status');
    for (const { name, state } of [...again.services, ...again.clients])
      assert.deepEqual([name, state], [name, 'unmanaged']);
  });
});

async function forgedInVain({ directory, ports }: Kldload): Promise<void> {
  const own = join(directory, 'client-api');
  const read = (name: string): string => readFileSync(join(own, name), 'utf8');
  const forged = {
    'x-client-cn': 'root',
    'x-client-verify': 'SUCCESS',
    'x-client-dn': 'CN=root',
    host: 'api.internal',
  };
  const at = { port: ports.api ?? 0, ca: read('ca.crt'), headers: forged, serverName: 'api.internal' };
  const client = { chain: read('client.crt'), key: read('client.key'), ca: '', fingerprint: '' };
  const { status, body } = await ask({ ...at, client });
  assert.equal(status, 200, body);
  const { headers } = JSON.parse(body);
  assert.deepEqual([headers['x-client-cn'], headers['x-client-verify']], ['client-api', 'SUCCESS']);
  assert.notEqual((await ask(at)).status, 200);
}
