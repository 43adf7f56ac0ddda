/**
 * What a crash or a fault left half done, and what has had its time: run at every start and now and then.
 *
 * - An issuance that was recorded and not signed: an order's is finished (the same bytes, signed again; nobody
 *   has seen the lost signature), so the client that polls gets its certificate. Others have nobody waiting,
 *   and are abandoned.
 * - Orders and authorizations past their expiry go; certificates stay.
 */
import { type LintedTbs, lintTbs } from '../../core/issuance/linted-tbs.ts';
import { isProfile } from '../../core/issuance/profile.ts';
import { addSeconds, type Instant } from '../../core/time/instant.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { type SigningIssuer, signAndCompare } from './issue-certificate.ts';
import type { CertificateRecord, IssuanceStore, OrderStore } from './store-ports.ts';

export interface RecoveryPorts {
  readonly store: IssuanceStore & Pick<OrderStore, 'removeExpiredOrders'>;
  readonly issuer: () => SigningIssuer;
  readonly clock: () => Instant;
}

export interface Recovered {
  readonly finished: number;
  readonly abandoned: number;
  readonly removedOrders: number;
}

/** An issuance younger than this may be in the hands of a request that is running. */
const IN_FLIGHT_SECONDS = 30;

/** A client that polls an expired order learns for this long why it is gone. */
const KEEP_EXPIRED_ORDERS_SECONDS = 3600;

/** @param atStart no request is running yet, so everything unfinished is a leftover */
export async function recover({ store, issuer, clock }: RecoveryPorts, atStart: boolean): Promise<Recovered> {
  const now = clock();
  let finished = 0;
  let abandoned = 0;
  for (const intent of await store.listUnfinishedIntents()) {
    if (!atStart && intent.createdAt > addSeconds(now, -IN_FLIGHT_SECONDS)) continue;
    const current = issuer();
    const waiting = intent.accountId !== null && intent.issuerKeyId === current.keyId && intent.notAfter > now;
    const tbs = waiting ? relint(intent, current) : null;
    if (tbs === null) {
      await store.abandonIntent(intent.id, 'the authority stopped before it was signed');
      abandoned++;
      continue;
    }
    const der = await signAndCompare(current, tbs);
    await store.recordCertificate(intent.id, der, parseCertificate(der).fingerprint);
    finished++;
  }
  const removedOrders = await store.removeExpiredOrders(addSeconds(now, -KEEP_EXPIRED_ORDERS_SECONDS));
  return { finished, abandoned, removedOrders };
}

/** Recorded bytes are signed only if they would be accepted today. */
function relint({ tbs, profile }: CertificateRecord, issuer: SigningIssuer): LintedTbs | null {
  if (tbs === null || !isProfile(profile)) return null;
  const result = lintTbs(tbs, issuer.keyAlgorithm, { kind: profile, issuer: issuer.certificate });
  return 'bytes' in result ? result : null;
}
