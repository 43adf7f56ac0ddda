/** Reading what a peer says in plaintext: up to what was waited for, or what comes first. Always bounded. */
import type { Duplex } from 'node:stream';
import type { PreambleReason } from '../../flow/probe/server-flight.ts';

/** The peer answered, but not as the protocol has it; `why` is for people. */
export class PreambleRefused extends Error {
  readonly reason: PreambleReason;
  /** What came in place of an answer, where that may tell who speaks. */
  readonly heard: Uint8Array | null;
  constructor(reason: PreambleReason, why: string, heard: Uint8Array | null = null) {
    super(why);
    this.name = 'PreambleRefused';
    this.reason = reason;
    this.heard = heard;
  }
}

const MAX_GREETING_BYTES = 8192;
const SHOWN_LENGTH = 160;

/**
 * Reads until `complete`; leaves nothing behind, because no peer sends more before it is asked.
 *
 * @throws PreambleRefused when the peer closes, or says more than any greeting is long
 */
export function readUntil(socket: Duplex, complete: (bytes: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const finish = (fault: Error | null): void => {
      socket.off('data', take);
      socket.off('close', closed);
      socket.off('end', closed);
      socket.pause();
      if (fault) reject(fault);
      else resolve(bytes);
    };
    const closed = (): void => {
      const said = bytes.byteLength === 0 ? '' : `; it had said: ${printable(text(bytes))}`;
      finish(new PreambleRefused('closed', `the connection was closed before TLS could begin${said}`));
    };
    const take = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      if (complete(bytes)) finish(null);
      else if (bytes.byteLength > MAX_GREETING_BYTES)
        finish(new PreambleRefused('other-protocol', 'the greeting is too long'));
    };
    socket.on('data', take);
    socket.once('close', closed);
    socket.once('end', closed);
    socket.resume();
  });
}

/** What comes first, or nothing when the peer closes or stays silent. */
export function readSome(socket: Duplex, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish(Buffer.alloc(0)), timeoutMs);
    const finish = (bytes: Buffer): void => {
      clearTimeout(timer);
      socket.off('data', finish);
      socket.off('close', ended);
      socket.off('end', ended);
      resolve(bytes);
    };
    const ended = (): void => finish(Buffer.alloc(0));
    if (socket.destroyed) return ended();
    socket.once('data', finish);
    socket.once('close', ended);
    socket.once('end', ended);
    socket.resume();
  });
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** What strangers wrote, short and without control characters. */
export function printable(answer: string): string {
  return answer
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, SHOWN_LENGTH);
}
