/** Why there was no TLS to look at, from what came instead. */
import type { ProbeFailure, ProbeFailureId } from '../../core/probe/endpoint-facts.ts';
import type { FlightResult } from './server-flight.ts';

type NoFlight = Exclude<FlightResult, { kind: 'flight' }>;

/** @param result of a hello that offers everything */
export function failureOf(result: NoFlight): ProbeFailure {
  const failure = (id: ProbeFailureId, detail: string, protocol: string | null = null): ProbeFailure => ({
    id,
    detail,
    protocol,
  });
  switch (result.kind) {
    case 'unreachable':
      return result.code === 'ECONNREFUSED'
        ? failure('connection-refused', 'nothing listens there (connection refused)')
        : failure('connect-timeout', `no connection could be made (${result.code})`);
    case 'timeout':
      return result.connected
        ? failure('no-answer', 'a connection was made, and nothing came back')
        : failure('connect-timeout', 'packets to it vanish: no connection was made in time');
    case 'closed':
      return failure('closed-by-peer', 'the connection was closed before the first byte of TLS');
    case 'preamble':
      return failure(PREAMBLE_FAILURES[result.reason], result.why);
    case 'alert':
      return failure('handshake-refused', `every handshake is refused (alert ${result.code})`);
    case 'not-tls': {
      const known = spokenBy(result.bytes);
      return known?.startsTls
        ? failure(
            'starttls-needed',
            `${known.protocol} is spoken there, whose TLS begins after a request`,
            known.protocol,
          )
        : failure(
            'plaintext-service',
            known ? `${known.protocol} is spoken there, in plaintext` : 'what came back is no TLS',
            known?.protocol ?? null,
          );
    }
  }
}

const PREAMBLE_FAILURES = {
  'tls-off': 'tls-off',
  'other-protocol': 'plaintext-service',
  closed: 'closed-by-peer',
} as const satisfies Record<Extract<FlightResult, { kind: 'preamble' }>['reason'], ProbeFailureId>;

interface Spoken {
  readonly protocol: string;
  readonly startsTls: boolean;
}

/** First bytes of those that speak first, or answer a ClientHello with an error. */
const FIRST_WORDS: readonly (readonly [RegExp, Spoken])[] = [
  [/^HTTP\/1\.[01] /, { protocol: 'http', startsTls: false }],
  [/^SSH-/, { protocol: 'ssh', startsTls: false }],
  [/^220[ -].*\bFTP\b/i, { protocol: 'ftp', startsTls: true }],
  [/^220[ -]/, { protocol: 'smtp', startsTls: true }],
  [/^\* OK/, { protocol: 'imap', startsTls: true }],
  [/^\+OK/, { protocol: 'pop3', startsTls: true }],
  [/^-(?:ERR|NOAUTH|DENIED) /, { protocol: 'redis', startsTls: false }],
  // A packet of less than 256 bytes with number 0, and version 10 of the protocol in it.
  [/^[\s\S]\0\0\0\n[\x20-\x7e]/, { protocol: 'mysql', startsTls: true }],
];

function spokenBy(bytes: Uint8Array): Spoken | null {
  const text = String.fromCharCode(...bytes.subarray(0, 64));
  return FIRST_WORDS.find(([words]) => words.test(text))?.[1] ?? null;
}
