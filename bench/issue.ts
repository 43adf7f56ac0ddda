/**
 * One-time tokens → certificates, stored: `POST /1.0/sign` with 16 clients.
 *
 *   node bench/issue.ts [--quick]
 *
 * The named peer, step-ca, is in no package registry that is used here; its figure is quoted, and the ratio is to a
 * limit measured in the same run: the same issuance in a loop without HTTP, tokens and storage. Rounds of both
 * alternate; each figure is the median of its rounds. One line of JSON on stdout.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startFullchainPeer } from './fullchain-peer.ts';
import { type IssuanceLimit, issuanceLimit } from './issuance-limit.ts';
import type { IssueLoad, IssueLoadResult } from './issue-load-client.ts';
import { type Measured, startLoadProcess } from './load-process.ts';
import { machine } from './machine.ts';
import { median, rounded } from './order-statistics.ts';
import { inOwnNamespaces } from './own-namespaces.ts';
import { provisionerKey } from './provisioner-token.ts';

const CLIENTS = 16;

const { values: flags } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const { rounds, requests } = flags.quick ? { rounds: 3, requests: 1500 } : { rounds: 5, requests: 6000 };

await inOwnNamespaces(async (scratch) => {
  const where = machine(scratch);
  const loads = await startLoadProcess();
  const fullchain = await startFullchainPeer(join(scratch, 'fullchain'));
  try {
    const measureLimit = await issuanceLimit(fullchain.state);
    const base = {
      kind: 'issue',
      signUrl: `${fullchain.url}/1.0/sign`,
      rootPem: fullchain.rootPem,
      provisioner: await provisionerKey(fullchain.state),
      clients: CLIENTS,
      requests,
    } as const satisfies Omit<IssueLoad, 'label'>;
    const served: Measured<IssueLoadResult>[] = [];
    const limits: IssuanceLimit[] = [];
    for (let round = 0; round <= rounds; round++) {
      const result = await loads.issue({ ...base, label: `l${round}` }, fullchain.pid);
      const limit = await measureLimit(requests);
      const progress = {
        ...summary([result]),
        clientCpuMs: rounded(result.clientCpuMsPerIssuance),
        limitCpuMs: rounded(limit.cpuMsPerIssuance),
        reasons: result.reasons,
      };
      process.stderr.write(`round ${round}/${rounds}${round === 0 ? ' (warm-up)' : ''}: ${JSON.stringify(progress)}\n`);
      if (round === 0) continue;
      served.push(result);
      limits.push(limit);
    }
    const figures = summary(served);
    const limit = {
      issuancesPerSecond: rounded(median(limits.map(({ issuancesPerSecond }) => issuancesPerSecond))),
      cpuMsPerIssuance: rounded(median(limits.map(({ cpuMsPerIssuance }) => cpuMsPerIssuance))),
    };
    const line = {
      bench: 'issue',
      date: new Date().toISOString(),
      machine: where,
      versions: { fullchain: fullchain.version },
      rounds,
      fullchain: figures,
      peer: null,
      peerFigure: 'step-ca 312–524/s measured 2026-11 on the same kind of machine',
      limit,
      ratio: {
        cpuPerIssuanceToLimit: rounded(
          (figures.serverCpuMsPerIssuance ?? Number.NaN) / (limit.cpuMsPerIssuance ?? Number.NaN),
        ),
      },
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } finally {
    await fullchain.stop();
    loads.stop();
  }
});

function summary(results: readonly Measured<IssueLoadResult>[]) {
  const figure = (of: (result: Measured<IssueLoadResult>) => number): number | null => rounded(median(results.map(of)));
  return {
    issuancesPerSecond: figure(({ completed, seconds }) => completed / seconds),
    serverCpuMsPerIssuance: figure(({ completed, serverCpuMs }) => serverCpuMs / completed),
    /** What a whole core would do if the clients ran elsewhere. */
    issuancesPerCoreSecond: figure(({ completed, serverCpuMs }) => (1000 * completed) / serverCpuMs),
    p50Ms: figure(({ p50Ms }) => p50Ms),
    p95Ms: figure(({ p95Ms }) => p95Ms),
    failures: results.reduce((sum, { failed }) => sum + failed, 0),
  };
}
