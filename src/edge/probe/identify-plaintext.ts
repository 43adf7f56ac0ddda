/**
 * What speaks at a port in plaintext: who greets first is listened to, the others are spoken to in their own words, each on a
 * connection of its own; whether TLS is offered, its own request for TLS tells. Everything is bounded, and what a server says is
 * shown short and printable.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Speaker, speakerOf } from '../../core/probe/first-words.ts';
import { readMysqlGreeting } from '../../core/probe/mysql-greeting.ts';
import type { StarttlsWord } from '../../core/probe/protocol.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { Identified, Identify } from '../../flow/probe/identify.ts';
import { PreambleRefused, printable, readSome, text } from './answer.ts';
import { hearGreeting } from './greeting.ts';
import { beforeTls } from './preamble.ts';

/** Greetings come at once, and so do answers to a request for TLS, also over long ways. */
const GREETING_MS = 1500;

/** @param timeoutMs of each connection */
export const identifyPlaintext: Identify = async (address, timeoutMs) => {
  const soon = Math.min(GREETING_MS, timeoutMs);
  const early = await firstKnown(address, soon, [
    greeting(address, timeoutMs),
    afterGreeting(asksForTls('postgres', address)),
    afterGreeting(asksForTls('ldap', address)),
  ]);
  return early ?? firstKnown(address, timeoutMs, [http, redis, asksForTls('xmpp', address)]);
};

/** On a fresh connection. null: not this one. */
interface Ask {
  (socket: Socket, timeoutMs: number): Promise<Identified | null>;
  /** When its connection is made. */
  readonly afterMs?: number;
}

/** Who has greeted by then is not bothered with others' words: MariaDB counts each connection that comes to nothing. */
const HEAD_START_MS = 200;

function afterGreeting(ask: Ask): Ask {
  return Object.assign((socket: Socket, timeoutMs: number) => ask(socket, timeoutMs), { afterMs: HEAD_START_MS });
}

async function firstKnown(address: HostPort, timeoutMs: number, asks: readonly Ask[]): Promise<Identified | null> {
  const enough = new AbortController();
  const answers = asks.map(async (ask) => {
    await sleep(ask.afterMs ?? 0, undefined, { signal: enough.signal });
    const answer = await on(address, timeoutMs, ask, enough.signal);
    if (answer === null) throw new Error('not this one');
    return answer;
  });
  return Promise.any(answers)
    .catch(() => null)
    .finally(() => enough.abort());
}

/** null also when it cannot be connected to, and when nothing comes in time. */
function on(address: HostPort, timeoutMs: number, ask: Ask, enough: AbortSignal): Promise<Identified | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: address.host, port: address.port });
    const settle = (answer: Identified | null): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(answer);
    };
    const deadline = setTimeout(() => settle(null), timeoutMs);
    enough.addEventListener('abort', () => settle(null), { once: true });
    socket.on('error', () => settle(null));
    socket.once('connect', () => {
      ask(socket, timeoutMs).then(settle, () => settle(null));
    });
  });
}

function greeting(address: HostPort, patienceMs: number): Ask {
  return async (socket, timeoutMs) => {
    const first = await hearGreeting(socket, timeoutMs);
    const speaker = speakerOf(first);
    if (speaker === null) return null;
    const { starttls } = speaker;
    // One that does not even answer may do so another time.
    const offersTls = starttls !== null && (await offers(starttls, first, address, patienceMs)) !== false;
    return { ...speaker, offersTls, said: printable(text(first)) };
  };
}

/** MariaDB and MySQL say it in their greeting. */
async function offers(
  word: StarttlsWord,
  greeting: Buffer,
  address: HostPort,
  timeoutMs: number,
): Promise<boolean | undefined> {
  const read = word === 'mysql' ? readMysqlGreeting(greeting.subarray(4)) : null;
  if (read !== null) return read.kind === 'turned-away' || read.offersTls;
  return (await firstKnown(address, timeoutMs, [asksForTls(word, address)]))?.offersTls;
}

const NAMES: Readonly<Partial<Record<StarttlsWord, string>>> = { postgres: 'postgresql' };

function asksForTls(word: StarttlsWord, { host }: HostPort): Ask {
  const speaker: Speaker = { protocol: NAMES[word] ?? word, starttls: word };
  return async (socket) => {
    try {
      await beforeTls(word, socket, host);
      return { ...speaker, offersTls: true, said: null };
    } catch (fault) {
      if (!(fault instanceof PreambleRefused) || fault.reason !== 'tls-off') return null;
      return { ...speaker, offersTls: false, said: fault.message };
    }
  };
}

const http: Ask = async (socket, timeoutMs) => {
  socket.write('GET / HTTP/1.0\r\n\r\n');
  const words = text(await readSome(socket, timeoutMs));
  // A server of TLS says so in plaintext, and serves nothing.
  if (!/^HTTP\/1\.[01] /.test(words) || /^HTTP\/1\.[01] 400[\s\S]*(?:HTTPS|SSL)/i.test(words)) return null;
  return { protocol: 'http', starttls: null, offersTls: false, said: printable(words) };
};

const redis: Ask = async (socket, timeoutMs) => {
  socket.write('PING\r\n');
  const words = text(await readSome(socket, timeoutMs));
  return /^(?:\+PONG|-(?:NOAUTH|DENIED|ERR|LOADING|MASTERDOWN))/.test(words)
    ? { protocol: 'redis', starttls: null, offersTls: false, said: printable(words) }
    : null;
};
