/** A client that knows no TLS: does it get service? */
import { connect as connectTcp, type Socket } from 'node:net';
import type { Protocol } from '../../core/probe/protocol.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { PlaintextAnswer } from '../../flow/probe/attempt.ts';
import { type PlaintextLogin, speakPlaintext } from './plaintext-words.ts';

/** @param localAddress to come from; absent: what the system takes */
export function plaintext(
  protocol: Protocol,
  address: HostPort,
  timeoutMs: number,
  login: PlaintextLogin = {},
  localAddress?: string,
): Promise<PlaintextAnswer> {
  return new Promise((resolve) => {
    const socket: Socket = connectTcp({ ...address, ...(localAddress !== undefined && { localAddress }) });
    const settle = (answer: PlaintextAnswer): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(answer);
    };
    const deadline = setTimeout(() => settle({ kind: 'refused', detail: 'silence' }), timeoutMs);
    socket.on('error', (fault) => settle({ kind: 'refused', detail: fault.message }));
    socket.once('connect', () => {
      speakPlaintext(protocol, socket, timeoutMs / 2, login).then(settle, (fault: Error) =>
        settle({ kind: 'refused', detail: fault.message }),
      );
    });
  });
}
