/** Does what a service's kind wants done: a command, a signal, commands to Redis; bounded in time, and what it printed is kept. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Action } from '../../core/services/service-kind.ts';
import type { HostPorts } from '../../flow/agent/agent-ports.ts';
import { redisCommands } from './redis-commands.ts';

const TIMEOUT_MS = 60_000;
const KEPT_OUTPUT = 2000;

/** Never throws for what the world does: the caller gets "not ok" and the words. */
export const runAction: HostPorts['run'] = async (action) => {
  switch (action.kind) {
    case 'command':
      return run(action.argv[0] ?? '', action.argv.slice(1));
    case 'shell':
      return run('/bin/sh', ['-c', action.command]);
    case 'signal':
      return sendSignal(action);
    case 'redis':
      return redisCommands(action);
  }
};

function run(program: string, args: readonly string[]): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-KEPT_OUTPUT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (fault) => resolve({ ok: false, output: fault.message }));
    child.once('close', (status, signal) => {
      const ended = signal
        ? `it was ended by ${signal}${signal === 'SIGKILL' ? ` after ${TIMEOUT_MS / 1000} s` : ''}`
        : `exit status ${status}`;
      resolve({ ok: status === 0, output: status === 0 ? output.trim() : `${output.trim()} (${ended})`.trim() });
    });
  });
}

function sendSignal({ pidFile, signal }: Extract<Action, { kind: 'signal' }>): { ok: boolean; output: string } {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8').split('\n', 1)[0]);
    if (!Number.isSafeInteger(pid) || pid < 2) return { ok: false, output: `${pidFile} holds no process id` };
    process.kill(pid, signal);
    return { ok: true, output: '' };
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause)) throw cause;
    return {
      ok: false,
      output: cause.code === 'ENOENT' ? `${pidFile} is missing: the service does not run` : cause.message,
    };
  }
}
