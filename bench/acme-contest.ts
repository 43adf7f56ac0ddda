/**
 * The servers of one benchmark, each under the same load in turn, round after round: what else the machine does falls
 * on all of them. One that stops answering is started anew and its round repeated, and that is counted.
 */
import { join } from 'node:path';
import { type AcmeRound, figures } from './acme-figures.ts';
import type { AcmeLoad } from './acme-load-client.ts';
import type { AcmePeer } from './acme-peer.ts';
import type { LoadProcess } from './load-process.ts';
import { rounded } from './order-statistics.ts';

export type LoadShape = Pick<AcmeLoad, 'clients' | 'accounts' | 'orders'>;

/** By the name of the server. */
export type Rounds = Readonly<Record<string, readonly AcmeRound[]>>;

export type StartPeer = (directory: string) => Promise<AcmePeer>;

export interface AcmeContest {
  readonly rounds: (count: number, shape: LoadShape) => Promise<Rounds>;
  readonly load: (peer: AcmePeer, shape: LoadShape) => Promise<AcmeRound>;
  /** As they run now. */
  readonly peers: () => readonly AcmePeer[];
  /** How often each had to be started anew, those that never had to left out. */
  readonly hangs: () => Readonly<Record<string, number>>;
  readonly stop: () => Promise<void>;
}

const MAX_HANGS_IN_A_ROUND = 3;

export async function startContest(
  scratch: string,
  loads: LoadProcess,
  starters: readonly StartPeer[],
  progress: (text: string) => void,
): Promise<AcmeContest> {
  const running: AcmePeer[] = [];
  const hangs: Record<string, number> = {};
  let loadCount = 0;
  let startCount = 0;
  const start = (starter: StartPeer): Promise<AcmePeer> => starter(join(scratch, `server-${++startCount}`));

  const load = ({ directoryUrl, rootPem, pid }: AcmePeer, shape: LoadShape): Promise<AcmeRound> => {
    const label = `l${++loadCount}`;
    return loads.acme({ kind: 'acme', directoryUrl, rootPem, namesPerOrder: 1, label, ...shape }, pid);
  };

  const loadOnce = async (index: number, starter: StartPeer, shape: LoadShape): Promise<AcmeRound> => {
    for (let attempt = 1; ; attempt++) {
      const peer = running[index] ?? (await start(starter));
      running[index] = peer;
      const result = await load(peer, shape);
      progress(`${peer.name}: ${described(result)}`);
      if (!result.hung) return result;
      hangs[peer.name] = (hangs[peer.name] ?? 0) + 1;
      if (attempt === MAX_HANGS_IN_A_ROUND) return result;
      await peer.stop();
      running[index] = await start(starter);
    }
  };

  for (const starter of starters) running.push(await start(starter));
  return {
    async rounds(count, shape) {
      const results: Record<string, readonly AcmeRound[]> = {};
      for (let round = 1; round <= count; round++) {
        progress(`round ${round} of ${count}: ${JSON.stringify(shape)}`);
        for (const [index, starter] of starters.entries()) {
          const result = await loadOnce(index, starter, shape);
          const name = running[index]?.name ?? '';
          results[name] = [...(results[name] ?? []), result];
        }
      }
      return results;
    },
    load,
    peers: () => [...running],
    hangs: () => ({ ...hangs }),
    async stop() {
      for (const peer of running) await peer.stop();
    },
  };
}

function described(round: AcmeRound): string {
  const { reasons } = round;
  return JSON.stringify({
    ...figures([round]),
    clientCpuMsPerOrder: rounded(round.clientCpuMsPerOrder),
    seconds: rounded(round.seconds),
    ...(round.failed > 0 && { reasons }),
  });
}
