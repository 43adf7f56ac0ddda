/**
 * S-02: a public site whose renewal cannot be forgotten: by an agent, from an ACME server. As long as the scenario says:
 *
 *   FULLCHAIN_SOAK_RENEWALS=10 node --test test/stack/renewed-site.test.ts     certificates of three minutes
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAgent, until } from '../agent/running-agent.ts';
import { skipWithout } from '../servers/available.ts';
import { look } from '../services/look.ts';
import { ask, openWebSocket, type Site, startSite } from './site.ts';

const SOAK_RENEWALS = Number(process.env.FULLCHAIN_SOAK_RENEWALS ?? 0);
const [LIFETIME, LIFETIME_SECONDS] = SOAK_RENEWALS > 0 ? ['3m', 180] : ['60s', 60];
const RENEWALS = SOAK_RENEWALS || 2;

test('S-02: renewed again and again under load; a stopped authority is told of in time, and it recovers alone', {
  skip: skipWithout('nginx'),
  timeout: (RENEWALS + 4) * LIFETIME_SECONDS * 1000,
}, async (t) => {
  const site = await startSite(t, LIFETIME);
  const { port, ca } = site;
  const applied = await site.fullchain('apply');
  assert.equal(applied.status, 0, applied.output);
  const agent = startAgent(t, site.file, site.state, '--interval', '1s');
  const socket = await openWebSocket(site);
  const load = startLoad(site);
  const served = new Set<string>();
  const see = async (): Promise<void> => {
    served.add((await look({ port, ca, servername: 'aragora.test' })).fingerprint);
  };

  await t.test(`${RENEWALS} renewals in a row`, async (t) => {
    await until(
      async () => {
        await see();
        return served.size > RENEWALS;
      },
      `${RENEWALS} renewals`,
      (RENEWALS + 2) * LIFETIME_SECONDS,
    );
    const { requests, downloads, failures } = load.counts();
    t.diagnostic(`${requests} requests and ${downloads} downloads while ${RENEWALS} certificates were renewed`);
    assert.deepEqual(failures, []);
    assert.ok(downloads > 0);
    assert.deepEqual(
      agent.log().filter(({ level }) => level >= 50),
      [],
    );
  });

  await t.test(
    'the authority is stopped: told of within a third of the lifetime, and the old certificate is served',
    async () => {
      await site.authority.stop();
      const failed = () => agent.log().find(({ level }) => level >= 50);
      // The next renewal is at most two thirds of the lifetime away.
      await until(() => failed() !== undefined, 'the report', LIFETIME_SECONDS);
      assert.match(String(failed()?.detail), /cannot be reached|did not answer|ECONNREFUSED|connect/);
      const { services } = JSON.parse((await site.fullchain('status')).stdout);
      assert.equal(services[0].state, 'failed');
      const left = Date.parse(services[0].notAfter) - Date.now();
      assert.ok(left > 0, 'told of before it expired');
      await see();
    },
  );

  await t.test('the authority is started: it recovers alone, and nothing was dropped from first to last', async () => {
    const before = served.size;
    await site.authority.start();
    await until(
      async () => {
        await see();
        return served.size > before;
      },
      'the renewal',
      LIFETIME_SECONDS,
    );
    await until(() => agent.log().some(({ msg }) => msg === 'works again'), 'the good news');
    const { services } = JSON.parse((await site.fullchain('status')).stdout);
    assert.equal(services[0].state, 'ok', JSON.stringify(services));
    assert.equal(await socket.echo('still here'), 'still here');
    socket.close();
    assert.deepEqual((await load.stop()).failures, []);
    assert.equal(await agent.stop(), 0);
  });
});

interface Counts {
  readonly requests: number;
  readonly downloads: number;
  readonly failures: readonly string[];
}

/** Requests one after the other, and beside them downloads that take longer than a reload. */
function startLoad({ port, ca }: Site): { readonly counts: () => Counts; readonly stop: () => Promise<Counts> } {
  let [on, requests, downloads] = [true, 0, 0];
  const failures: string[] = [];
  const note = (fault: unknown): void => void failures.push(String(fault));
  const asking = (async () => {
    while (on) {
      await ask('aragora.test', port, '/', ca).then(({ status }) => {
        if (status !== 200) note(status);
      }, note);
      requests++;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const downloading = (async () => {
    while (on) {
      await ask('aragora.test', port, '/slow', ca).then(({ body }) => {
        if (body !== 'piece\n'.repeat(20)) note(`a download ended after ${body.length} bytes`);
      }, note);
      downloads++;
    }
  })();
  const counts = (): Counts => ({ requests, downloads, failures });
  return {
    counts,
    async stop() {
      on = false;
      await Promise.all([asking, downloading]);
      return counts();
    },
  };
}
