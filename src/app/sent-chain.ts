/** What a server sends as its chain, as it sends it: nothing is verified, reordered, completed or left out. */
import { OperatorFault } from '../core/faults/operator-faults.ts';
import { dialOf, type Target } from '../core/probe/target.ts';
import { formatHostPort } from '../core/stack/host-port.ts';
import { handshake } from '../edge/probe/service-handshake.ts';
import type { AttemptResult } from '../flow/probe/attempt.ts';
import { isForgery } from '../flow/probe/refusal-code.ts';

export interface SentChainOptions {
  /** For SNI; null sends none. */
  readonly serverName: string | null;
  readonly timeoutMs: number;
}

/**
 * DER of each certificate, in the order of the wire. A server that refuses us afterwards (because it wants a client
 * certificate) has still sent its chain.
 *
 * @throws OperatorFault target-unreachable, target-not-tls
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
      { path: formatHostPort(address) },
    );
  const chain = result.flight?.chain ?? (result.kind === 'established' ? [result.leaf] : []);
  const sent = chain.filter((der) => der.byteLength > 0);
  if (sent.length === 0) throw faultOf(target, result);
  return sent;
}

function faultOf({ host, port }: Target, result: AttemptResult): OperatorFault {
  const where = formatHostPort({ host, port });
  const facts = { target: where, host, port };
  if (result.kind === 'established')
    return new OperatorFault('target-not-tls', `${where} has no certificate (${result.suite})`, facts);
  const { by, why, code } = result;
  if (by === 'preamble') return new OperatorFault('target-not-tls', `${where}: ${why}`, facts);
  if (by === 'server' && NOT_TLS.has(code ?? ''))
    return new OperatorFault('target-not-tls', `${where} does not speak TLS from the first byte (${why})`, facts);
  const isAlert = code?.startsWith('ERR_SSL_') ?? false;
  const what = isAlert ? `${where} refused the handshake (${why})` : `${where}: ${WORDS[code ?? ''] ?? why}`;
  return new OperatorFault('target-unreachable', what, facts);
}

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
