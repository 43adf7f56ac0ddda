/** A provisioner's lifetimes as the issuance decision takes them. */
import type { IssuanceLimits } from '../../core/issuance/decide-issuance.ts';
import type { ProvisionerRecord } from './store-ports.ts';

/** Certificates start a minute in the past, because clocks of clients lag. */
export const BACKDATE_SECONDS = 60;

export const DEFAULT_LIFETIME_SECONDS = 24 * 3600;
export const DEFAULT_MAX_LIFETIME_SECONDS = 90 * 86400;

export function issuanceLimits(
  provisioner: Pick<ProvisionerRecord, 'defaultLifetimeSeconds' | 'maxLifetimeSeconds'>,
): IssuanceLimits {
  return {
    defaultLifetimeSeconds: provisioner.defaultLifetimeSeconds,
    maxLifetimeSeconds: provisioner.maxLifetimeSeconds,
    backdateSeconds: BACKDATE_SECONDS,
  };
}
