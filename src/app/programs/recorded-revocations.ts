/** What the records of this host's authority say of revocation: which certificates, and the lists by which services refuse them. */
import { pemFromDer } from '../../core/bytes/pem.ts';
import { type Revocations, revocationsOf } from '../../core/revocation/revocation.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { isCurrentCrl } from '../../flow/ca/publish-crl.ts';
import { keyIdOf } from '../authority-keys.ts';
import { clientAuthorities, listsOf } from '../client-authorities.ts';
import { openRecords } from '../open-state.ts';
import type { RevocationList } from '../revocation-lists.ts';

export interface RecordedRevocations {
  readonly revocations: Revocations;
  /** Number of the newest of them: while it stays, nothing was revoked. */
  readonly newest: number;
  /** PEM; null: not wanted, or not complete. */
  readonly lists: string | null;
}

export interface ListsWish {
  readonly wanted: boolean;
  /** Signs a list where it is time for another one, which needs the issuing key; null: whatever there is. */
  readonly renew: RevocationList | null;
}

/** @param before what was read last: its entries are not read again while nothing was revoked */
export async function readRevocations(
  paths: StatePaths,
  before: RecordedRevocations | null,
  { wanted, renew }: ListsWish,
): Promise<RecordedRevocations> {
  const { store, close } = openRecords(paths);
  try {
    const now = wallClock();
    const authorities = clientAuthorities(paths, now);
    const keyIds = authorities.map(keyIdOf);
    const newest = Math.max(...(await Promise.all(keyIds.map(store.lastRevocationId))));
    const revocations =
      before?.newest === newest
        ? before.revocations
        : revocationsOf((await Promise.all(keyIds.map((keyId) => store.listRevoked(keyId, now)))).flat());
    const lists = !wanted
      ? null
      : await listsOf(authorities, async (keyId) => {
          const stored = await store.latestCrl(keyId);
          if (renew === null || (stored && (await isCurrentCrl(store, keyId, stored, now)))) return stored?.der ?? null;
          return renew(keyId);
        });
    return {
      revocations,
      newest,
      lists: lists === null ? null : lists.map((der) => pemFromDer('X509 CRL', der)).join(''),
    };
  } finally {
    close();
  }
}
