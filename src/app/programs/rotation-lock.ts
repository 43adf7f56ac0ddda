/** One rotation at a time, beside a running authority, and without what a killed one was writing. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { isTemporary } from '../../edge/files/atomic-file.ts';
import { takeLock } from '../../edge/files/exclusive-lock.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import type { Store } from '../../flow/ca/store-ports.ts';
import { openRecords } from '../open-state.ts';

/** @throws OperatorFault state-locked, not-initialised, and what `work` throws */
export async function whileRotating<T>(paths: StatePaths, work: (store: Store) => Promise<T>): Promise<T> {
  const { store, close } = openRecords(paths);
  try {
    const lock = takeLock(paths.rotationLock);
    if (!lock)
      throw new OperatorFault('state-locked', `another rotation is at work on ${paths.root}`, { path: paths.root });
    try {
      // Only rotations write here, and this one holds the lock.
      for (const directory of [dirname(paths.rootCertificate), paths.issuers, paths.retired, dirname(paths.rootKey)])
        removeTemporaries(directory);
      return await work(store);
    } finally {
      lock.release();
    }
  } finally {
    close();
  }
}

function removeTemporaries(directory: string): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) if (isTemporary(name)) rmSync(join(directory, name), { force: true });
}
