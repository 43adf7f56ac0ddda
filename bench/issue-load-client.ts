/** Load on an authority's `POST /1.0/sign` (step-ca's JSON): one-time tokens and CSRs → certificates. */
import { X509Certificate } from 'node:crypto';
import { pemFromDer } from '../src/core/bytes/pem.ts';
import { csrRequest } from './csr-request.ts';
import { httpsClient, type Reply } from './https-client.ts';
import { percentile } from './order-statistics.ts';
import { type ProvisionerKey, type TokenMaker, tokenMaker } from './provisioner-token.ts';

export interface IssueLoad {
  readonly kind: 'issue';
  readonly signUrl: string;
  readonly rootPem: string;
  readonly provisioner: ProvisionerKey;
  readonly clients: number;
  readonly requests: number;
  readonly label: string;
}

export interface IssueLoadResult {
  readonly completed: number;
  readonly failed: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly clientCpuMsPerIssuance: number;
}

interface Prepared {
  readonly name: string;
  readonly publicKey: Buffer;
  readonly body: string;
}

/** Tokens, CSRs and connections are made first; then `begin` is awaited, and what follows is timed. */
export async function issueLoad(load: IssueLoad, begin: () => Promise<void>): Promise<IssueLoadResult> {
  const makeToken = tokenMaker(load.provisioner, load.signUrl, Math.floor(Date.now() / 1000));
  const prepared = Array.from({ length: load.requests }, (_, i) =>
    prepare(`o${i}.${load.label}.bench.test`, makeToken),
  );
  const clients = Array.from({ length: load.clients }, () => httpsClient(load.rootPem));
  await Promise.all(clients.map(({ send }) => send('GET', new URL('/roots.pem', load.signUrl).href)));

  const latenciesMs: number[] = [];
  const replies: { readonly asked: Prepared; readonly reply: Reply }[] = [];
  const reasons: Record<string, number> = {};
  const fail = (reason: string): void => {
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  };

  await begin();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  let next = 0;
  await Promise.all(
    clients.map(async ({ send }) => {
      for (let asked = prepared[next++]; asked; asked = prepared[next++]) {
        const askedAt = performance.now();
        try {
          const reply = await send('POST', load.signUrl, 'application/json', asked.body);
          latenciesMs.push(performance.now() - askedAt);
          replies.push({ asked, reply });
        } catch (fault) {
          fail(fault instanceof Error ? fault.message : String(fault));
        }
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  for (const { close } of clients) close();

  for (const { asked, reply } of replies) {
    if (reply.status !== 201) fail(`${reply.status} ${reply.text.slice(0, 200)}`);
    else if (!isForRequest(asked, reply.text)) fail('certificate: not what was asked for');
  }
  const failed = Object.values(reasons).reduce((sum, count) => sum + count, 0);
  return {
    completed: load.requests - failed,
    failed,
    reasons,
    seconds,
    p50Ms: percentile(latenciesMs, 0.5),
    p95Ms: percentile(latenciesMs, 0.95),
    clientCpuMsPerIssuance: (cpu.user + cpu.system) / 1000 / load.requests,
  };
}

function prepare(name: string, makeToken: TokenMaker): Prepared {
  const { der, publicKey } = csrRequest([name]);
  const body = JSON.stringify({ csr: pemFromDer('CERTIFICATE REQUEST', der), ott: makeToken(name) });
  return { name, publicKey, body };
}

function isForRequest({ name, publicKey }: Prepared, text: string): boolean {
  const { crt } = JSON.parse(text) as { readonly crt?: string };
  if (crt === undefined) return false;
  const leaf = new X509Certificate(crt);
  return leaf.checkHost(name) === name && leaf.publicKey.export({ format: 'der', type: 'spki' }).equals(publicKey);
}
