/** A TCP connection to the first address that accepts one. Only literal addresses: nothing is resolved here. */
import { connect as connectTcp, type Socket } from 'node:net';
import type { IpAddress } from '../../core/x509/ip-address.ts';
import { ConnectionFault } from './connection-fault.ts';
import { DeadlineExceeded, formatLimit, withDeadline } from './deadline.ts';

export type Connection =
  | { readonly kind: 'connected'; readonly socket: Socket; readonly address: IpAddress }
  /** What became of each address. */
  | { readonly kind: 'failed'; readonly detail: string };

/** What to say of an address after an error of connect(2). */
const CONNECT_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'reset the connection',
  ETIMEDOUT: 'did not answer',
  EHOSTUNREACH: 'is not reachable (no route to the host)',
  EHOSTDOWN: 'is not reachable (the host is down)',
  ENETUNREACH: 'is not reachable from this authority (no route to its network)',
  EADDRNOTAVAIL: 'is not reachable from this authority (no local address for it)',
  EAFNOSUPPORT: 'is not reachable from this authority (no such address family)',
  EACCES: 'is not reachable from this authority (forbidden by the local host)',
  EPERM: 'is not reachable from this authority (forbidden by the local host)',
};

/** One address after the other, each for at most `limitMs`. @throws the reason of `signal` when it aborts */
export async function connectToFirst(
  addresses: readonly IpAddress[],
  port: number,
  limitMs: number,
  signal: AbortSignal,
): Promise<Connection> {
  const failures: string[] = [];
  for (const address of addresses) {
    try {
      const socket = await withDeadline(signal, limitMs, (limited) => connectTo(address, port, limited));
      return { kind: 'connected', socket, address };
    } catch (cause) {
      signal.throwIfAborted();
      failures.push(`${address} port ${port} ${describeConnectFailure(cause)}`);
    }
  }
  return { kind: 'failed', detail: failures.join('; ') };
}

/** @throws ConnectionFault, and the reason of the signal */
export async function connectTo(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: address, port, autoSelectFamily: false });
    const giveUp = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    const settled = (): void => signal.removeEventListener('abort', giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('connect', () => {
      settled();
      resolve(socket);
    });
    // Stays for the life of the socket: an error before the next reader listens must not end the process.
    socket.on('error', (cause) => {
      settled();
      reject(new ConnectionFault(cause));
    });
  });
}

function describeConnectFailure(cause: unknown): string {
  if (cause instanceof DeadlineExceeded) return `did not accept a connection within ${formatLimit(cause.limitMs)}`;
  if (!(cause instanceof ConnectionFault)) throw cause;
  return CONNECT_ERRORS[cause.code] ?? `could not be connected to (${cause.code})`;
}
