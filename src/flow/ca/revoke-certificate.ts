/** Revocation (RFC 8555 §7.6): recorded as a fact; the next CRL carries it. */

import { authorizationStatus } from '../../core/acme/authorization.ts';
import { parseIdentifiers, sameIdentifier } from '../../core/acme/identifier.ts';
import { parseObjectPayload } from '../../core/acme/payload.ts';
import { DerError } from '../../core/asn1/der-reader.ts';
import { bytesFromBase64Url } from '../../core/bytes/base64url.ts';
import { bytesEqual } from '../../core/bytes/compare.ts';
import { type Refused, refused } from '../../core/faults/acme-problems.ts';
import { jwkThumbprint } from '../../core/jose/jwk.ts';
import { jwkOfPublicKey } from '../../core/jose/jwk-of-public-key.ts';
import { type RevocationReason, reasonOfNumber } from '../../core/revocation/reason.ts';
import type { Instant } from '../../core/time/instant.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import type { Authenticated, ByAccount, ByKey } from './authenticate-request.ts';
import type { CertificateRecord, CertificateStore, OrderStore } from './store-ports.ts';

export type RevokeResult = { readonly kind: 'revoked' } | Refused;

type RevokeStore = Pick<CertificateStore, 'findCertificate' | 'revokeCertificate'> &
  Pick<OrderStore, 'listOrderIds' | 'loadOrder'>;

/** What a subscriber may say (§7.6, Baseline Requirements §7.2.2): the rest are the authority's own words. */
const SUBSCRIBER_REASONS: readonly RevocationReason[] = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
];

export async function revokeByAcme(
  store: RevokeStore,
  request: Authenticated<ByAccount | ByKey>,
  now: Instant,
): Promise<RevokeResult> {
  const payload = parseObjectPayload(request.payload);
  if (payload.kind === 'refused') return payload;
  const { certificate: text, reason: code } = payload.value;
  const der = typeof text === 'string' ? bytesFromBase64Url(text) : null;
  if (der === null) return refused('malformed', 'certificate is the DER in base64url');
  const reason = code === undefined ? 'unspecified' : typeof code === 'number' ? reasonOfNumber(code) : null;
  if (reason === null || !SUBSCRIBER_REASONS.includes(reason)) {
    const shown = typeof code === 'number' ? code : `of type ${typeof code}`;
    return refused('badRevocationReason', `the reason ${shown} is not accepted; 0, 1, 3, 4 and 5 are`);
  }
  const found = await findIssued(store, der);
  if (found.kind === 'refused') return found;
  const { record, certificate } = found;
  if (!(await mayRevoke(store, request.by, record, certificate, now))) {
    return refused(
      'unauthorized',
      'neither the account nor the key of the certificate signed this request, and the account holds no authorizations for its names',
    );
  }
  const requestedBy = request.by.kind === 'account' ? `account ${request.by.account.id}` : 'the key of the certificate';
  return revoke(store, record, reason, requestedBy, now);
}

/** Records it once; a second time is alreadyRevoked. */
export async function revoke(
  store: Pick<CertificateStore, 'revokeCertificate'>,
  record: CertificateRecord,
  reason: RevocationReason,
  requestedBy: string,
  now: Instant,
): Promise<RevokeResult> {
  const first = await store.revokeCertificate(record.id, now, reason, requestedBy);
  return first ? { kind: 'revoked' } : refused('alreadyRevoked', `the certificate ${record.serial} is revoked already`);
}

async function findIssued(
  store: Pick<CertificateStore, 'findCertificate'>,
  der: Uint8Array,
): Promise<
  { readonly kind: 'found'; readonly record: CertificateRecord; readonly certificate: Certificate } | Refused
> {
  let certificate: Certificate;
  try {
    certificate = parseCertificate(der);
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    return refused('malformed', `the certificate is not well formed: ${cause.message}`);
  }
  const record = await store.findCertificate(certificate.serial);
  return record?.der && bytesEqual(record.der, der)
    ? { kind: 'found', record, certificate }
    : refused('malformed', 'this authority did not issue the certificate', { status: 404 });
}

/** §7.6: the account that ordered it, the certificate's own key, or an account authorized for all its names. */
async function mayRevoke(
  store: RevokeStore,
  by: ByAccount | ByKey,
  record: CertificateRecord,
  certificate: Certificate,
  now: Instant,
): Promise<boolean> {
  if (by.kind === 'key') {
    const jwk = jwkOfPublicKey(certificate.publicKey);
    return jwk !== null && jwkThumbprint(jwk) === by.thumbprint;
  }
  return record.accountId === by.account.id || holdsAuthorizations(store, by.account.id, record, now);
}

/** How many of an account's orders, oldest first, are searched for authorizations. */
const SEARCHED_ORDERS = 1000;

async function holdsAuthorizations(
  store: RevokeStore,
  accountId: number,
  record: CertificateRecord,
  now: Instant,
): Promise<boolean> {
  const names = parseIdentifiers(
    record.names.map((value) => ({ type: /[:]|^[\d.]+$/.test(value) ? 'ip' : 'dns', value })),
  );
  if (names.kind === 'refused') return false;
  let missing = names.identifiers;
  for (const id of await store.listOrderIds(accountId, 0, SEARCHED_ORDERS)) {
    const snapshot = await store.loadOrder(id);
    for (const authorization of snapshot?.authorizations ?? []) {
      if (authorizationStatus(authorization, now) !== 'valid') continue;
      missing = missing.filter((name) => !sameIdentifier(name, authorization.identifier));
    }
    if (missing.length === 0) return true;
  }
  return false;
}
