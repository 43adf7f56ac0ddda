/** `fullchain probe`, as a person runs it; the servers may be in this process. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { probeDocument } from '../../src/core/probe/probe-document.ts';
import { type Ran, run } from '../servers/process.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'app', 'cli', 'main.ts');

export type ProbedTarget = ReturnType<typeof probeDocument>;

export interface Probed {
  readonly status: Ran['status'];
  readonly ok: boolean;
  readonly targets: readonly ProbedTarget[];
}

/** With a state directory that holds nothing, so that this machine's own authority plays no part. */
export function runProbe(...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, [MAIN, 'probe', '--state', '/nonexistent/state', ...args]);
}

export async function probeJson(...args: readonly string[]): Promise<Probed> {
  const { status, stdout, output } = await runProbe('--json', ...args);
  assert.match(stdout, /^\{.*\}\n$/s, output);
  return { status, ...JSON.parse(stdout) };
}

/** Of the only target. */
export async function probeOne(...args: readonly string[]): Promise<ProbedTarget> {
  const { targets } = await probeJson(...args);
  const [target] = targets;
  assert.ok(target && targets.length === 1, JSON.stringify(targets.map(({ address }) => address)));
  return target;
}

/** Errors and warnings, worst first. */
export function idsOf({ findings }: ProbedTarget): readonly string[] {
  return findings.filter(({ severity }) => severity !== 'info').map(({ id }) => id);
}
