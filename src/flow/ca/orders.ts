/** New orders, and reading what an account owns (RFC 8555 §7.4, §7.1.2.1, §7.5). */
import { type Authorization, TOKEN_BYTE_LENGTH, tokenFromRandom } from '../../core/acme/authorization.ts';
import { type Identifier, parseIdentifiers } from '../../core/acme/identifier.ts';
import { type OrderSnapshot, orderStatus } from '../../core/acme/order.ts';
import { parseObjectPayload, requireEmptyPayload } from '../../core/acme/payload.ts';
import { parseCertId } from '../../core/acme/renewal-info.ts';
import { type Refused, refused } from '../../core/faults/acme-problems.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { addSeconds, type Instant, parseRfc3339 } from '../../core/time/instant.ts';
import type { Authenticated, ByAccount } from './authenticate-request.ts';
import { BACKDATE_SECONDS } from './provisioner-limits.ts';
import type { AuthorizationStore, CertificateStore, OrderStore, ProvisionerRecord } from './store-ports.ts';

/** How long a client may take from new-order to finalize. */
export const ORDER_LIFETIME_SECONDS = 24 * 3600;

export type OrderResult = { readonly kind: 'order'; readonly snapshot: OrderSnapshot } | Refused;

/** §7.4. One token an identifier is drawn here and kept. */
export async function newOrder(
  store: Pick<OrderStore, 'insertOrder' | 'ordersReplacing'> & Pick<CertificateStore, 'findCertificate'>,
  random: (byteLength: number) => Uint8Array,
  request: Authenticated<ByAccount>,
  provisioner: ProvisionerRecord,
  now: Instant,
): Promise<OrderResult> {
  const payload = parseObjectPayload(request.payload);
  if (payload.kind === 'refused') return payload;
  const { identifiers: asked, notBefore, notAfter, replaces } = payload.value;
  if (!Array.isArray(asked)) return refused('malformed', 'identifiers is a list');
  const parsed = parseIdentifiers(asked);
  if (parsed.kind === 'refused') return parsed;
  const period = parsePeriod(notBefore, notAfter, provisioner, now);
  if (period.kind === 'refused') return period;
  const refusal =
    replaces === undefined
      ? null
      : await refuseReplacement(store, request.by.account.id, replaces, parsed.identifiers, now);
  if (refusal) return refusal;
  const snapshot = await store.insertOrder({
    accountId: request.by.account.id,
    provisioner: provisioner.name,
    identifiers: parsed.identifiers,
    tokens: parsed.identifiers.map(() => tokenFromRandom(random(TOKEN_BYTE_LENGTH))),
    notBefore: period.notBefore,
    notAfter: period.notAfter,
    createdAt: now,
    expiresAt: addSeconds(now, ORDER_LIFETIME_SECONDS),
    ...(typeof replaces === 'string' && { replaces }),
  });
  return { kind: 'order', snapshot };
}

/**
 * RFC 9773 §5: the certificate was issued to this account, shares a name with the order, and no other order that is not
 * invalid replaces it; null when all of that holds.
 */
async function refuseReplacement(
  store: Pick<OrderStore, 'ordersReplacing'> & Pick<CertificateStore, 'findCertificate'>,
  accountId: number,
  replaces: unknown,
  identifiers: readonly Identifier[],
  now: Instant,
): Promise<Refused | null> {
  const id = typeof replaces === 'string' ? parseCertId(replaces) : null;
  if (typeof replaces !== 'string' || id === null)
    return refused('malformed', 'replaces is not a certificate identifier (RFC 9773 §4.1)');
  const record = await store.findCertificate(id.serial);
  if (!record?.der || record.issuerKeyId !== id.issuerKeyId || record.accountId !== accountId) {
    return refused('unauthorized', 'replaces names no certificate of this account');
  }
  if (!identifiers.some(({ value }) => record.names.includes(value))) {
    return refused('malformed', 'the order and the certificate that it replaces have no name in common');
  }
  const others = await store.ordersReplacing(replaces);
  return others.some((other) => orderStatus(other, now) !== 'invalid')
    ? refused('alreadyReplaced', 'another order replaces this certificate already')
    : null;
}

/** The dates that an order may ask for: refused now rather than at finalize, when the work is done. */
function parsePeriod(
  notBefore: unknown,
  notAfter: unknown,
  provisioner: ProvisionerRecord,
  now: Instant,
): { readonly kind: 'period'; readonly notBefore: Instant | null; readonly notAfter: Instant | null } | Refused {
  const start = parseDate(notBefore);
  const end = parseDate(notAfter);
  if (start === undefined || end === undefined)
    return refused('malformed', 'notBefore and notAfter are RFC 3339 date-times');
  if (start !== null && start < now - BACKDATE_SECONDS) return refused('malformed', 'notBefore lies in the past');
  if (end !== null) {
    const lifetime = end - (start ?? now);
    if (lifetime <= 0 || end <= now) return refused('malformed', 'notAfter lies before notBefore or in the past');
    if (lifetime > provisioner.maxLifetimeSeconds + BACKDATE_SECONDS) {
      return refused(
        'malformed',
        `a lifetime of ${formatDuration(lifetime)} was asked for; the maximum of the provisioner ${provisioner.name} is ${formatDuration(provisioner.maxLifetimeSeconds)}`,
      );
    }
  }
  return { kind: 'period', notBefore: start, notAfter: end };
}

function parseDate(value: unknown): Instant | null | undefined {
  if (value === undefined) return null;
  return typeof value === 'string' ? (parseRfc3339(value) ?? undefined) : undefined;
}

/** An order of the account that asks; one of somebody else is refused without saying whether it exists. */
export async function readOrder(
  store: Pick<OrderStore, 'loadOrder'>,
  request: Authenticated<ByAccount>,
  id: number,
): Promise<OrderResult> {
  const refusal = requireEmptyPayload(request.payload);
  if (refusal) return refusal;
  return ownOrder(store, request, id);
}

export async function ownOrder(
  store: Pick<OrderStore, 'loadOrder'>,
  request: Authenticated<ByAccount>,
  id: number,
): Promise<OrderResult> {
  const snapshot = await store.loadOrder(id);
  return snapshot?.order.accountId === request.by.account.id ? { kind: 'order', snapshot } : notFound('order');
}

export type OrderListResult =
  | { readonly kind: 'orders'; readonly ids: readonly number[]; readonly next: number | null }
  | Refused;

/** §7.1.2.1, in pages that follow each other by "next" links. */
export async function listOrders(
  store: Pick<OrderStore, 'listOrderIds'>,
  request: Authenticated<ByAccount>,
  accountId: number,
  after: number,
): Promise<OrderListResult> {
  const refusal = requireEmptyPayload(request.payload);
  if (refusal) return refusal;
  if (request.by.account.id !== accountId) return refused('unauthorized', 'an account can list only its own orders');
  const pageLength = 50;
  const ids = await store.listOrderIds(accountId, after, pageLength + 1);
  const page = ids.slice(0, pageLength);
  return { kind: 'orders', ids: page, next: ids.length > pageLength ? (page.at(-1) ?? null) : null };
}

export type AuthorizationResult = { readonly kind: 'authorization'; readonly authorization: Authorization } | Refused;

/** §7.5 reads, §7.5.2 deactivates. */
export async function readOrDeactivateAuthorization(
  store: Pick<AuthorizationStore, 'loadAuthorization' | 'deactivateAuthorization'>,
  request: Authenticated<ByAccount>,
  id: number,
  now: Instant,
): Promise<AuthorizationResult> {
  const authorization = await store.loadAuthorization(id);
  if (authorization?.accountId !== request.by.account.id) return notFound('authorization');
  if (request.payload.byteLength === 0) return { kind: 'authorization', authorization };
  const payload = parseObjectPayload(request.payload);
  if (payload.kind === 'refused') return payload;
  if (payload.value.status !== 'deactivated')
    return refused('malformed', 'a client can set the status of an authorization only to "deactivated"');
  await store.deactivateAuthorization(id, now);
  return {
    kind: 'authorization',
    authorization: { ...authorization, deactivatedAt: authorization.deactivatedAt ?? now },
  };
}

export function notFound(what: string): Refused {
  return refused('malformed', `no such ${what} of this account`, { status: 404 });
}
