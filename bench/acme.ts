/**
 * Complete http-01 ACME orders: ours against Caddy's `acme_server` (durable, smallstep's engine) and, where it is
 * installed, Pebble (in memory).
 *
 *   node bench/acme.ts [--quick] [--peers-only] [--strace]
 *
 * One line of JSON on stdout, progress on stderr. Each figure is the median of its rounds. "fullchain", "caddy",
 * "pebble" and "ratio" are with 16 clients of 16 accounts, "oneClient" has the same for a single client, and in
 * "oneAccount16" 16 clients share one account. A ratio is ours by Caddy's: of orders a second it should be large, of
 * CPU time small. --strace adds a last, untimed load that counts our fsync and fdatasync calls an order.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type AcmeContest, startContest } from './acme-contest.ts';
import { comparison, failures } from './acme-figures.ts';
import { startCaddyPeer } from './caddy-peer.ts';
import { fsyncCount } from './fsync-count.ts';
import { startFullchainPeer } from './fullchain-peer.ts';
import { isInstalled } from './installed-program.ts';
import { startLoadProcess } from './load-process.ts';
import { machine } from './machine.ts';
import { rounded } from './order-statistics.ts';
import { inOwnNamespaces } from './own-namespaces.ts';
import { startPebblePeer } from './pebble-peer.ts';

const CLIENTS = 16;
const ACCOUNTS = 16;
const STRACE_ORDERS = 100;

const FULL = { rounds: 5, warmUpOrders: 800, oneClientOrders: 100, manyClientsOrders: 320, oneAccountOrders: 400 };
const QUICK = { rounds: 3, warmUpOrders: 200, oneClientOrders: 20, manyClientsOrders: 64, oneAccountOrders: 100 };

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    'peers-only': { type: 'boolean', default: false },
    strace: { type: 'boolean', default: false },
  },
});

await inOwnNamespaces(async (scratch) => {
  const sizes = flags.quick ? QUICK : FULL;
  const where = machine(scratch);
  const loads = await startLoadProcess();
  const starters = [
    ...(flags['peers-only'] ? [] : [startFullchainPeer]),
    startCaddyPeer,
    ...(isInstalled('pebble') ? [startPebblePeer] : []),
  ];
  const contest = await startContest(scratch, loads, starters, (text) => process.stderr.write(`${text}\n`));
  try {
    // Not measured: compilers and caches of ours and of the clients settle first.
    await contest.rounds(1, { clients: CLIENTS, accounts: ACCOUNTS, orders: sizes.warmUpOrders });
    const oneClient = { clients: 1, accounts: ACCOUNTS, orders: sizes.oneClientOrders };
    const manyClients = { clients: CLIENTS, accounts: ACCOUNTS, orders: sizes.manyClientsOrders };
    const oneAccount = { clients: CLIENTS, accounts: 1, orders: sizes.oneAccountOrders };
    const line = {
      bench: 'acme',
      date: new Date().toISOString(),
      machine: where,
      versions: Object.fromEntries(contest.peers().map(({ name, version }) => [name, version])),
      rounds: sizes.rounds,
      oneClient: comparison(await contest.rounds(sizes.rounds, oneClient)),
      ...comparison(await contest.rounds(sizes.rounds, manyClients)),
      oneAccount16: { orders: oneAccount.orders, ...failures(await contest.rounds(1, oneAccount)) },
      /** How often a server had stopped answering and was started anew. */
      hangs: contest.hangs(),
      ...(flags.strace && { fsyncsPerOrder: await fsyncsPerOrder(scratch, contest) }),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } finally {
    await contest.stop();
    loads.stop();
  }
});

async function fsyncsPerOrder(scratch: string, contest: AcmeContest) {
  const fullchain = contest.peers().find(({ name }) => name === 'fullchain');
  if (!fullchain) return null;
  const perOrder = async (clients: number): Promise<number | null> => {
    const shape = { clients, accounts: ACCOUNTS, orders: STRACE_ORDERS };
    const calls = await fsyncCount(fullchain.pid, join(scratch, 'strace'), async () => {
      await contest.load(fullchain, shape);
    });
    return rounded(calls / STRACE_ORDERS);
  };
  return { clients1: await perOrder(1), clients16: await perOrder(CLIENTS) };
}
