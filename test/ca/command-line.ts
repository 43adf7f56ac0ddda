/** Runs the command line as a person would: a process, its output, its exit status. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const MAIN = new URL('../../src/app/cli/main.ts', import.meta.url).pathname;

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** No variable of the caller's reaches the program but PATH and HOME. */
function environment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, ...extra };
}

export function fullchain(args: readonly string[], extra: Readonly<Record<string, string>> = {}): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: environment(extra),
  });
  return { status, stdout, stderr };
}

export function openssl(args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** A directory that goes with the test. */
export function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface Running {
  readonly ready: {
    readonly url: string;
    readonly acmeDirectory: string;
    readonly rootFingerprint: string;
    readonly pid: number;
  };
  readonly stop: () => Promise<number | null>;
}

/** `fullchain up --json` until it says that it is ready; stopped with the test. */
export function up(t: TestContext, state: string, args: readonly string[] = []): Promise<Running> {
  const child = spawn(process.execPath, [MAIN, 'up', '--json', '--state', state, '--listen', '127.0.0.1:0', ...args], {
    env: environment({}),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const stop = (): Promise<number | null> => {
    child.kill('SIGTERM');
    return ended;
  };
  t.after(stop);
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      if (stdout.includes('\n')) resolve({ ready: JSON.parse(stdout), stop });
    });
    ended.then((status) => reject(new Error(`ended with ${status} before it was ready: ${stderr}`)));
  });
}
