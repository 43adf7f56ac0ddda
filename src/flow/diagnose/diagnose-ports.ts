/** What a diagnosis needs of the world, and what it is about. */
import type { ClientTrust } from '../../core/diagnosis/chain-causes.ts';
import type { ClientLimits } from '../../core/diagnosis/client-limits.ts';
import type { Finding } from '../../core/diagnosis/finding.ts';
import type { Protocol } from '../../core/probe/protocol.ts';
import type { loginOf, Target } from '../../core/probe/target.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import type { Attempt, AttemptResult, ClientIdentity, PlaintextAnswer } from '../probe/attempt.ts';
import type { Identify } from '../probe/identify.ts';
import type { SweepPorts } from '../probe/questions.ts';

export interface DiagnosePorts extends SweepPorts {
  readonly handshake: (attempt: Attempt) => Promise<AttemptResult>;
  readonly plaintext: (
    protocol: Protocol,
    address: HostPort,
    timeoutMs: number,
    login: ReturnType<typeof loginOf>,
  ) => Promise<PlaintextAnswer>;
  readonly identify: Identify;
  /** Ends after so long; nothing is kept waiting by it. */
  readonly patience: (ms: number) => Promise<void>;
  /** A certificate from a caIssuers address (RFC 5280 §4.2.2.1); null: it cannot be had. */
  readonly fetchIssuer: (url: string) => Promise<Certificate | null>;
}

export interface DiagnoseOptions {
  readonly client: ClientIdentity | null;
  /** Certificates of `client`, the leaf first. */
  readonly clientChain: readonly Certificate[];
  readonly limits: ClientLimits;
  /** Of the user in the target's URL, where a login is the only way to see a cause; null: none was given. */
  readonly password: string | null;
  /** Of each connection. */
  readonly timeoutMs: number;
  readonly trust: ClientTrust;
}

export interface Diagnosed {
  readonly target: Target;
  /** An IP address; null: the name has none. */
  readonly address: string | null;
  /** Whether a connection was made at all. */
  readonly reachable: boolean;
  readonly findings: readonly Finding[];
  /** The leaf; null: none was seen. */
  readonly served: Certificate | null;
  readonly seen: Seen | null;
}

/** Of a handshake that went well. */
export interface Seen {
  readonly version: string;
  readonly suite: string;
  readonly chain: readonly Certificate[];
  readonly at: Instant;
}
