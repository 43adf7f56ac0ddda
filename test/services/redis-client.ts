/** Commands over RESP for tests: in TLS, and else in plaintext. */
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Action } from '../../src/core/services/service-kind.ts';

type RedisAction = Extract<Action, { kind: 'redis' }>;

export async function redisCommands(action: RedisAction): Promise<{ ok: boolean; output: string }> {
  const faults: string[] = [];
  for (const port of action.ports) {
    for (const tls of action.first === 'tls' ? [true, false] : [false, true]) {
      const replies = await converse(action, port, tls).catch((fault: Error) => fault);
      if (replies instanceof Error) faults.push(`${port}: ${replies.message}`);
      else {
        const error = replies.find((reply) => reply.startsWith('-'));
        return { ok: error === undefined, output: error ?? '' };
      }
    }
  }
  return { ok: false, output: faults.join('; ') };
}

function converse(action: RedisAction, port: number, tls: boolean): Promise<string[]> {
  const { host, client, passwordFile } = action;
  const password = passwordFile === null ? [] : [['AUTH', readFileSync(passwordFile, 'utf8').trim()]];
  const commands = [...password, ...action.commands];
  const identity = client && { cert: readFileSync(client.certificate), key: readFileSync(client.key) };
  return new Promise((resolve, reject) => {
    const socket: Socket = tls
      ? connectTls({ host, port, rejectUnauthorized: false, ...identity })
      : connectTcp({ host, port });
    let received = '';
    const settle = (settled: () => void): void => {
      socket.destroy();
      settled();
    };
    socket.setTimeout(5000, () => settle(() => reject(new Error('no answer'))));
    socket.on('error', (fault) => settle(() => reject(fault)));
    socket.on('close', () => settle(() => reject(new Error('closed'))));
    socket.once(tls ? 'secureConnect' : 'connect', () => socket.write(commands.map(encoded).join('')));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const replies = received.split('\r\n').slice(0, -1);
      if (replies.length >= commands.length) settle(() => resolve(replies));
    });
  });
}

function encoded(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}
