/**
 * Real programs for tests: started, waited for, listened to, and stopped by process id. Nothing outlives the test
 * process: what it has not stopped is killed when it exits.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Program output is kept up to here; of more, the end. */
const KEPT_OUTPUT_LENGTH = 256 * 1024;
const STOP_WITHIN_MS = 10_000;
const POLL_EVERY_MS = 25;

export interface ProgramOptions {
  readonly cwd?: string;
  /** In place of this process's environment; PATH and HOME are always there. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ServerOptions extends ProgramOptions {
  /** Asked again and again until it is true; by then the server must answer. */
  readonly isReady: () => boolean | Promise<boolean>;
  readonly readyWithinMs?: number;
}

export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  /** Standard output and error, interleaved; at most the last 256 KiB. */
  readonly output: () => string;
  readonly signal: (name: NodeJS.Signals) => void;
  readonly ended: Promise<ExitStatus>;
  /** SIGTERM, and SIGKILL if that has no effect within 10 s. */
  readonly stop: () => Promise<ExitStatus>;
}

/** A number, or the signal that ended it. */
export type ExitStatus = number | NodeJS.Signals;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** @throws if the program ends, or is not ready in time, with what it has printed */
export async function startServer(
  command: string,
  args: readonly string[],
  { cwd, env, isReady, readyWithinMs = 30_000 }: ServerOptions,
): Promise<RunningProgram> {
  const child = spawn(command, args, { cwd, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  const heard = listen(child);
  const ended = endOf(child);
  let end: { readonly status: ExitStatus } | { readonly fault: unknown } | null = null;
  ended.then(
    (status) => {
      end = { status };
    },
    (fault) => {
      end = { fault };
    },
  );
  const stop = async (): Promise<ExitStatus> => {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    return ended.finally(() => clearTimeout(killer));
  };
  const deadline = performance.now() + readyWithinMs;
  while (!(await isReady())) {
    if (end !== null) {
      throw new Error(`${command} ended before it was ready: ${JSON.stringify(end)}\n${heard()}`, { cause: end });
    }
    if (performance.now() > deadline) {
      await stop();
      throw new Error(`${command} was not ready within ${readyWithinMs} ms\n${heard()}`);
    }
    await sleep(POLL_EVERY_MS);
  }
  return {
    pid: child.pid ?? 0,
    output: heard,
    ended,
    signal: (name) => void child.kill(name),
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

export interface Ran {
  readonly status: ExitStatus;
  /** Standard output alone. */
  readonly stdout: string;
  /** Standard output and error, interleaved. */
  readonly output: string;
}

export interface RunOptions extends ProgramOptions {
  readonly withinMs?: number;
  readonly input?: string;
}

/** Runs a program to its end. A program that does not end in time is killed, and its status is SIGKILL. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env, withinMs = 120_000, input = '' }: RunOptions = {},
): Promise<Ran> {
  const child = spawn(command, args, { cwd, env: environment(env), stdio: ['pipe', 'pipe', 'pipe'] });
  const heard = listen(child);
  let stdout = '';
  child.stdout.on('data', (text: string) => {
    stdout += text;
  });
  // A program may end without reading what it is given.
  child.stdin.on('error', () => {}).end(input);
  const killer = setTimeout(() => child.kill('SIGKILL'), withinMs);
  const status = await endOf(child).finally(() => clearTimeout(killer));
  return { status, stdout, output: heard() };
}

/** Polls until it holds. @throws with `what`, and what `evidence` says by then */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  withinMs: number,
  evidence: () => string = () => '',
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms\n${evidence()}`);
    await sleep(POLL_EVERY_MS * 4);
  }
}

export interface TemporaryDirectory extends Disposable {
  readonly path: string;
}

export function temporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), 'fullchain-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function environment(env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR && { TMPDIR }), LC_ALL: 'C.UTF-8', ...env };
}

function listen(child: ChildProcess): () => string {
  running.add(child);
  let kept = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      kept = (kept + text).slice(-KEPT_OUTPUT_LENGTH);
    });
  }
  return () => kept;
}

/** Once its output is closed too: by then its children have ended as well. */
async function endOf(child: ChildProcess): Promise<ExitStatus> {
  try {
    const [status, signal] = (await once(child, 'close')) as [number, null] | [null, NodeJS.Signals];
    return status ?? signal;
  } finally {
    running.delete(child);
  }
}
