/** Whether anybody is there at all. */
import { connect } from 'node:net';
import type { HostPort } from '../../core/stack/stack.ts';

const TIMEOUT_MS = 2000;

/** False only where the host itself says that nobody listens: silence may be a firewall. */
export function isListening({ host, port }: HostPort): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(true));
    socket.once('error', (fault: NodeJS.ErrnoException) => settle(fault.code !== 'ECONNREFUSED'));
  });
}
