/** Why there was no TLS to look at, from what came instead. */
import type { ProbeFailure, ProbeFailureId } from '../../core/probe/endpoint-facts.ts';
import { speakerOf } from '../../core/probe/first-words.ts';
import { alertName } from '../../core/tls/alert-names.ts';
import type { FlightResult } from './server-flight.ts';

export type NoFlight = Exclude<FlightResult, { kind: 'flight' }>;

/** @param result of a hello that offers everything */
export function failureOf(result: NoFlight): ProbeFailure {
  const failure = (id: ProbeFailureId, detail: string, protocol: string | null = null): ProbeFailure => ({
    id,
    detail,
    protocol,
  });
  switch (result.kind) {
    case 'unreachable':
      if (result.code === 'ECONNRESET' || result.code === 'EPIPE')
        return failure('closed-by-peer', 'the connection was reset before the first byte of TLS');
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
      if (result.code === UNRECOGNIZED_NAME)
        return failure('name-mismatch', 'the server has no certificate for the name asked for, and says so');
      return failure(
        'handshake-refused',
        `every handshake is refused, whatever is offered (${alertName(result.code)})`,
      );
    case 'not-tls': {
      const known = speakerOf(result.bytes);
      return known?.starttls
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

/** RFC 6066 §3. */
const UNRECOGNIZED_NAME = 112;

const PREAMBLE_FAILURES = {
  'tls-off': 'tls-off',
  'other-protocol': 'plaintext-service',
  closed: 'closed-by-peer',
} as const satisfies Record<Extract<FlightResult, { kind: 'preamble' }>['reason'], ProbeFailureId>;
