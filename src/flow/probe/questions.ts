/**
 * Questions to one server, one ClientHello each: bounded in number and in time, and ended with a reason when the server has
 * had enough. What was learned until then stays known. A server that fails a connection may be one that limits them: from
 * then on it is asked one thing at a time, and again.
 */
import type { Protocol } from '../../core/probe/protocol.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { ClientHello } from '../../core/tls/client-hello.ts';
import { BEFORE_RETRY_MS, oneAtATime } from './patience.ts';
import type { FlightResult, ReadFlight, ServerFlight } from './server-flight.ts';

export interface Endpoint {
  readonly protocol: Protocol;
  readonly address: HostPort;
  /** For SNI; null sends none. */
  readonly serverName: string | null;
  /** Of each connection. */
  readonly timeoutMs: number;
}

export interface SweepPorts {
  readonly readFlight: ReadFlight;
  readonly clock: () => Instant;
  readonly pause: (ms: number) => Promise<void>;
}

export interface SweepLimits {
  readonly connections: number;
  /** After this nothing more is asked. */
  readonly until: Instant;
  /** Whether the server still does what it did before the sweep; absent: nothing is known that it did. */
  readonly isServing?: () => Promise<boolean>;
}

export type Hello = Omit<ClientHello, 'random' | 'sessionId'>;

/** null: the server refuses it. @throws SweepCut */
export type Ask = (hello: Omit<Hello, 'serverName'>) => Promise<ServerFlight | null>;

export interface Questioner {
  readonly ask: Ask;
  /** Whether what it took first is taken still; without that no refusal means what it says. @throws SweepCut */
  readonly confirm: () => Promise<void>;
}

/** The server, or a limit, ended the asking; `why` is for people. */
export class SweepCut extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'SweepCut';
  }
}

/** Questions without an answer that are waited for. */
const MOST_SILENCES = 3;

export function questioner(ports: SweepPorts, endpoint: Endpoint, limits: SweepLimits): Questioner {
  const { serverName, ...where } = endpoint;
  const alone = oneAtATime();
  let left = limits.connections;
  let silences = 0;
  let accepted: Hello | null = null;
  let isFragile = false;

  const once = (hello: Hello): Promise<FlightResult> => {
    if (left-- <= 0) throw new SweepCut(`${limits.connections} connections were made, which is the limit`);
    if (ports.clock() > limits.until) throw new SweepCut('it took too long');
    if (silences >= MOST_SILENCES) throw new SweepCut('the server stopped answering');
    return ports.readFlight({ ...where, hello });
  };
  const again = async (hello: Hello): Promise<FlightResult> => {
    const answer = await once(hello);
    if (isAnswer(answer) || answer.kind === 'timeout') return answer;
    await ports.pause(BEFORE_RETRY_MS);
    return once(hello);
  };
  const answerTo = async (hello: Hello): Promise<FlightResult> => {
    if (!isFragile) {
      const answer = await once(hello);
      if (isAnswer(answer)) return answer;
      isFragile = true;
    }
    return alone(() => again(hello));
  };
  /** Some servers refuse by closing. Whether this one does, or has shut us out, shows in what it took before. */
  const isRefusal = async (): Promise<boolean> => {
    if (accepted !== null) return (await answerTo(accepted)).kind === 'flight';
    return limits.isServing === undefined || alone(limits.isServing);
  };
  return {
    ask: async (question) => {
      const hello = { ...question, serverName };
      const answer = await answerTo(hello);
      if (answer.kind === 'timeout') silences++;
      if (answer.kind === 'flight') {
        accepted ??= hello;
        return answer;
      }
      if (answer.kind === 'alert' || (answer.kind === 'closed' && (await isRefusal()))) return null;
      throw new SweepCut(wordsOf(answer));
    },
    confirm: async () => {
      const answer = accepted && (await answerTo(accepted));
      if (answer === null || answer.kind === 'flight') return;
      throw new SweepCut(answer.kind === 'alert' ? REFUSES_NOW : wordsOf(answer));
    },
  };
}

const REFUSES_NOW = 'the server refuses now what it took at first';

function isAnswer({ kind }: FlightResult): boolean {
  return kind === 'flight' || kind === 'alert';
}

function wordsOf(answer: Exclude<FlightResult, { kind: 'flight' | 'alert' }>): string {
  switch (answer.kind) {
    case 'not-tls':
      return 'the server answered with something that is no TLS';
    case 'preamble':
      return answer.why;
    case 'closed':
      return 'the server closes every connection now';
    case 'unreachable':
      return `the server takes no more connections (${answer.code})`;
    case 'timeout':
      return 'the server did not answer in time';
  }
}

/** Everything that comes, and why no more came; null: it came to its end. */
export async function collect<T>(
  answers: AsyncIterable<T>,
): Promise<{ readonly found: readonly T[]; readonly cut: string | null }> {
  const found: T[] = [];
  try {
    for await (const answer of answers) found.push(answer);
    return { found, cut: null };
  } catch (fault) {
    if (!(fault instanceof SweepCut)) throw fault;
    return { found, cut: fault.message };
  }
}
