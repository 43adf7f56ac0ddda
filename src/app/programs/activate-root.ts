/** The second step to another root: what was prepared issues. The intermediate's file is the switch; what comes after it follows from it. */
import { rmSync } from 'node:fs';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { writeFileAtomically } from '../../edge/files/atomic-file.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { issuingPassword, keyIdOf, openIssuingKey } from '../authority-keys.ts';
import { readConfig } from '../config.ts';
import type { PasswordOptions } from '../passwords.ts';
import { type RootRotationState, rootRotationState } from '../root-rotation-state.ts';
import { writeRotation } from '../rotation-journal.ts';
import { issuingCertificate, nextIntermediate } from '../trusted-roots.ts';
import { keepIntermediate, writeCertificates } from './authority-pair.ts';

/** The prepared intermediate issues from now on; both roots stay trusted. */
export async function activateRoot(
  paths: StatePaths,
  { journal, roots }: RootRotationState,
  options: { readonly password: PasswordOptions },
): Promise<void> {
  if (journal === null) throw new Error('there is no journal of what is to be activated');
  const current = issuingCertificate(paths);
  if (keyIdOf(current) !== journal.intermediate.keyId && roots.active.fingerprint === journal.oldRoot) {
    const next = nextIntermediate(paths);
    if (!next)
      throw new OperatorFault('state-incomplete', `${paths.nextIntermediateCertificate} is missing`, {
        path: paths.nextIntermediateCertificate,
      });
    // An authority that cannot open its key issues nothing at all: looked at before, not after.
    openIssuingKey(paths, next, await issuingPassword(paths, options.password));
    keepIntermediate(paths, current);
    writeCertificates(paths.intermediateCertificate, [next.raw]);
  }
  const after = rootRotationState(paths);
  writeCertificates(
    paths.rootCertificate,
    after.roots.bundle.map(({ raw }) => raw),
  );
  const config = readConfig(paths.config);
  if (config.offlineRootDirectory !== journal.offlineRootDirectory)
    writeFileAtomically(
      paths.config,
      `${JSON.stringify({ ...config, offlineRootDirectory: journal.offlineRootDirectory }, null, 2)}\n`,
      0o600,
    );
  writeRotation(paths.rootRotation, { ...journal, phase: 'activated' });
  rmSync(paths.nextIntermediateCertificate, { force: true });
}
