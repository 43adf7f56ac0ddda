/** A server under measurement: started, waited for, stopped by process id; what it prints goes to a file, unread. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServerProgram {
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export interface ServerProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly isReady: () => boolean | Promise<boolean>;
}

const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 10_000;

/** @throws with the end of its log if it ends, or is not ready in time */
export async function startServerProgram(
  command: string,
  args: readonly string[],
  { env, logFile, isReady }: ServerProgramOptions,
): Promise<ServerProgram> {
  const log = openSync(logFile, 'w', 0o600);
  const { PATH, HOME, TMPDIR } = process.env;
  const child = spawn(command, args, {
    stdio: ['ignore', log, log],
    env: { PATH, HOME, ...(TMPDIR && { TMPDIR }), LC_ALL: 'C.UTF-8', ...env },
  });
  closeSync(log);
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await ended.finally(() => clearTimeout(killer));
  };
  const deadline = performance.now() + READY_WITHIN_MS;
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null || performance.now() > deadline;
  // A command that cannot be started rejects `ended`; the loop below must not outlive it.
  const fault = ended.then(
    () => null,
    (cause: unknown) => cause,
  );
  while (!(await isReady())) {
    const failed = await Promise.race([fault, sleep(25, 'waiting' as const)]);
    if (failed === 'waiting' && !isOver()) continue;
    await stop();
    throw new Error(`${command} is not ready\n${readFileSync(logFile, 'utf8').slice(-4000)}`, { cause: failed });
  }
  return { pid: child.pid ?? 0, stop };
}
