/**
 * The CRL of the issuer in use (RFC 5280 §5): made anew when a revocation was recorded since, or when a seventh
 * of its period has passed, so that a missed day never makes it stale. Numbers come from storage and only rise.
 */
import { assembleCrl, type CrlTbs, encodeCrlTbs, parseCrl, verifyCrlSignature } from '../../core/revocation/crl.ts';
import { addSeconds, type Instant } from '../../core/time/instant.ts';
import type { SigningIssuer } from './issue-certificate.ts';
import type { CrlStore, StoredCrl } from './store-ports.ts';

const PERIOD_SECONDS = 7 * 86400;
const RENEW_AFTER_SECONDS = 86400;

/** Certificates that expired this long ago may leave the list (RFC 5280 §3.3: after one list past the expiry). */
const KEEP_EXPIRED_SECONDS = PERIOD_SECONDS;

export interface CrlPorts {
  readonly store: CrlStore;
  readonly issuer: () => SigningIssuer;
  readonly signCrl: (tbs: CrlTbs) => Promise<Uint8Array>;
  readonly clock: () => Instant;
}

/** One publisher a process: it keeps the newest list in memory and makes one list at a time. */
export function crlPublisher(ports: CrlPorts): () => Promise<StoredCrl> {
  let newest: { readonly keyId: string; readonly crl: StoredCrl } | null = null;
  let making: Promise<StoredCrl> | null = null;

  return async () => {
    const { keyId } = ports.issuer();
    newest = newest?.keyId === keyId ? newest : await load(ports.store, keyId as SigningIssuer['keyId']);
    const lastRevocationId = await ports.store.lastRevocationId(ports.issuer().keyId);
    const now = ports.clock();
    const fresh =
      newest &&
      newest.crl.lastRevocationId === lastRevocationId &&
      newest.crl.thisUpdate <= now &&
      now < addSeconds(newest.crl.thisUpdate, RENEW_AFTER_SECONDS);
    if (newest && fresh) return newest.crl;
    making ??= make(ports, now).finally(() => {
      making = null;
    });
    const crl = await making;
    newest = { keyId, crl };
    return crl;
  };
}

async function load(store: CrlStore, keyId: SigningIssuer['keyId']): Promise<{ keyId: string; crl: StoredCrl } | null> {
  const crl = await store.latestCrl(keyId);
  return crl ? { keyId, crl } : null;
}

async function make({ store, issuer: currentIssuer, signCrl }: CrlPorts, now: Instant): Promise<StoredCrl> {
  const issuer = currentIssuer();
  for (;;) {
    const number = ((await store.latestCrl(issuer.keyId))?.number ?? 0) + 1;
    const lastRevocationId = await store.lastRevocationId(issuer.keyId);
    const nextUpdate = addSeconds(now, PERIOD_SECONDS);
    const tbs = encodeCrlTbs({
      issuer,
      number,
      thisUpdate: now,
      nextUpdate,
      entries: await store.listRevoked(issuer.keyId, addSeconds(now, -KEEP_EXPIRED_SECONDS)),
      ...(issuer.crlUrl && { distributionPointUrl: issuer.crlUrl }),
    });
    const der = assembleCrl(tbs, await signCrl(tbs));
    if (!verifyCrlSignature(parseCrl(der), issuer.certificate))
      throw new Error('the signature of the CRL does not verify');
    const crl = { der, thisUpdate: now, nextUpdate, lastRevocationId };
    // Another process may have taken the number meanwhile: then this list is dropped and made again.
    if (await store.storeCrl(issuer.keyId, crl, number)) return { ...crl, number };
  }
}
