/** `fullchain agent` as a process of its own, with what it logs. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const MAIN = new URL('../../src/app/cli/main.ts', import.meta.url).pathname;

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [key: string]: unknown;
}

export interface RunningAgent {
  readonly child: ChildProcess;
  readonly log: () => readonly LogLine[];
  /** @returns exit status */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

export function startAgent(t: TestContext, file: string, state: string, ...more: readonly string[]): RunningAgent {
  return startAgentWith({}, t, file, state, ...more);
}

/** With more in its environment. */
export function startAgentWith(
  env: Readonly<Record<string, string>>,
  t: TestContext,
  file: string,
  state: string,
  ...more: readonly string[]
): RunningAgent {
  const child = spawn(process.execPath, [MAIN, 'agent', '--file', file, '--state', state, ...more], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    child.kill(signal);
    return ended;
  };
  t.after(() => stop('SIGKILL'));
  return {
    child,
    log: () =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => (line.startsWith('{') ? JSON.parse(line) : { level: 0, msg: line })),
    stop,
  };
}

/** Until it is so, or an error with what is known. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, seconds = 20): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    if (await condition()) return;
    await sleep(50);
  }
  throw new Error(`waited ${seconds} s for ${what}`);
}
