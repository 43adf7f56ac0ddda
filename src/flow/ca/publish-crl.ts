/**
 * The CRL of an issuer (RFC 5280 §5): made anew when a revocation was recorded since, or when a seventh of its period has
 * passed, so that a missed day never makes it stale. Numbers come from storage and only rise.
 *
 * A list is complete and says nothing about where it is served: services get it as a file, and OpenSSL takes a list that
 * names another address than the certificate does for one of another scope.
 */
import { assembleCrl, type CrlTbs, encodeCrlTbs, parseCrl, verifyCrlSignature } from '../../core/revocation/crl.ts';
import { addSeconds, type Instant } from '../../core/time/instant.ts';
import type { SigningIssuer } from './issue-certificate.ts';
import type { CrlStore, StoredCrl } from './store-ports.ts';

const PERIOD_SECONDS = 7 * 86400;
const RENEW_AFTER_SECONDS = 86400;

/** Clocks of the hosts that read it lag, and a list of the future is refused like a stale one. */
const BACKDATE_SECONDS = 300;

/** Certificates that expired this long ago may leave the list (RFC 5280 §3.3: after one list past the expiry). */
const KEEP_EXPIRED_SECONDS = PERIOD_SECONDS;

/** An authority with the key that signs its list. */
export interface CrlIssuer extends Pick<SigningIssuer, 'certificate' | 'keyAlgorithm' | 'keyId'> {
  readonly signCrl: (tbs: CrlTbs) => Promise<Uint8Array>;
}

export interface CrlPorts {
  readonly store: CrlStore;
  readonly issuer: CrlIssuer;
  readonly clock: () => Instant;
}

/** One publisher a process and issuer: it keeps the newest list in memory and makes one list at a time. */
export function crlPublisher({ store, issuer, clock }: CrlPorts): () => Promise<StoredCrl> {
  let newest: StoredCrl | null = null;
  let making: Promise<StoredCrl> | null = null;

  return async () => {
    newest ??= await store.latestCrl(issuer.keyId);
    const now = clock();
    if (newest && (await isCurrentCrl(store, issuer.keyId, newest, now))) return newest;
    making ??= storeNewCrl(store, issuer, addSeconds(now, PERIOD_SECONDS), now).finally(() => {
      making = null;
    });
    newest = await making;
    return newest;
  };
}

/** Whether nothing was revoked since, and it is not time for another one. */
export async function isCurrentCrl(
  store: Pick<CrlStore, 'lastRevocationId'>,
  keyId: CrlIssuer['keyId'],
  crl: StoredCrl,
  now: Instant,
): Promise<boolean> {
  return (
    crl.lastRevocationId === (await store.lastRevocationId(keyId)) &&
    crl.thisUpdate <= now &&
    now < addSeconds(crl.thisUpdate, RENEW_AFTER_SECONDS)
  );
}

/**
 * The first lists of an intermediate and of the root above it, while both keys are at hand. That of the root ends with the
 * root: its key is away, and a list that ends before would lock everybody out. Another intermediate brings another list.
 */
export async function storeFirstCrls(
  store: CrlStore,
  root: CrlIssuer,
  intermediate: CrlIssuer,
  now: Instant,
): Promise<void> {
  await storeNewCrl(store, root, root.certificate.validity.notAfter, now);
  await storeNewCrl(store, intermediate, addSeconds(now, PERIOD_SECONDS), now);
}

async function storeNewCrl(
  store: CrlStore,
  { certificate, keyAlgorithm, keyId, signCrl }: CrlIssuer,
  nextUpdate: Instant,
  now: Instant,
): Promise<StoredCrl> {
  const thisUpdate = addSeconds(now, -BACKDATE_SECONDS);
  for (;;) {
    const number = ((await store.latestCrl(keyId))?.number ?? 0) + 1;
    const lastRevocationId = await store.lastRevocationId(keyId);
    const entries = await store.listRevoked(keyId, addSeconds(now, -KEEP_EXPIRED_SECONDS));
    const tbs = encodeCrlTbs({ issuer: { certificate, keyAlgorithm }, number, thisUpdate, nextUpdate, entries });
    const der = assembleCrl(tbs, await signCrl(tbs));
    if (!verifyCrlSignature(parseCrl(der), certificate)) throw new Error('the signature of the CRL does not verify');
    const crl = { der, thisUpdate, nextUpdate, lastRevocationId };
    // Another process may have taken the number meanwhile: then this list is dropped and made again.
    if (await store.storeCrl(keyId, crl, number)) return { ...crl, number };
  }
}
