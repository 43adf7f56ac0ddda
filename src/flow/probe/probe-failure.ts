/** Why there was no TLS to look at, from what came instead; and what is spoken there, where that shows. */
import type { ProbeFailure, ProbeFailureId } from '../../core/probe/endpoint-facts.ts';
import type { Protocol, StarttlsWord } from '../../core/probe/protocol.ts';
import { alertName } from '../../core/tls/alert-names.ts';
import type { PlaintextAnswer } from './attempt.ts';
import type { Endpoint } from './questions.ts';
import type { FlightResult, ReadFlight } from './server-flight.ts';

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

/** RFC 6066 §3. */
const UNRECOGNIZED_NAME = 112;

const PREAMBLE_FAILURES = {
  'tls-off': 'tls-off',
  'other-protocol': 'plaintext-service',
  closed: 'closed-by-peer',
} as const satisfies Record<Extract<FlightResult, { kind: 'preamble' }>['reason'], ProbeFailureId>;

type Spoken =
  | { readonly protocol: string; readonly startsTls: false }
  | { readonly protocol: StarttlsWord; readonly startsTls: true };

/** First bytes of those that speak first, or answer a ClientHello with an error. */
const FIRST_WORDS: readonly (readonly [RegExp, Spoken])[] = [
  [/^HTTP\/1\.[01] /, { protocol: 'http', startsTls: false }],
  [/^SSH-/, { protocol: 'ssh', startsTls: false }],
  [/^220[ -][\s\S]*FTP/i, { protocol: 'ftp', startsTls: true }],
  [/^220[ -]/, { protocol: 'smtp', startsTls: true }],
  [/^\* OK/, { protocol: 'imap', startsTls: true }],
  [/^\+OK/, { protocol: 'pop3', startsTls: true }],
  [/^-(?:ERR|NOAUTH|DENIED) /, { protocol: 'redis', startsTls: false }],
  [/^<\?xml|^<stream:/, { protocol: 'xmpp', startsTls: true }],
  // A packet of less than 256 bytes with number 0, and version 10 of the protocol in it.
  [/^[\s\S]\0\0\0\n[\x20-\x7e]/, { protocol: 'mysql', startsTls: true }],
];

function spokenBy(bytes: Uint8Array): Spoken | null {
  const text = String.fromCharCode(...bytes.subarray(0, 64));
  return FIRST_WORDS.find(([words]) => words.test(text))?.[1] ?? null;
}

export interface RecognisePorts {
  readonly readFlight: ReadFlight;
  readonly plaintext: (protocol: Protocol, address: Endpoint['address'], timeoutMs: number) => Promise<PlaintextAnswer>;
}

/** Protocols whose servers wait for the client, and close when it says what they do not understand. */
const WAITING = ['postgres', 'ldap'] as const satisfies readonly Protocol[];

/**
 * What is spoken at a port whose server does not answer a ClientHello with TLS.
 *
 * @param hello of everything
 */
export async function recognise(
  { readFlight, plaintext }: RecognisePorts,
  { serverName, ...where }: Endpoint,
  hello: Omit<Parameters<ReadFlight>[0]['hello'], 'serverName'>,
  result: NoFlight,
): Promise<{ readonly protocol: StarttlsWord } | { readonly protocol: 'redis'; readonly inPlaintext: true } | null> {
  if (result.kind === 'not-tls') {
    const spoken = spokenBy(result.bytes);
    return spoken?.startsTls ? { protocol: spoken.protocol } : null;
  }
  const isWaiting = result.kind === 'timeout' && result.connected;
  if (!isWaiting && result.kind !== 'closed') return null;
  const answers = await Promise.all(
    WAITING.map(async (protocol) => ({
      protocol,
      answer: await readFlight({ ...where, protocol, hello: { ...hello, serverName } }),
    })),
  );
  const known = answers.find(({ answer }) => answersAsAsked(answer));
  if (known) return { protocol: known.protocol };
  if (!isWaiting) return null;
  // Redis waits for the end of a line that never comes.
  const { kind, detail } = await plaintext('redis', where.address, where.timeoutMs);
  return kind === 'service' && /^[+-]/.test(detail) ? { protocol: 'redis', inPlaintext: true } : null;
}

function answersAsAsked(answer: FlightResult): boolean {
  return (
    answer.kind === 'flight' || answer.kind === 'alert' || (answer.kind === 'preamble' && answer.reason === 'tls-off')
  );
}
