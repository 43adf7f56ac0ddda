/** What the figures of a run were measured on. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly node: string;
  /** Of the directory where the servers keep their data: durability on "tmpfs" would mean nothing. */
  readonly filesystem: string;
  /** Over the minute before the run: above 0.5 others are working here too. */
  readonly loadBefore: number;
}

export function machine(directory: string): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    node: process.versions.node,
    filesystem: execFileSync('stat', ['--file-system', '--format=%T', directory], { encoding: 'utf8' }).trim(),
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}
