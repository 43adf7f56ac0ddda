/** One step of a rotation of the authority's certificates, with everything as it was. */
import { rotateIntermediate } from '../../src/app/programs/rotate-intermediate.ts';
import { rotateRoot } from '../../src/app/programs/rotate-root.ts';
import type { StatePaths } from '../../src/edge/files/state-directory.ts';

export const ROTATION_STEPS = [
  'intermediate',
  'prepare-intermediate',
  'activate-intermediate',
  'prepare',
  'cancel',
  'activate',
  'retire',
] as const;

export type RotationStepName = (typeof ROTATION_STEPS)[number];

export const NO_PASSWORD = { file: undefined, environment: undefined, ask: false } as const;

export async function rotationStep(paths: StatePaths, step: RotationStepName): Promise<void> {
  const asBefore = {
    password: NO_PASSWORD,
    rootPassword: NO_PASSWORD,
    intermediateAlgorithm: null,
    intermediateLifetimeSeconds: null,
  };
  if (step === 'intermediate' || step === 'prepare-intermediate' || step === 'activate-intermediate') {
    await rotateIntermediate(paths, {
      ...asBefore,
      prepareOnly: step === 'prepare-intermediate',
      rootKeyFile: null,
      algorithm: null,
      lifetimeSeconds: null,
      commonName: null,
    });
    return;
  }
  await rotateRoot(paths, step, {
    ...asBefore,
    rootAlgorithm: null,
    rootLifetimeSeconds: null,
    rootCommonName: null,
    offlineRootDirectory: null,
    force: true,
  });
}
