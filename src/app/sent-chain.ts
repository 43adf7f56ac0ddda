/** What a server sends as its chain, as it sends it: nothing is verified, reordered, completed or left out. */
import type { CauseId } from '../core/diagnosis/causes.ts';
import { OperatorFault, type OperatorFaultCode } from '../core/faults/operator-faults.ts';
import { dialOf, type Target } from '../core/probe/target.ts';
import { formatHostPort } from '../core/stack/host-port.ts';
import { handshake } from '../edge/probe/service-handshake.ts';
import type { AttemptResult } from '../flow/probe/attempt.ts';
import { isForgery } from '../flow/probe/refusal-code.ts';
import type { PreambleReason } from '../flow/probe/server-flight.ts';

export interface SentChainOptions {
  /** For SNI; null sends none. */
  readonly serverName: string | null;
  readonly timeoutMs: number;
}

/**
 * DER of each certificate, in the order of the wire. A server that refuses us afterwards (because it wants a client
 * certificate) has still sent its chain.
 *
 * @throws OperatorFault target-unreachable, target-refused, target-not-tls, key-mismatch; `facts.cause` is what `diagnose` would say
 */
export async function sentChain(
  target: Target,
  { serverName, timeoutMs }: SentChainOptions,
): Promise<readonly Uint8Array[]> {
  const { protocol } = target;
  const address = dialOf(target);
  const result = await handshake({
    protocol,
    address,
    serverName,
    anchors: null,
    // Only looked at: whatever the server can do is good enough. Nothing is sent over this connection.
    versions: { min: 'TLSv1', max: 'TLSv1.3' },
    suites: 'ALL:!aNULL:@SECLEVEL=0',
    exchange: false,
    flight: true,
    timeoutMs,
  });
  if (result.kind === 'refused' && isForgery(result.code))
    throw new OperatorFault(
      'key-mismatch',
      `${formatHostPort(address)} shows a certificate and cannot prove that it has the key (${result.why})`,
      { path: formatHostPort(address), target: formatHostPort(address), ...address, cause: 'key-mismatch' },
    );
  const chain = result.flight?.chain ?? (result.kind === 'established' ? [result.leaf] : []);
  const sent = chain.filter((der) => der.byteLength > 0);
  if (sent.length === 0) throw faultOf(target, result);
  return sent;
}

function faultOf(target: Target, result: AttemptResult): OperatorFault {
  const { host, port } = dialOf(target);
  const where = formatHostPort({ host, port });
  const fault = (code: OperatorFaultCode, cause: CauseId, what: string): OperatorFault =>
    new OperatorFault(code, what, { target: where, host, port, cause });
  if (result.kind === 'established')
    return fault('target-not-tls', 'handshake-refused', `${where} has no certificate (${result.suite})`);
  const { by, why, code, preamble } = result;
  if (by === 'preamble') return fault('target-not-tls', CAUSE_OF_PREAMBLE[preamble ?? 'closed'], `${where}: ${why}`);
  if (by === 'server' && NOT_TLS.has(code ?? ''))
    return fault('target-not-tls', 'plaintext-service', `${where} does not speak TLS from the first byte (${why})`);
  if (code?.startsWith('ERR_SSL_'))
    return fault('target-refused', 'handshake-refused', `${where} refused the handshake (${why})`);
  const what = `${where}: ${WORDS[code ?? ''] ?? why}`;
  if (by === 'server' || code === 'ECONNRESET') return fault('target-refused', 'closed-by-peer', what);
  return fault('target-unreachable', UNREACHABLE[code ?? ''] ?? 'no-answer', what);
}

const CAUSE_OF_PREAMBLE = {
  'tls-off': 'tls-off',
  'other-protocol': 'plaintext-service',
  closed: 'closed-by-peer',
} as const satisfies Record<PreambleReason, CauseId>;

const UNREACHABLE: Readonly<Record<string, CauseId>> = {
  ECONNREFUSED: 'connection-refused',
  EHOSTUNREACH: 'connect-timeout',
  ENETUNREACH: 'connect-timeout',
  ETIMEDOUT: 'connect-timeout',
  ENOTFOUND: 'name-not-resolved',
  EAI_AGAIN: 'name-not-resolved',
};

/** What OpenSSL says of bytes that are no TLS record. */
const NOT_TLS: ReadonlySet<string> = new Set([
  'EPROTO',
  'ERR_SSL_BAD_RECORD_TYPE',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_WRONG_VERSION_NUMBER',
]);

/** Node.js's codes, where its words say less. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ECONNRESET: 'the connection was reset before a certificate came',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  ENOTFOUND: 'the name has no address',
  EAI_AGAIN: 'the name cannot be resolved now',
};
