/** Load on an ACME server: clients that complete http-01 orders one after the other, each over its own connection. */
import { X509Certificate } from 'node:crypto';
import { type AccountKey, newAccountKey } from './acme-account.ts';
import { completeOrder, OrderFailure, type OrderRequest } from './acme-order.ts';
import { type Account, openAcmeSession } from './acme-session.ts';
import { csrRequest } from './csr-request.ts';
import type { Http01Responder } from './http-01-responder.ts';
import { NoReply } from './https-client.ts';
import { percentile } from './order-statistics.ts';

export interface AcmeLoad {
  readonly kind: 'acme';
  readonly directoryUrl: string;
  readonly rootPem: string;
  /** How many at the same time. */
  readonly clients: number;
  /** Client n takes accounts n, n + clients, … in turn; 1: all share one. */
  readonly accounts: number;
  readonly orders: number;
  readonly namesPerOrder: number;
  /** Different for each load on a server, so that no authorization can be reused. */
  readonly label: string;
}

export interface AcmeLoadResult {
  readonly completed: number;
  readonly failed: number;
  /** How often each reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** The server stopped answering, and the load was given up: the figures mean nothing. */
  readonly hung: boolean;
  readonly seconds: number;
  /** Of completed orders. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly requestsPerOrder: number;
  readonly badNonces: number;
  readonly clientCpuMsPerOrder: number;
}

interface Prepared extends OrderRequest {
  readonly publicKey: Buffer;
}

/**
 * Connections, accounts and CSRs are made first; then `begin` is awaited, and what follows is timed. Certificates
 * are checked afterwards: one that is not for the name and key asked for counts as a failed order.
 */
export async function acmeLoad(
  load: AcmeLoad,
  responder: Http01Responder,
  begin: () => Promise<void>,
): Promise<AcmeLoadResult> {
  const prepared = Array.from({ length: load.orders }, (_, i) => prepare(load, i));
  const sessions = await Promise.all(
    Array.from({ length: load.clients }, () => openAcmeSession(load.directoryUrl, load.rootPem)),
  );
  const accounts = await makeAccounts(
    Array.from({ length: load.accounts }, newAccountKey),
    sessions.map(({ newAccount }) => newAccount),
  );
  const sentBefore = sessions.reduce((sum, { requestCount }) => sum + requestCount(), 0);

  const latenciesMs: number[] = [];
  const chains: { readonly order: Prepared; readonly pem: string }[] = [];
  const reasons: Record<string, number> = {};
  const fail = (reason: string): void => {
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  };

  await begin();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  let next = 0;
  let hung = false;
  await Promise.all(
    sessions.map(async (session, client) => {
      for (let turn = 0; next < prepared.length && !hung; turn++) {
        const order = prepared[next++];
        const account = accounts[(client + turn * load.clients) % accounts.length];
        if (!order || !account) continue;
        const orderedAt = performance.now();
        try {
          chains.push({ order, pem: await completeOrder(session, account, order, responder) });
          latenciesMs.push(performance.now() - orderedAt);
        } catch (failure) {
          if (!(failure instanceof OrderFailure)) throw failure;
          fail(failure.message);
          hung ||= failure.cause instanceof NoReply;
        }
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const requests = sessions.reduce((sum, { requestCount }) => sum + requestCount(), 0) - sentBefore;
  const badNonces = sessions.reduce((sum, { badNonceCount }) => sum + badNonceCount(), 0);
  for (const session of sessions) session.close();

  const wrong = chains.filter(({ order, pem }) => !isForOrder(order, pem)).length;
  for (let i = 0; i < wrong; i++) fail('certificate: not what was asked for');
  const completed = chains.length - wrong;
  return {
    completed,
    failed: load.orders - completed,
    reasons,
    hung,
    seconds,
    p50Ms: percentile(latenciesMs, 0.5),
    p95Ms: percentile(latenciesMs, 0.95),
    requestsPerOrder: requests / load.orders,
    badNonces,
    clientCpuMsPerOrder: (cpu.user + cpu.system) / 1000 / load.orders,
  };
}

function prepare({ label, namesPerOrder }: AcmeLoad, index: number): Prepared {
  const names = Array.from({ length: namesPerOrder }, (_, i) => `n${i}.o${index}.${label}.bench.test`);
  const { der, publicKey } = csrRequest(names);
  return { names, csr: Buffer.from(der).toString('base64url'), publicKey };
}

/** Over the sessions in turn, one request at a time on each. */
async function makeAccounts(
  keys: readonly AccountKey[],
  makers: readonly ((key: AccountKey) => Promise<Account>)[],
): Promise<readonly Account[]> {
  const made: Account[] = [];
  await Promise.all(
    makers.map(async (make, session) => {
      for (let i = session; i < keys.length; i += makers.length) {
        const key = keys[i];
        if (key) made[i] = await make(key);
      }
    }),
  );
  return made;
}

function isForOrder({ names, publicKey }: Prepared, pem: string): boolean {
  if (!pem.startsWith('-----BEGIN CERTIFICATE-----')) return false;
  const leaf = new X509Certificate(pem);
  const key = leaf.publicKey.export({ format: 'der', type: 'spki' });
  return key.equals(publicKey) && names.every((name) => leaf.checkHost(name) === name);
}
