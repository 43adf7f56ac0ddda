/** What the stack keeps in the state directory: who is at work, and what failed. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorFault } from '../core/faults/operator-faults.ts';
import { takeLock } from '../edge/files/exclusive-lock.ts';
import { type FailureJournal, failureJournal } from '../edge/files/failure-journal.ts';
import type { StatePaths } from '../edge/files/state-directory.ts';
import { sleep } from '../edge/system/clock.ts';

/** Held by the agent of this host for as long as it runs. */
export function agentLockPath(paths: StatePaths): string {
  return lockPath(paths, 'agent.lock');
}

/** Held by whoever changes this host, while it does. */
export function workLockPath(paths: StatePaths): string {
  return lockPath(paths, 'apply.lock');
}

function lockPath(paths: StatePaths, name: string): string {
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  return join(paths.root, name);
}

export function agentAlive(paths: StatePaths): boolean {
  const lock = takeLock(agentLockPath(paths));
  lock?.release();
  return lock === null;
}

/** An agent is done with what it has in hand within this. */
const PATIENCE_MS = 60_000;
const TRY_EVERY_MS = 200;

/**
 * The right to change this host, as soon as whoever has it is done.
 *
 * @param waiting told once when it has to be waited for
 * @throws OperatorFault agent-busy after a minute
 */
export async function waitForWorkLock(
  paths: StatePaths,
  waiting: () => void,
): Promise<{ readonly release: () => void }> {
  for (let waited = 0; waited <= PATIENCE_MS; waited += TRY_EVERY_MS) {
    const lock = takeLock(workLockPath(paths));
    if (lock) return lock;
    if (waited === 0) waiting();
    await sleep(TRY_EVERY_MS);
  }
  throw new OperatorFault('agent-busy', 'another apply, rotate or agent has been changing this host for a minute', {
    path: paths.root,
  });
}

/** Members are "services/NAME" and "clients/NAME". */
export function journalOf(paths: StatePaths, stack: string): FailureJournal {
  return failureJournal(join(paths.root, 'agent', stack));
}
