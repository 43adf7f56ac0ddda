/** What the records of this host's authority say of revocation: which certificates, and the lists by which services refuse them. */
import { pemFromDer } from '../../core/bytes/pem.ts';
import { listToSignText } from '../../core/revocation/newer-lists.ts';
import { type Revocations, revocationsOf } from '../../core/revocation/revocation.ts';
import type { Instant } from '../../core/time/instant.ts';
import { type Certificate, isIssuedBy } from '../../core/x509/certificate.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { isCurrentCrl } from '../../flow/ca/publish-crl.ts';
import type { CrlStore } from '../../flow/ca/store-ports.ts';
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
  /** Why one of these is to be signed anew, for people; null: all are as new as they can be. */
  readonly toSign: string | null;
}

const NO_LISTS = { lists: null, toSign: null };

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
    const lists = wanted ? await listsIn(store, authorities, renew, now) : NO_LISTS;
    return { revocations, newest, ...lists };
  } finally {
    close();
  }
}

/** A root's list is as it was signed when its key was at hand. */
async function listsIn(
  store: CrlStore,
  authorities: readonly Certificate[],
  renew: RevocationList | null,
  now: Instant,
): Promise<Pick<RecordedRevocations, 'lists' | 'toSign'>> {
  const roots = new Set(authorities.filter((authority) => isIssuedBy(authority, authority)).map(keyIdOf));
  let toSign: string | null = null;
  const lists = await listsOf(authorities, async (keyId) => {
    const stored = await store.latestCrl(keyId);
    if (roots.has(keyId) || (stored && (await isCurrentCrl(store, keyId, stored, now)))) return stored?.der ?? null;
    if (renew !== null) return renew(keyId);
    if (stored === null) return null;
    const lacksSome = stored.lastRevocationId !== (await store.lastRevocationId(keyId));
    toSign ??= listToSignText(stored.nextUpdate, lacksSome, now);
    return stored.der;
  });
  return lists === null ? NO_LISTS : { lists: lists.map((der) => pemFromDer('X509 CRL', der)).join(''), toSign };
}
