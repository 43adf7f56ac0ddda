/** A TLS handshake over a connection that exists. The peer's certificate is not verified: validation judges for itself. */
import type { Socket } from 'node:net';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import { ConnectionFault } from './connection-fault.ts';
import { DeadlineExceeded, formatLimit } from './deadline.ts';

export interface HandshakeOptions {
  /** Server name indication; null for addresses, which it cannot carry (RFC 6066 §3). */
  readonly serverName: string | null;
  readonly applicationProtocols: readonly string[];
}

/** Without the roots of the public web, which nothing here is checked against: they take long to load. */
const context = createSecureContext({ ca: [], minVersion: 'TLSv1.2' });

/** @throws ConnectionFault, or the reason of `signal` */
export async function shakeHands(socket: Socket, options: HandshakeOptions, signal: AbortSignal): Promise<TLSSocket> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const secured = connect({
      socket,
      secureContext: context,
      ...(options.serverName !== null && { servername: options.serverName }),
      ALPNProtocols: [...options.applicationProtocols],
      rejectUnauthorized: false,
    });
    const giveUp = (): void => {
      secured.destroy();
      socket.destroy();
      reject(signal.reason);
    };
    const settled = (): void => signal.removeEventListener('abort', giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    secured.once('secureConnect', () => {
      settled();
      resolve(secured);
    });
    // Stays for the life of the socket: an error before the next reader listens must not end the process.
    secured.on('error', (cause) => {
      settled();
      socket.destroy();
      reject(new ConnectionFault(cause));
    });
  });
}

export type HandshakeFailure = { readonly problem: 'tls' | 'connection'; readonly what: string };

/** What to say of an endpoint after a failed handshake. */
export function describeHandshakeFailure(cause: unknown): HandshakeFailure {
  if (cause instanceof DeadlineExceeded) {
    return {
      problem: 'connection',
      what: `did not finish the TLS handshake in time (limit ${formatLimit(cause.limitMs)})`,
    };
  }
  if (!(cause instanceof ConnectionFault)) throw cause;
  if (cause.code === 'ECONNRESET' || cause.code === 'EPIPE') {
    return { problem: 'connection', what: 'closed the connection during the TLS handshake' };
  }
  if (cause.code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL') {
    return { problem: 'tls', what: 'refused the application protocol (TLS alert no_application_protocol)' };
  }
  return { problem: 'tls', what: `failed the TLS handshake: ${cause.reason ?? cause.code}` };
}
