/** How far the replacement of the intermediate is: from its journal, and from what lies prepared. */
import type { Certificate } from '../core/x509/certificate.ts';
import type { StatePaths } from '../edge/files/state-directory.ts';
import { keyIdOf } from './authority-keys.ts';
import { type IntermediateRotation, readIntermediateRotation } from './rotation-journal.ts';
import { nextIntermediate, trustedRoots } from './trusted-roots.ts';

export interface IntermediateRotationState {
  readonly phase: 'none' | 'interrupted' | 'prepared';
  readonly journal: IntermediateRotation | null;
  /** Made, with its revocation list, and waiting to issue; null in every other phase. */
  readonly prepared: Certificate | null;
}

/** @throws OperatorFault state-incomplete, key-mismatch, config-invalid */
export function intermediateRotationState(paths: StatePaths): IntermediateRotationState {
  const journal = readIntermediateRotation(paths.intermediateRotation);
  if (journal === null) return { phase: 'none', journal, prepared: null };
  const next = nextIntermediate(paths);
  const isPrepared =
    next !== null &&
    keyIdOf(next) === journal.intermediate.keyId &&
    journal.root === trustedRoots(paths).active.fingerprint;
  return isPrepared
    ? { phase: 'prepared', journal, prepared: next }
    : { phase: 'interrupted', journal, prepared: null };
}
