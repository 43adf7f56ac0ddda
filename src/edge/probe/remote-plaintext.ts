/**
 * A client in plaintext as one on another host would be treated. Dovecot 2.3 holds a connection between equal addresses for
 * as good as encrypted, and so is every one from the host itself to an address of its own; from another address of the
 * loopback network it is a stranger (measured with 2.3.19).
 */
import { connect, isIPv4 } from 'node:net';
import type { Protocol } from '../../core/probe/protocol.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { RemotePlaintextAnswer } from '../../flow/probe/attempt.ts';
import { plaintext } from './plaintext.ts';

const OTHER_LOOPBACK = '127.0.0.2';

export async function remotePlaintext(
  protocol: Protocol,
  address: HostPort,
  timeoutMs: number,
): Promise<RemotePlaintextAnswer> {
  const own = protocol === 'imap' || protocol === 'pop3' ? await equalAddress(address, timeoutMs) : null;
  if (own === null) return plaintext(protocol, address, timeoutMs);
  if (!isIPv4(own)) return unseen(own, 'IPv6 has one loopback address');
  const fault = await faultOf(own, address.port, timeoutMs, OTHER_LOOPBACK);
  if (fault !== null) return unseen(own, `${fault} from ${OTHER_LOOPBACK}`);
  const answer = await plaintext(protocol, { host: own, port: address.port }, timeoutMs, {}, OTHER_LOOPBACK);
  return { ...answer, detail: `to ${OTHER_LOOPBACK}: ${answer.detail}` };
}

function unseen(own: string, why: string): RemotePlaintextAnswer {
  return {
    kind: 'unknown',
    detail: `between equal addresses (${own}) a mail server may take plaintext that it refuses from elsewhere; run verify on another host (${why})`,
  };
}

/** At both ends of the connection; null: they differ, or there is none. */
function equalAddress({ host, port }: HostPort, timeoutMs: number): Promise<string | null> {
  return connected({ host, port }, timeoutMs, (socket) =>
    socket.localAddress !== undefined && socket.localAddress === socket.remoteAddress ? socket.localAddress : null,
  ).catch(() => null);
}

function faultOf(host: string, port: number, timeoutMs: number, localAddress: string): Promise<string | null> {
  return connected({ host, port, localAddress }, timeoutMs, () => null).catch((fault: Error) => fault.message);
}

function connected<T>(
  to: HostPort & { readonly localAddress?: string },
  timeoutMs: number,
  see: (socket: ReturnType<typeof connect>) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const socket = connect(to);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no connection')));
    socket.once('error', reject);
    socket.once('connect', () => {
      resolve(see(socket));
      socket.destroy();
    });
  });
}
