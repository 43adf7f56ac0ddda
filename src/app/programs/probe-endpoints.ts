/** `probe`, wired: every address of every target, several at once, each server spared. */
import { grade } from '../../core/probe/grade.ts';
import { judge, type TrustContext } from '../../core/probe/judge.ts';
import { beside } from '../../core/probe/other-addresses.ts';
import type { ProbedEndpoint } from '../../core/probe/probe-document.ts';
import { dialOf } from '../../core/probe/target.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import { addressesOf } from '../../edge/net/addresses.ts';
import { fetchPage } from '../../edge/probe/fetch-page.ts';
import { identifyPlaintext } from '../../edge/probe/identify-plaintext.ts';
import { atMost, type Pace, perSecond } from '../../edge/probe/pace.ts';
import { readFlight } from '../../edge/probe/server-flight.ts';
import { handshake } from '../../edge/probe/service-handshake.ts';
import { monotonicMs, sleep, wallClock } from '../../edge/system/clock.ts';
import type { ClientIdentity } from '../../flow/probe/attempt.ts';
import { nothing, type ProbePorts, probeEndpoint } from '../../flow/probe/probe-endpoint.ts';
import type { WantedTarget } from './probe-targets.ts';

export interface ProbeRun {
  readonly client: ClientIdentity | null;
  readonly timeoutMs: number;
  readonly thorough: boolean;
  /** Addresses at the same time. */
  readonly concurrency: number;
  /** Connections that begin in a second, over all; Infinity: no limit. */
  readonly rate: number;
  readonly trust: Omit<TrustContext, 'now'>;
  /** After each target. */
  readonly onDone: () => void;
}

/** Connections to one address at the same time. */
const AT_ONCE = 4;

/** In the order of the targets, and of each the order of its addresses. */
export async function probeEndpoints(
  wanted: readonly WantedTarget[],
  run: ProbeRun,
): Promise<readonly ProbedEndpoint[]> {
  const [turn, rate] = [atMost(run.concurrency), perSecond(run.rate, monotonicMs, sleep)];
  const perTarget = await Promise.all(
    wanted.map(async (one) => {
      const { host, port } = one.connect ?? dialOf(one.target);
      const addresses = await turn(() => addressesOf(host));
      const probed = await Promise.all(addresses.map((ip) => turn(() => probeOne(one, { host: ip, port }, run, rate))));
      run.onDone();
      return probed.length > 0 ? beside(probed) : [judged(one, nameless(one, host), run)];
    }),
  );
  return perTarget.flat();
}

async function probeOne(wanted: WantedTarget, dial: HostPort, run: ProbeRun, rate: Pace): Promise<ProbedEndpoint> {
  const { client, timeoutMs, thorough } = run;
  const { may12, target } = wanted;
  const facts = await probeEndpoint(pacedPorts(rate), target, dial, { client, timeoutMs, thorough, may12 });
  return judged(wanted, facts, run);
}

function pacedPorts(rate: Pace): ProbePorts {
  const place = atMost(AT_ONCE);
  const paced =
    <Request, Result>(work: (request: Request) => Promise<Result>) =>
    (request: Request): Promise<Result> =>
      place(() => rate(() => work(request)));
  return {
    handshake: paced(handshake),
    readFlight: paced(readFlight),
    fetchPage: paced(fetchPage),
    identify: (address, timeoutMs) => place(() => rate(() => identifyPlaintext(address, timeoutMs))),
    clock: wallClock,
    pause: sleep,
  };
}

function nameless({ target }: WantedTarget, host: string): ProbedEndpoint['facts'] {
  return nothing(target, null, { id: 'name-not-resolved', detail: `${host} has no address`, protocol: null });
}

function judged({ anchors }: WantedTarget, facts: ProbedEndpoint['facts'], { trust }: ProbeRun): ProbedEndpoint {
  const judgement = judge(facts, { ...trust, anchors: [...anchors, ...trust.anchors], now: wallClock() });
  return { facts, judgement, grade: grade(facts, judgement.findings) };
}
