/** What a server answers to a ClientHello of our choosing: its first flight, or how it refuses. */
import type { Protocol } from '../../core/probe/protocol.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { ClientHello } from '../../core/tls/client-hello.ts';
import type { ServerHello } from '../../core/tls/server-messages.ts';

export interface FlightRequest {
  readonly protocol: Protocol;
  readonly address: HostPort;
  readonly hello: Omit<ClientHello, 'random' | 'sessionId'>;
  readonly timeoutMs: number;
}

export interface ServerFlight {
  readonly kind: 'flight';
  readonly hello: ServerHello;
  /** DER in the order of the wire; null: it was not read. */
  readonly chain: readonly Uint8Array[] | null;
  /** null: no client certificate is asked for; DER of the names that are accepted, none said: empty. */
  readonly acceptedAuthorities: readonly Uint8Array[] | null;
  readonly group: number | null;
  /** Of a Diffie-Hellman exchange in the server's own group. */
  readonly primeBits: number | null;
  readonly alpn: string | null;
  readonly staplesStatus: boolean;
  /** It came to its end, as far as it was read: with TLS 1.3 everything that the server signs is in it. */
  readonly isWhole: boolean;
}

/** What came in place of a beginning: TLS is not offered, another protocol was spoken, or nothing any more. */
export type PreambleReason = 'tls-off' | 'other-protocol' | 'closed';

export type FlightResult =
  | ServerFlight
  | { readonly kind: 'alert'; readonly code: number }
  /** Something came that is no TLS; the first bytes. */
  | { readonly kind: 'not-tls'; readonly bytes: Uint8Array }
  | { readonly kind: 'preamble'; readonly reason: PreambleReason; readonly why: string }
  /** Ended without a word, before anything came. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'unreachable'; readonly code: string }
  | { readonly kind: 'timeout'; readonly connected: boolean };

export type ReadFlight = (request: FlightRequest) => Promise<FlightResult>;
