/** A client's attempt at a service, to the end of the handshake and if wanted to the first words after it. */
import type { Protocol } from '../../core/probe/protocol.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { PreambleReason, ServerFlight } from './server-flight.ts';

export interface Attempt {
  readonly protocol: Protocol;
  readonly address: HostPort;
  /** For SNI; and, with `anchors`, the name that must be in the certificate. */
  readonly serverName: string | null;
  /** PEM of the roots that are trusted; null: nothing is verified, only looked at. */
  readonly anchors: readonly string[] | null;
  readonly versions?: {
    readonly min: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
    readonly max: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  };
  /** OpenSSL's names, as are the next two, in order and with colons. */
  readonly suites?: string;
  readonly groups?: string;
  readonly signatureAlgorithms?: string;
  /** Application protocols to offer. */
  readonly alpn?: readonly string[];
  readonly client?: ClientIdentity;
  /** As whom the first words log in, where they do; else nobody's name. */
  readonly user?: string;
  /** Where they log in to; else the one that is always there. */
  readonly database?: string;
  /** Their password, where only a login brings a cause to light (MySQL); said inside TLS alone. */
  readonly password?: string;
  /**
   * Exchange the first words of the protocol after the handshake; "listen": say nothing, and hear whether one is refused;
   * "login": begin a login where nothing less is refused (IMAP), and end it before anything is said of who logs in.
   */
  readonly exchange: boolean | 'listen' | 'login';
  /** Before the first word, wait a little for a server that speaks first: it is `heard`, and nothing else is tried. */
  readonly listensFirst?: true;
  /** Read the server's first flight from the wire besides: its chain in the order sent, whom it accepts as clients. */
  readonly flight?: true;
  /** Hand out the chain too: in the order of the wire, and for less than the whole flight costs. */
  readonly chain?: true;
  readonly timeoutMs: number;
  /** Given up when it is aborted. */
  readonly signal?: AbortSignal;
}

/** PEM. */
export interface ClientIdentity {
  readonly certPem: string;
  readonly keyPem: string;
}

export type AttemptResult = (
  | {
      readonly kind: 'established';
      /** DER of the leaf. */
      readonly leaf: Uint8Array;
      /** DER, where it was asked for. */
      readonly chain: readonly Uint8Array[] | null;
      readonly version: string;
      readonly suite: string;
      /** Of the suite, as OpenSSL calls it. */
      readonly opensslName: string;
      /** Whether the session can be resumed, as far as that came before the end. */
      readonly tickets: boolean;
      /** What came back to the first words; null: they were not said. */
      readonly answer: string | null;
    }
  | {
      readonly kind: 'refused';
      /** network: no connection; preamble: the protocol before TLS; client: our own verification. */
      readonly by: 'network' | 'preamble' | 'server' | 'client';
      readonly why: string;
      /** Of Node.js, such as "ECONNREFUSED". */
      readonly code: string | null;
      /** Of a preamble that came to nothing. */
      readonly preamble?: PreambleReason;
      /** The first bytes of what came in place of an answer, or of TLS. */
      readonly heard?: Uint8Array;
    }
) & {
  /** Where it was asked for, as far as it came. */
  readonly flight: ServerFlight | null;
};

/** A plaintext client's first words at a service. */
export interface PlaintextAnswer {
  /** "service": it was answered as one who is served. */
  readonly kind: 'service' | 'refused';
  readonly detail: string;
}

/** As a client on another host would be answered; "unknown": it cannot be told from here, and why. */
export type RemotePlaintextAnswer = PlaintextAnswer | { readonly kind: 'unknown'; readonly detail: string };
