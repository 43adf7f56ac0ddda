/** That certificates were revoked (RFC 5280 §5.3), as an issuer's records or its lists say it. */
import { formatRfc3339 } from '../time/instant.ts';
import type { SerialNumber } from '../x509/serial-number.ts';
import type { Crl } from './crl.ts';
import type { RevokedEntry } from './revoked-entries.ts';

export type Revocation = Pick<RevokedEntry, 'revokedAt' | 'reason'>;

/** Of one authority, whose serial numbers are unique over all its issuers. */
export type Revocations = ReadonlyMap<SerialNumber, Revocation>;

export function revocationsOf(entries: readonly (Revocation & Pick<RevokedEntry, 'serial'>)[]): Revocations {
  return new Map(entries.map(({ serial, revokedAt, reason }) => [serial, { revokedAt, reason }]));
}

export function revocationsIn(lists: readonly Crl[]): Revocations {
  return revocationsOf(lists.flatMap(({ entries }) => entries));
}

/** Entries that leave a list when their certificates have expired are no news. */
export function saysMoreThan(next: Revocations, before: Revocations): boolean {
  return [...next.keys()].some((serial) => !before.has(serial));
}

export function revocationText({ revokedAt, reason }: Revocation): string {
  return `revoked ${formatRfc3339(revokedAt)}, reason ${reason}`;
}
