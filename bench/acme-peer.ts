/** An ACME server under measurement. */
import { connect } from 'node:net';

export interface AcmePeer {
  readonly name: string;
  /** As the program calls itself, or null where it does not say. */
  readonly version: string | null;
  readonly directoryUrl: string;
  /** What a client must trust to reach it. */
  readonly rootPem: string;
  /** Whose CPU time, with its threads and children, is the server's. */
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export function acceptsConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
