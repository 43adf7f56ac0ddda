/** What came of it, as the answers of `apply` and `rotate` say it. */
import { formatRfc3339 } from '../../core/time/instant.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import type { InstallPlan } from './install-plan.ts';
import type { Step } from './step.ts';

export interface ApplyResult {
  readonly name: string;
  readonly ok: boolean;
  /** restored: it failed, and what was proven before works again. failed: nothing was in use before, or it does not work either. */
  readonly action: 'none' | 'issued' | 'installed' | 'configured' | 'reloaded' | 'removed' | 'restored' | 'failed';
  readonly certificate: { readonly fingerprint: string; readonly serial: string; readonly notAfter: string } | null;
  readonly steps: readonly Step[];
  /** What a person should know of it; there only with a change. */
  readonly notes?: readonly string[];
  /** What an issuer asked for before it is tried again. */
  readonly retryAfterSeconds?: number;
}

export function applyResult(
  { member }: InstallPlan,
  action: ApplyResult['action'],
  leaf: Certificate | undefined,
  steps: readonly Step[],
): ApplyResult {
  return {
    name: member.name,
    ok: steps.every(({ ok }) => ok),
    action,
    certificate: leaf
      ? { fingerprint: leaf.fingerprint, serial: leaf.serial, notAfter: formatRfc3339(leaf.validity.notAfter) }
      : null,
    steps,
  };
}
