/** Listening for a server that speaks first, before a word is said to it; and how to leave one that takes note of who just goes. */
import type { Duplex } from 'node:stream';
import { speakerOf } from '../../core/probe/first-words.ts';
import { readSome } from './answer.ts';
import { mysqlLogin } from './plaintext-words.ts';

/** What it says first, left as it wants to be left; empty: it says nothing so soon. */
export async function hearGreeting(socket: Duplex, timeoutMs: number): Promise<Buffer> {
  const greeting = await readSome(socket, timeoutMs);
  if (speakerOf(greeting)?.protocol === 'mysql') await leaveMysql(socket);
  return greeting;
}

const LAST_ANSWER_MS = 500;

/**
 * MariaDB and MySQL count a client that leaves without a login as a connection error, and shut its host out at
 * max_connect_errors; one that is denied access is none (measured with MariaDB 10.11). What goes wrong here is no matter.
 *
 * @param sequence 1 in plaintext, behind the greeting; 2 behind the packet that asked for TLS
 */
export async function leaveMysql(socket: Duplex, sequence: 1 | 2 = 1): Promise<void> {
  socket.once('error', () => {});
  socket.write(mysqlLogin(sequence));
  await readSome(socket, LAST_ANSWER_MS);
}
