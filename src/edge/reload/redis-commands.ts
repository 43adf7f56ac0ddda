/**
 * A few commands to Redis over RESP: in TLS or in plaintext, whichever answers, because the port may be about to
 * change from one to the other. The peer is this host's own service, named by the stack file; its certificate is not
 * verified here (it is what is being installed), and the password goes only to loopback or over TLS.
 */
import { existsSync, readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Action } from '../../core/services/service-kind.ts';

type RedisAction = Extract<Action, { kind: 'redis' }>;

const TIMEOUT_MS = 5000;

export async function redisCommands(action: RedisAction): Promise<{ ok: boolean; output: string }> {
  const faults: string[] = [];
  for (const port of action.ports) {
    for (const tls of action.first === 'tls' ? [true, false] : [false, true]) {
      const result = await attempt(action, port, tls);
      if (result.kind === 'answered') return { ok: result.error === null, output: result.error ?? '' };
      faults.push(`port ${port}${tls ? ' with TLS' : ''}: ${result.why}`);
    }
  }
  return { ok: false, output: faults.join('; ') };
}

type Attempt =
  | { readonly kind: 'answered'; readonly error: string | null }
  | { readonly kind: 'unreachable'; readonly why: string };

function attempt(action: RedisAction, port: number, tls: boolean): Promise<Attempt> {
  const { host } = action;
  const loopback = host === 'localhost' || host === '::1' || host.startsWith('127.');
  const commands = [...authentication(action), ...action.commands];
  if (!tls && action.passwordFile !== null && !loopback) {
    return Promise.resolve({ kind: 'unreachable', why: 'the password is not sent in plaintext to another host' });
  }
  return new Promise((resolve) => {
    const socket: Socket = tls
      ? connectTls({ host, port, rejectUnauthorized: false, ...clientPair(action) })
      : connectTcp({ host, port });
    let received = '';
    const settle = (result: Attempt): void => {
      socket.destroy();
      resolve(result);
    };
    const unreachable = (why: string): void => settle({ kind: 'unreachable', why });
    socket.setTimeout(TIMEOUT_MS, () => unreachable('no answer'));
    socket.on('error', (fault) => unreachable(fault.message));
    socket.on('close', () => unreachable('closed without an answer'));
    socket.once(tls ? 'secureConnect' : 'connect', () => socket.write(commands.map(encode).join('')));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.length > 65_536) return unreachable('the answer is too long');
      if (!/^[-+:$*]/.test(received)) return unreachable('the answer is not that of a Redis server');
      const replies = received.split('\r\n').slice(0, -1);
      const error = replies.find((reply) => reply.startsWith('-'));
      if (error !== undefined) settle({ kind: 'answered', error: error.slice(1) });
      else if (replies.length >= commands.length) settle({ kind: 'answered', error: null });
    });
  });
}

function authentication({ passwordFile }: RedisAction): string[][] {
  return passwordFile === null ? [] : [['AUTH', readFileSync(passwordFile, 'utf8').trim()]];
}

/** Shown when the server asks for one; missing before the first installation. */
function clientPair({ client }: RedisAction): { readonly cert?: string; readonly key?: string } {
  if (client === null || !existsSync(client.key)) return {};
  return { cert: readFileSync(client.certificate, 'utf8'), key: readFileSync(client.key, 'utf8') };
}

/** RESP array of bulk strings. */
function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}
