import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { decideStep, type RotationStep } from '../../core/rotation/root-rotation.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { intermediateRotationState } from '../intermediate-rotation-state.ts';
import { type RootRotationState, rootRotationState } from '../root-rotation-state.ts';
import { retiredRoots } from '../trusted-roots.ts';
import { activateRoot } from './activate-root.ts';
import { cancelRoot } from './cancel-root.ts';
import { type PrepareRootOptions, prepareRoot } from './prepare-root.ts';
import { type RetiredRoot, retireRoot } from './retire-root.ts';
import { whileRotating } from './rotation-lock.ts';

export interface RotateRootOptions extends PrepareRootOptions {
  /** Retire although certificates below the old root are in use. */
  readonly force: boolean;
}

export interface RotatedRoot extends RetiredRoot {
  readonly step: RotationStep;
  /** false: it had been done before. */
  readonly changed: boolean;
  readonly state: RootRotationState;
}

/** @throws OperatorFault rotation-order, root-in-use, root-key-offline, password-wrong, issuance-refused, state-locked … */
export function rotateRoot(paths: StatePaths, step: RotationStep, options: RotateRootOptions): Promise<RotatedRoot> {
  return whileRotating(paths, async (store) => {
    const state = rootRotationState(paths);
    const decision = decideStep(step, state.phase, retiredRoots(paths).length > 0);
    if (decision.kind === 'refused') throw new OperatorFault('rotation-order', decision.why, { path: paths.root });
    if (step === 'prepare' && intermediateRotationState(paths).phase === 'prepared')
      throw new OperatorFault('rotation-order', 'a new intermediate is prepared: let it issue first', {
        path: paths.root,
      });
    const nothing = { retired: [], givenUp: [], replaced: [] };
    if (decision.kind === 'done') return { step, changed: false, state, ...nothing };
    if (step === 'prepare') await prepareRoot(paths, state, options, store);
    if (step === 'activate') await activateRoot(paths, state, options);
    if (step === 'cancel') cancelRoot(paths, state);
    const retired = step === 'retire' ? await retireRoot(paths, state, options, store) : nothing;
    return { step, changed: true, state: rootRotationState(paths), ...retired };
  });
}
