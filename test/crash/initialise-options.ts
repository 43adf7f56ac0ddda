/** A small authority, as `fullchain ca init` makes it without options. */
import type { InitialiseOptions } from '../../src/app/programs/initialise.ts';

const NO_PASSWORD = { file: undefined, environment: undefined, ask: false } as const;

export function initialiseOptionsFor(offlineRootDirectory: string | null): InitialiseOptions {
  return {
    name: 'Crash',
    dnsNames: ['localhost'],
    rootAlgorithm: 'ecdsa-p256',
    intermediateAlgorithm: 'ecdsa-p256',
    plan: {
      root: { subject: { commonName: 'Crash Root CA' }, lifetimeSeconds: 864_000 },
      intermediate: { subject: { commonName: 'Crash Intermediate CA' }, lifetimeSeconds: 860_000, pathLength: 0 },
    },
    config: {},
    password: NO_PASSWORD,
    rootPassword: NO_PASSWORD,
    provisionerPassword: NO_PASSWORD,
    offlineRootDirectory,
  };
}
