/** What was seen of one address of a target. Nothing here is a judgement. */
import type { ProtocolVersion } from '../tls/protocol-version.ts';
import type { Certificate } from '../x509/certificate.ts';
import { type Gap, isSettled } from './gap.ts';
import type { Hsts } from './hsts.ts';
import type { Target } from './target.ts';

export interface EndpointFacts {
  readonly target: Target;
  /** An IP address; null: the name has none. */
  readonly address: string | null;
  /** null: TLS was spoken. */
  readonly failure: ProbeFailure | null;
  readonly protocols: readonly ProtocolVersion[];
  readonly suites: readonly { readonly version: ProtocolVersion; readonly code: number }[];
  readonly serverOrder: boolean | null;
  /** Codes. */
  readonly groups: readonly number[];
  readonly primeBits: number | null;
  /** In the order in which the server chose them. */
  readonly alpn: readonly string[];
  /** What becomes of an application protocol that nobody knows; null: it was not offered. */
  readonly alpnMismatch: 'refused' | 'ignored' | 'taken' | null;
  readonly sessionTickets: boolean;
  readonly ocspStapling: boolean;
  /** "required": refused without one. */
  readonly clientCertificate: 'none' | 'optional' | 'required';
  /** RFC 4514. */
  readonly acceptedAuthorities: readonly string[];
  /** In the order of the wire. */
  readonly chain: readonly Certificate[];
  /** Why nothing shows that the server has the key of its certificate; null: a handshake does. */
  readonly unproven: { readonly why: string; readonly isForged: boolean } | null;
  /** Of other key types, for clients that want them. */
  readonly otherChains: readonly (readonly Certificate[])[];
  /** The certificate that was shown was not accepted: the words of the refusal; null: it was, or none was shown. */
  readonly clientRefused: string | null;
  /** null: it is no HTTPS. */
  readonly web: WebFacts | null;
  readonly gaps: readonly Gap[];
  /** What the look left in a log that was to be spared; for people. */
  readonly traces: readonly string[];
}

/** Ids are causes of `diagnose`. */
export type ProbeFailureId =
  | 'name-not-resolved'
  | 'connection-refused'
  | 'connect-timeout'
  | 'no-answer'
  | 'closed-by-peer'
  | 'tls-off'
  | 'starttls-needed'
  | 'plaintext-service'
  | 'handshake-refused'
  | 'name-mismatch';

export interface ProbeFailure {
  readonly id: ProbeFailureId;
  /** What was seen, for people. */
  readonly detail: string;
  /** What answered, where it showed itself: "smtp", "http". */
  readonly protocol: string | null;
}

/** Whether a TCP connection was made at all. */
export function isReachable({ failure }: Pick<EndpointFacts, 'failure'>): boolean {
  return failure === null || !UNREACHABLE.includes(failure.id);
}

const UNREACHABLE: readonly ProbeFailureId[] = ['name-not-resolved', 'connection-refused', 'connect-timeout'];

/** It spoke TLS and showed no certificate, by no fault of the network. Suites without certificates have none to show. */
export function isRefusing({ failure, unproven, chain, gaps }: EndpointFacts): boolean {
  return failure === null && unproven !== null && chain.length === 0 && isSettled(gaps, 'trust');
}

export interface WebFacts {
  /** Of the front page, after redirects that stay here. */
  readonly status: number;
  readonly hsts: Hsts | null;
  /** As it was sent, where it was. */
  readonly hstsHeader: string | null;
  /** Where it leads, in order. */
  readonly redirects: readonly string[];
  /** Addresses that the page fetches in plaintext. */
  readonly mixedContent: readonly string[];
  /** What plain HTTP at port 80 answers; null: nothing, or it was not asked. */
  readonly plain: { readonly status: number; readonly location: string | null } | null;
}
