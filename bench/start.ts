/**
 * How long a newcomer waits: `npm start` in a fresh clone without packages until the authority accepts connections, and the
 * same again when everything is there; and how long `fullchain --help` takes.
 *
 *   node_modules/.bin/node bench/start.ts
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine } from './machine.ts';

const root = new URL('..', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'fullchain-start-'));
const clone = join(scratch, 'clone');
const state = join(scratch, 'state');

/** The PATH without this project's own Node, as a newcomer has it. */
const env = {
  ...process.env,
  PATH: (process.env.PATH ?? '')
    .split(':')
    .filter((part) => !part.includes('node_modules'))
    .join(':'),
};

async function secondsUntilReady(): Promise<number> {
  const started = performance.now();
  const port = await freePort();
  const child = spawn('npm', ['start', '--', '--quiet', '--state', state, '--listen', `127.0.0.1:${port}`], {
    cwd: clone,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  while (!existsSync(join(state, 'ready.json'))) {
    if (performance.now() - started > 300_000) throw new Error('not ready within five minutes');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const seconds = (performance.now() - started) / 1000;
  process.kill(-(child.pid ?? 0), 'SIGTERM');
  await ended;
  return seconds;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function helpMs(): number {
  const runs = Array.from({ length: 5 }, () => {
    const started = performance.now();
    execFileSync(process.execPath, [join(clone, 'bin', 'fullchain.mjs'), '--help'], { stdio: 'ignore' });
    return performance.now() - started;
  });
  return Math.round(runs.sort((a, b) => a - b)[2] ?? 0);
}

const round = (seconds: number): number => Math.round(seconds * 100) / 100;

try {
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, clone]);
  const cold = await secondsUntilReady();
  const warm =
    [await secondsUntilReady(), await secondsUntilReady(), await secondsUntilReady()].sort((a, b) => a - b)[1] ?? 0;
  process.stdout.write(
    `${JSON.stringify({ bench: 'start', date: new Date().toISOString().slice(0, 10), machine: machine(scratch), coldSeconds: round(cold), coldLimitSeconds: 120, warmSeconds: round(warm), warmLimitSeconds: 1, helpMs: helpMs(), helpLimitMs: 120 })}\n`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
