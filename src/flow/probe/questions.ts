/**
 * Questions to one server, one ClientHello each: bounded in number and in time, tried once more when the connection
 * fails, and ended with a reason when the server has had enough. What was learned until then stays known.
 */
import type { Protocol } from '../../core/probe/protocol.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { ClientHello } from '../../core/tls/client-hello.ts';
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
}

export type Hello = Omit<ClientHello, 'random' | 'sessionId'>;

/** null: the server refuses it. @throws SweepCut */
export type Ask = (hello: Omit<Hello, 'serverName'>) => Promise<ServerFlight | null>;

/** The server, or a limit, ended the asking; `why` is for people. */
export class SweepCut extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'SweepCut';
  }
}

/** A server that limits connections gets this long before it is asked again. */
const BEFORE_RETRY_MS = 500;
/** Questions without an answer that are waited for. */
const MOST_SILENCES = 3;

export function questioner(ports: SweepPorts, endpoint: Endpoint, limits: SweepLimits): Ask {
  const { serverName, ...where } = endpoint;
  let left = limits.connections;
  let silences = 0;
  let accepted: Hello | null = null;

  const once = (hello: Hello): Promise<FlightResult> => {
    if (left-- <= 0) throw new SweepCut(`${limits.connections} connections were made, which is the limit`);
    if (ports.clock() > limits.until) throw new SweepCut('it took too long');
    if (silences >= MOST_SILENCES) throw new SweepCut('the server stopped answering');
    return ports.readFlight({ ...where, hello });
  };
  const twice = async (hello: Hello): Promise<FlightResult> => {
    const first = await once(hello);
    if (first.kind === 'flight' || first.kind === 'alert') return first;
    await ports.pause(BEFORE_RETRY_MS);
    return once(hello);
  };
  return async (question) => {
    const hello = { ...question, serverName };
    const answer = await twice(hello);
    if (answer.kind === 'timeout') silences++;
    if (answer.kind === 'flight') {
      accepted ??= hello;
      return answer;
    }
    if (answer.kind === 'alert') return null;
    // Some servers refuse by closing. Whether this one does, or has shut us out, shows in what it took before.
    if (answer.kind === 'closed' && (accepted === null || (await twice(accepted)).kind === 'flight')) return null;
    throw new SweepCut(wordsOf(answer));
  };
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
