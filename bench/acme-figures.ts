/** Rounds of ACME load → the figures that are printed. */
import type { AcmeLoadResult } from './acme-load-client.ts';
import type { Measured } from './load-process.ts';
import { median, rounded } from './order-statistics.ts';

export type AcmeRound = Measured<AcmeLoadResult>;

type ByServer<Value> = Readonly<Record<string, Value>>;

/** Medians over the rounds; failures are their sum. */
export function figures(rounds: readonly AcmeRound[]) {
  const figure = (of: (round: AcmeRound) => number): number | null => rounded(median(rounds.map(of)));
  return {
    ordersPerSecond: figure(({ completed, seconds }) => completed / seconds),
    serverCpuMsPerOrder: figure(({ completed, serverCpuMs }) => serverCpuMs / completed),
    p50Ms: figure(({ p50Ms }) => p50Ms),
    p95Ms: figure(({ p95Ms }) => p95Ms),
    requestsPerOrder: figure(({ requestsPerOrder }) => requestsPerOrder),
    failures: rounds.reduce((sum, { failed }) => sum + failed, 0),
  };
}

/** Each server's figures, and ours by those of Caddy. */
export function comparison(results: ByServer<readonly AcmeRound[]>) {
  const all = mapped(results, figures);
  const { fullchain: ours, caddy: theirs } = all;
  if (!ours || !theirs) return all;
  return {
    ...all,
    ratio: {
      ordersPerSecond: ratio(ours.ordersPerSecond, theirs.ordersPerSecond),
      cpuPerOrder: ratio(ours.serverCpuMsPerOrder, theirs.serverCpuMsPerOrder),
    },
  };
}

/** What matters where servers refuse to go on. */
export function failures(results: ByServer<readonly AcmeRound[]>) {
  return mapped(results, (rounds) => {
    const { ordersPerSecond, serverCpuMsPerOrder, failures: failed } = figures(rounds);
    return { failed, reasons: rounds[0]?.reasons ?? {}, ordersPerSecond, serverCpuMsPerOrder };
  });
}

function ratio(ours: number | null, theirs: number | null): number | null {
  return ours === null || theirs === null ? null : rounded(ours / theirs);
}

function mapped<From, To>(values: ByServer<From>, to: (value: From) => To): ByServer<To> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, to(value)]));
}
