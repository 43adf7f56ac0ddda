/** What speaks at a port whose server does not answer a ClientHello with TLS. */
import type { Speaker } from '../../core/probe/first-words.ts';
import type { HostPort } from '../../core/stack/stack.ts';

/** null: nobody who is known, or no connection. */
export type Identify = (address: HostPort, timeoutMs: number) => Promise<Identified | null>;

export interface Identified extends Speaker {
  /** Whether its TLS begins after a request, and it takes that. */
  readonly offersTls: boolean;
  /** What it said, printable and short; null: it was asked for TLS, and answered as its protocol does. */
  readonly said: string | null;
}
