/**
 * What speaks at a port in plaintext: who greets first is listened to, the others are spoken to in their own words, each on a
 * connection of its own. Everything is bounded, and what a server says is shown short and printable.
 */
import { connect, type Socket } from 'node:net';
import type { HostPort } from '../../core/stack/stack.ts';
import type { Identified } from '../../flow/diagnose/diagnose-ports.ts';
import { printable, readSome, readUntil, text } from './answer.ts';

type Known = NonNullable<Identified>;

/** Greetings come at once, also over long ways. */
const GREETING_MS = 1500;

/** @param timeoutMs of each connection */
export async function identifyPlaintext(address: HostPort, timeoutMs: number): Promise<Identified> {
  const known = new AbortController();
  const greeted = await on(address, Math.min(GREETING_MS, timeoutMs), greeting, known.signal);
  if (greeted) return greeted;
  const asked = [http, redis, postgres].map(async (ask) => {
    const answer = await on(address, timeoutMs, ask, known.signal);
    if (answer === null) throw new Error('not this one');
    return answer;
  });
  return Promise.any(asked)
    .catch(() => null)
    .finally(() => known.abort());
}

type Ask = (socket: Socket, timeoutMs: number) => Promise<Identified>;

/** null: it cannot be connected to, or says nothing that is known in time. */
function on(address: HostPort, timeoutMs: number, ask: Ask, enough: AbortSignal): Promise<Identified> {
  return new Promise((resolve) => {
    const socket = connect({ host: address.host, port: address.port });
    const settle = (answer: Identified): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(answer);
    };
    const deadline = setTimeout(() => settle(null), timeoutMs + 500);
    enough.addEventListener('abort', () => settle(null), { once: true });
    socket.on('error', () => settle(null));
    socket.once('connect', () => {
      ask(socket, timeoutMs).then(settle, () => settle(null));
    });
  });
}

/** CLIENT_SSL of the capabilities, which lie behind the version, the thread and the first part of the scramble. */
const CLIENT_SSL = 0x0800;

async function greeting(socket: Socket, timeoutMs: number): Promise<Identified> {
  const first = await readSome(socket, timeoutMs);
  const words = text(first);
  const known = (protocol: string, offersTls: boolean): Known => ({ protocol, offersTls, said: printable(words) });
  if (/^SSH-/.test(words)) return known('ssh', false);
  if (/^220[ -].*\bFTP\b/i.test(words)) return known('ftp', /^234/.test(await said(socket, 'AUTH TLS', /\n/)));
  if (/^220[ -]/.test(words))
    return known('smtp', /^250[ -]STARTTLS\s*$/im.test(await said(socket, 'EHLO fullchain.invalid', /^\d{3} .*\n/m)));
  if (/^\* (?:OK|PREAUTH)/i.test(words))
    return known('imap', /\bSTARTTLS\b/i.test(await said(socket, 'a CAPABILITY', /^a .*\n/m)));
  if (/^\+OK/.test(words)) return known('pop3', /^STLS\s*$/m.test(await said(socket, 'CAPA', /^\.\r?\n|^-ERR.*\n/m)));
  const versionEnd = first[4] === 10 ? first.indexOf(0, 5) : -1;
  if (first[3] === 0 && versionEnd > 0 && first.byteLength > versionEnd + 16)
    return known('mysql', (first.readUInt16LE(versionEnd + 14) & CLIENT_SSL) !== 0);
  return null;
}

async function said(socket: Socket, words: string, whole: RegExp): Promise<string> {
  socket.write(`${words}\r\n`);
  return text(await readUntil(socket, (bytes) => whole.test(text(bytes))));
}

const http: Ask = async (socket, timeoutMs) => {
  socket.write('GET / HTTP/1.0\r\n\r\n');
  const words = text(await readSome(socket, timeoutMs));
  // A server of TLS says so in plaintext, and serves nothing.
  if (!/^HTTP\/1\.[01] /.test(words) || /HTTPS (?:server|port)/i.test(words)) return null;
  return { protocol: 'http', offersTls: false, said: printable(words) };
};

const redis: Ask = async (socket, timeoutMs) => {
  socket.write('PING\r\n');
  const words = text(await readSome(socket, timeoutMs));
  return /^(?:\+PONG|-(?:NOAUTH|DENIED|ERR|LOADING|MASTERDOWN))/.test(words)
    ? { protocol: 'redis', offersTls: false, said: printable(words) }
    : null;
};

/** The SSLRequest of PostgreSQL: one byte comes back, or an error. */
const postgres: Ask = async (socket, timeoutMs) => {
  socket.write(Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f));
  const answer = await readSome(socket, timeoutMs);
  const [first] = answer;
  if (answer.byteLength !== 1 || (first !== 0x53 && first !== 0x4e)) return null;
  return { protocol: 'postgresql', offersTls: first === 0x53, said: text(answer) };
};
