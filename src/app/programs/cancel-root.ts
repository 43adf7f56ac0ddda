/** Back from a new root that was prepared: it leaves the bundle, and its keys are destroyed. */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import type { RootRotationState } from '../root-rotation-state.ts';
import { removeRotation, writeRotation } from '../rotation-journal.ts';
import { writeCertificates } from './authority-pair.ts';
import { begunKeyFiles } from './begun-keys.ts';

/**
 * Hosts that trust it by now forget it at their next apply; it has signed nothing but its own intermediate.
 *
 * @throws OperatorFault root-key-offline where its key lies on a medium that is not here, since it must not be left behind
 */
export function cancelRoot(paths: StatePaths, { journal, roots }: RootRotationState): void {
  if (journal === null) throw new Error('there is no journal of what is to be cancelled');
  const { offlineRootDirectory } = journal;
  if (offlineRootDirectory !== null && !statSync(offlineRootDirectory, { throwIfNoEntry: false })?.isDirectory())
    throw new OperatorFault(
      'root-key-offline',
      `the key of the new root is in ${offlineRootDirectory}, which is not here: it is to be destroyed`,
      { path: offlineRootDirectory },
    );
  // From here on nothing but cancelling goes on: no step may find half of the keys.
  writeRotation(paths.rootRotation, { ...journal, phase: 'cancelling' });
  writeCertificates(paths.rootCertificate, [roots.active.raw]);
  const files = begunKeyFiles(paths, journal);
  const exported =
    offlineRootDirectory === null ? [] : [join(offlineRootDirectory, `root_ca-${journal.root.keyId}.crt`)];
  for (const path of [files.root, files.intermediate, paths.nextIntermediateCertificate, ...exported])
    rmSync(path, { force: true });
  removeRotation(paths.rootRotation);
}
