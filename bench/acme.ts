/**
 * Complete http-01 ACME orders, ours against Caddy's `acme_server` (durable, smallstep's engine) and Pebble (memory).
 *
 *   node bench/acme.ts [--quick] [--peers-only] [--strace]
 *
 * Rounds alternate between the servers, so that what else the machine does falls on all of them; each figure is the
 * median of its rounds. One line of JSON on stdout; "fullchain", "caddy", "pebble" and "ratio" are with 16 clients of
 * 16 accounts, "oneClient" has the same for a single client, "oneAccount16" is 16 clients that share one account.
 * A ratio is ours by Caddy's. --strace adds a last, untimed load that counts our fsync and fdatasync an order.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { AcmeLoad, AcmeLoadResult } from './acme-load-client.ts';
import type { AcmePeer } from './acme-peer.ts';
import { startCaddyPeer } from './caddy-peer.ts';
import { fsyncCount } from './fsync-count.ts';
import { startFullchainPeer } from './fullchain-peer.ts';
import { isInstalled } from './installed-program.ts';
import { type LoadProcess, type Measured, startLoadProcess } from './load-process.ts';
import { machine } from './machine.ts';
import { median, rounded } from './order-statistics.ts';
import { inOwnNamespaces } from './own-namespaces.ts';
import { startPebblePeer } from './pebble-peer.ts';

interface Sizes {
  readonly rounds: number;
  readonly warmUpOrders: number;
  readonly oneClientOrders: number;
  readonly manyClientsOrders: number;
  readonly oneAccountOrders: number;
}

const FULL: Sizes = {
  rounds: 5,
  warmUpOrders: 400,
  oneClientOrders: 100,
  manyClientsOrders: 320,
  oneAccountOrders: 400,
};
const QUICK: Sizes = {
  rounds: 3,
  warmUpOrders: 100,
  oneClientOrders: 20,
  manyClientsOrders: 64,
  oneAccountOrders: 100,
};

const CLIENTS = 16;
const ACCOUNTS = 16;
const STRACE_ORDERS = 100;

type Shape = Pick<AcmeLoad, 'clients' | 'accounts' | 'orders'>;
type Round = Measured<AcmeLoadResult>;

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    'peers-only': { type: 'boolean', default: false },
    strace: { type: 'boolean', default: false },
  },
});

let loadCount = 0;

await inOwnNamespaces(async (scratch) => {
  const sizes = flags.quick ? QUICK : FULL;
  const where = machine(scratch);
  const loads = await startLoadProcess();
  const peers = await startPeers(scratch);
  const fullchain = peers.find(({ name }) => name === 'fullchain');
  try {
    progress(`warm-up: ${sizes.warmUpOrders} orders each`);
    const warmUp = { clients: CLIENTS, accounts: ACCOUNTS, orders: sizes.warmUpOrders };
    await alternate(loads, peers, 1, warmUp);
    const oneClient = await alternate(loads, peers, sizes.rounds, {
      clients: 1,
      accounts: ACCOUNTS,
      orders: sizes.oneClientOrders,
    });
    const manyClients = await alternate(loads, peers, sizes.rounds, {
      clients: CLIENTS,
      accounts: ACCOUNTS,
      orders: sizes.manyClientsOrders,
    });
    const oneAccount = await alternate(loads, peers, 1, {
      clients: CLIENTS,
      accounts: 1,
      orders: sizes.oneAccountOrders,
    });
    const fsyncs = flags.strace && fullchain ? await countFsyncs(scratch, loads, fullchain) : null;
    const line = {
      bench: 'acme',
      date: new Date().toISOString(),
      machine: where,
      versions: Object.fromEntries(peers.map(({ name, version }) => [name, version])),
      rounds: sizes.rounds,
      ...compared(manyClients),
      oneClient: compared(oneClient),
      oneAccount16: { orders: sizes.oneAccountOrders, ...mapped(oneAccount, outcome) },
      ...(fsyncs && { fsyncsPerOrder: fsyncs }),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } finally {
    for (const { stop } of peers) await stop();
    loads.stop();
  }
});

async function startPeers(scratch: string): Promise<readonly AcmePeer[]> {
  const starters: readonly (readonly [string, (directory: string) => Promise<AcmePeer>])[] = [
    ...(flags['peers-only'] ? [] : ([['fullchain', startFullchainPeer]] as const)),
    ['caddy', startCaddyPeer],
    ...(isInstalled('pebble') ? ([['pebble', startPebblePeer]] as const) : []),
  ];
  const peers: AcmePeer[] = [];
  for (const [directory, start] of starters) peers.push(await start(join(scratch, directory)));
  return peers;
}

/** Every server once a round, in the same order. */
async function alternate(
  loads: LoadProcess,
  peers: readonly AcmePeer[],
  rounds: number,
  shape: Shape,
): Promise<ReadonlyMap<string, readonly Round[]>> {
  const results = new Map<string, readonly Round[]>(peers.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const peer of peers) {
      const result = await run(loads, peer, shape);
      results.set(peer.name, [...(results.get(peer.name) ?? []), result]);
      progress(
        `${shape.clients} clients, ${shape.accounts} accounts, round ${round}/${rounds}, ${peer.name}: ${JSON.stringify({ ...summary([result]), seconds: rounded(result.seconds), clientCpuMsPerOrder: rounded(result.clientCpuMsPerOrder), ...(result.failed && { reasons: result.reasons }) })}`,
      );
    }
  }
  return results;
}

function run(loads: LoadProcess, { directoryUrl, rootPem, pid }: AcmePeer, shape: Shape): Promise<Round> {
  const label = `l${++loadCount}`;
  return loads.acme({ kind: 'acme', directoryUrl, rootPem, namesPerOrder: 1, label, ...shape }, pid);
}

function summary(rounds: readonly Round[]) {
  const figure = (of: (round: Round) => number): number | null => rounded(median(rounds.map(of)));
  return {
    ordersPerSecond: figure(({ completed, seconds }) => completed / seconds),
    serverCpuMsPerOrder: figure(({ completed, serverCpuMs }) => serverCpuMs / completed),
    p50Ms: figure(({ p50Ms }) => p50Ms),
    p95Ms: figure(({ p95Ms }) => p95Ms),
    requestsPerOrder: figure(({ requestsPerOrder }) => requestsPerOrder),
    failures: rounds.reduce((sum, { failed }) => sum + failed, 0),
  };
}

/** Each server's figures, and ours by Caddy's. */
function compared(results: ReadonlyMap<string, readonly Round[]>) {
  const figures = mapped(results, summary);
  const { fullchain, caddy } = figures;
  if (!fullchain || !caddy) return figures;
  return {
    ...figures,
    ratio: {
      ordersPerSecond: ratio(fullchain.ordersPerSecond, caddy.ordersPerSecond),
      cpuPerOrder: ratio(fullchain.serverCpuMsPerOrder, caddy.serverCpuMsPerOrder),
    },
  };
}

function ratio(ours: number | null, theirs: number | null): number | null {
  return ours === null || theirs === null ? null : rounded(ours / theirs);
}

function outcome(rounds: readonly Round[]) {
  const { ordersPerSecond, serverCpuMsPerOrder, failures: failed } = summary(rounds);
  return { failed, reasons: rounds[0]?.reasons ?? {}, ordersPerSecond, serverCpuMsPerOrder };
}

function mapped<To>(
  results: ReadonlyMap<string, readonly Round[]>,
  to: (rounds: readonly Round[]) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries([...results].map(([name, rounds]) => [name, to(rounds)]));
}

async function countFsyncs(scratch: string, loads: LoadProcess, fullchain: AcmePeer) {
  const perOrder = async (clients: number): Promise<number | null> => {
    const shape = { clients, accounts: ACCOUNTS, orders: STRACE_ORDERS };
    const calls = await fsyncCount(fullchain.pid, join(scratch, 'strace'), async () => {
      await run(loads, fullchain, shape);
    });
    return rounded(calls / STRACE_ORDERS);
  };
  return { oneClient: await perOrder(1), clients16: await perOrder(CLIENTS) };
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
