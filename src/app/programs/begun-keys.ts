/** Where the keys of a root that is being prepared lie. */
import { join } from 'node:path';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { laterKeyPath } from '../authority-keys.ts';
import type { RootRotation } from '../rotation-journal.ts';

export function begunKeyFiles(paths: StatePaths, { root, intermediate, offlineRootDirectory }: RootRotation) {
  const base = offlineRootDirectory === null ? paths.rootKey : join(offlineRootDirectory, 'root_ca_key');
  return {
    root: laterKeyPath(base, root.keyId),
    intermediate: laterKeyPath(paths.intermediateKey, intermediate.keyId),
  };
}
