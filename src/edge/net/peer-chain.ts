/**
 * What a TLS server sends as its chain, as it sends it: nothing is verified, reordered, completed or left out.
 *
 * For TLS from the first byte; protocols that upgrade (STARTTLS, PostgreSQL's SSLRequest) are not spoken here.
 */
import type { X509Certificate } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { parseIpAddress } from '../../core/x509/ip-address.ts';

export interface Endpoint {
  /** A DNS name or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface PeerChainOptions {
  /** For SNI; null sends none. */
  readonly serverName: string | null;
  readonly timeoutMs: number;
}

const HOST = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*\.?$/;

/** "host:port", "[v6]:port" or "https://host[:port]/…" → endpoint, or null when it is none of them. */
export function parseEndpoint(text: string): Endpoint | null {
  const url = /^https:\/\/([^/?#@]+)(?:[/?#].*)?$/i.exec(text);
  const authority = url?.[1] ?? text;
  const [, v6, name, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(authority) ?? [];
  const port = digits === undefined ? (url ? 443 : 0) : Number(digits);
  if (port < 1 || port > 65535) return null;
  if (v6 !== undefined) {
    const host = v6.includes(':') ? parseIpAddress(v6) : null;
    return host && { host, port };
  }
  return name !== undefined && (HOST.test(name) || parseIpAddress(name)) ? { host: name, port } : null;
}

export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The name that a client of this endpoint sends: none for addresses (RFC 6066 §3). */
export function serverNameOf({ host }: Endpoint): string | null {
  return parseIpAddress(host) === null ? host.replace(/\.$/, '') : null;
}

/**
 * DER of each certificate, in the order of the wire. A server that refuses us afterwards (because it wants a client
 * certificate) has still sent its chain.
 *
 * @throws OperatorFault target-unreachable, target-not-tls
 */
export function peerChain(endpoint: Endpoint, { serverName, timeoutMs }: PeerChainOptions): Promise<Uint8Array[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...endpoint,
      ...(serverName === null ? {} : { servername: serverName }),
      rejectUnauthorized: false,
      // Only looked at: whatever the server can do is good enough. Nothing is sent over this connection.
      minVersion: 'TLSv1',
      ciphers: 'ALL:@SECLEVEL=0',
      // Without anchors nothing of our own can slip into the chain.
      ca: [],
    });
    const deadline = setTimeout(() => socket.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    const settle = (fault: NodeJS.ErrnoException | null): void => {
      clearTimeout(deadline);
      const chain = receivedChain(socket);
      socket.destroy();
      if (chain.length > 0) resolve(chain);
      else reject(faultOf(endpoint, fault));
    };
    socket.once('secureConnect', () => settle(null));
    // Stays: an error after the first must not end the process.
    socket.on('error', settle);
    socket.once('close', () => settle(null));
  });
}

/** Asked once only: older Nodes take the certificates out of the connection's list as they hand them out. */
function receivedChain(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let next: X509Certificate | undefined = socket.getPeerX509Certificate();
  for (; next; next = next.issuerCertificate) chain.push(next.raw);
  return chain;
}

function faultOf(endpoint: Endpoint, cause: (NodeJS.ErrnoException & { reason?: string }) | null): OperatorFault {
  const target = formatEndpoint(endpoint);
  const facts = { target, host: endpoint.host, port: endpoint.port };
  const code = cause?.code ?? '';
  if (NOT_TLS.has(code)) {
    const what = `${target} does not speak TLS from the first byte (${cause?.reason ?? code})`;
    return new OperatorFault('target-not-tls', what, facts, cause);
  }
  if (code.startsWith('ERR_SSL_'))
    return new OperatorFault(
      'target-unreachable',
      `${target} refused the handshake (${cause?.reason ?? code})`,
      facts,
      cause,
    );
  const what = WORDS[code] ?? cause?.message ?? 'the connection was closed before a certificate came';
  return new OperatorFault('target-unreachable', `${target}: ${what}`, facts, cause ?? undefined);
}

/** What OpenSSL says of bytes that are no TLS record. */
const NOT_TLS: ReadonlySet<string> = new Set([
  'EPROTO',
  'ERR_SSL_BAD_RECORD_TYPE',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_WRONG_VERSION_NUMBER',
]);

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ECONNRESET: 'the connection was reset before a certificate came',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  ENOTFOUND: 'the name has no address',
  EAI_AGAIN: 'the name cannot be resolved now',
  ETIMEDOUT: 'no answer',
};
