/** How often a process asks the disk for durability, by strace. It slows the process down: never in a timed run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const ATTACH_WITHIN_MS = 5_000;

/** Calls of fsync and fdatasync by the process, its threads and children while the work runs. */
export async function fsyncCount(pid: number, summaryFile: string, work: () => Promise<void>): Promise<number> {
  const trace = [
    '-qq',
    '-f',
    '-c',
    '-U',
    'name,calls',
    '-e',
    'trace=fsync,fdatasync',
    '-p',
    `${pid}`,
    '-o',
    summaryFile,
  ];
  const strace = spawn('strace', trace, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(strace, 'exit');
  try {
    await attached(pid);
    await work();
  } finally {
    strace.kill('SIGINT');
    await ended;
  }
  const lines = readFileSync(summaryFile, 'utf8').split('\n');
  return lines
    .map((line) => /^\s*(?:fsync|fdatasync)\s+(\d+)/.exec(line)?.[1])
    .reduce((sum, calls) => sum + Number(calls ?? 0), 0);
}

async function attached(pid: number): Promise<void> {
  const deadline = performance.now() + ATTACH_WITHIN_MS;
  while (!/^TracerPid:\s+[1-9]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) {
    if (performance.now() > deadline) throw new Error(`strace could not attach to process ${pid}`);
    await sleep(20);
  }
}
