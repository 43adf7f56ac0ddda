/** How far the replacement of the root is: from its journal, and from what the certificates in use say. */
import type { RotationPhase } from '../core/rotation/root-rotation.ts';
import type { Certificate } from '../core/x509/certificate.ts';
import type { StatePaths } from '../edge/files/state-directory.ts';
import { type RootRotation, readRootRotation } from './rotation-journal.ts';
import { type TrustedRoots, trustedRoots } from './trusted-roots.ts';

export interface RootRotationState {
  readonly phase: RotationPhase;
  readonly journal: RootRotation | null;
  readonly roots: TrustedRoots;
  /** Trusted beside the active root: the one to come, or the one that goes. */
  readonly others: readonly Certificate[];
}

/** @throws OperatorFault state-incomplete, key-mismatch, config-invalid */
export function rootRotationState(paths: StatePaths): RootRotationState {
  const roots = trustedRoots(paths);
  const journal = readRootRotation(paths.rootRotation);
  return { phase: phaseOf(journal, roots.active), journal, roots, others: roots.bundle.slice(1) };
}

/** The intermediate's replacement is what activates; the journal follows it. */
function phaseOf(journal: RootRotation | null, active: Certificate): RotationPhase {
  if (journal === null) return 'none';
  return journal.phase === 'prepared' && active.fingerprint !== journal.oldRoot ? 'activating' : journal.phase;
}
