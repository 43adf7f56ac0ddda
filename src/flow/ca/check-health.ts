/** Health that is looked at, not assumed: the disk takes a write, the key signs, the clock makes sense. */
import { formatRfc3339, type Instant } from '../../core/time/instant.ts';
import { contains } from '../../core/time/validity-period.ts';
import type { SigningIssuer } from './issue-certificate.ts';
import type { Store } from './store-ports.ts';

export interface HealthCheck {
  readonly id: 'database' | 'keys' | 'clock';
  readonly ok: boolean;
  readonly detail: string;
}

export interface Health {
  readonly ok: boolean;
  readonly checks: readonly HealthCheck[];
}

export interface HealthPorts {
  readonly store: Pick<Store, 'probe'>;
  readonly issuer: () => SigningIssuer;
  /** Signs a challenge with the issuer's key and verifies it with the issuer's certificate. */
  readonly keyWorks: () => Promise<boolean>;
  readonly clock: () => Instant;
  /** Seconds by which the wall clock has moved against the monotonic clock since the last look. */
  readonly clockStep: () => number;
}

/** Health is asked by anybody and often: one look serves for this long. */
const KEEP_MS = 2000;

/** More than a leap second or a slewing time service explains. */
const STEP_TOLERANCE_SECONDS = 5;

export function healthChecker(ports: HealthPorts, monotonicMs: () => number): () => Promise<Health> {
  let last: { readonly at: number; readonly health: Promise<Health> } | null = null;
  return () => {
    if (last === null || monotonicMs() - last.at > KEEP_MS) last = { at: monotonicMs(), health: look(ports) };
    return last.health;
  };
}

async function look(ports: HealthPorts): Promise<Health> {
  const checks = [
    await check('database', async () => {
      await ports.store.probe(ports.clock());
      return 'a write reached the disk';
    }),
    await check('keys', async () => {
      if (!(await ports.keyWorks())) throw new Error('a signature by the issuing key does not verify');
      return 'the issuing key signs';
    }),
    await check('clock', async () => {
      const now = ports.clock();
      const { validity } = ports.issuer().certificate;
      if (!contains(validity, now))
        throw new Error(
          `it is ${formatRfc3339(now)}; the issuing certificate is valid from ${formatRfc3339(validity.notBefore)} to ${formatRfc3339(validity.notAfter)}`,
        );
      const step = ports.clockStep();
      if (Math.abs(step) > STEP_TOLERANCE_SECONDS)
        throw new Error(
          `the clock was set ${step > 0 ? 'forward' : 'back'} by ${Math.abs(step)} s since the last look`,
        );
      return formatRfc3339(now);
    }),
  ];
  return { ok: checks.every(({ ok }) => ok), checks };
}

async function check(id: HealthCheck['id'], work: () => Promise<string>): Promise<HealthCheck> {
  try {
    return { id, ok: true, detail: await work() };
  } catch (fault) {
    // Whatever fails here is what the caller asked about.
    return { id, ok: false, detail: fault instanceof Error ? fault.message : String(fault) };
  }
}
