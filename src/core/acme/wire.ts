/** ACME resources as JSON (RFC 8555 §7.1): codecs only. `urls` says where each resource lives. */
import { problemDocument, problemUrn } from '../faults/acme-problems.ts';
import { formatRfc3339, type Instant } from '../time/instant.ts';
import type { Account } from './account.ts';
import {
  type Authorization,
  authorizationStatus,
  type ChallengeType,
  challengeStatus,
  offeredChallenges,
} from './authorization.ts';
import { baseValue, isWildcard } from './identifier.ts';
import { type OrderSnapshot, orderProblem, orderStatus } from './order.ts';

/** The absolute URLs of one provisioner's resources, on the host name that the client used. */
export interface AcmeUrls {
  readonly directory: string;
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  readonly revokeCert: string;
  readonly keyChange: string;
  /** RFC 9773 §3: a certificate's identifier follows. */
  readonly renewalInfo: string;
  account(id: number): string;
  orders(accountId: number): string;
  order(id: number): string;
  finalize(orderId: number): string;
  authorization(id: number): string;
  challenge(authorizationId: number, type: ChallengeType): string;
  certificate(id: number): string;
}

/** @param base such as "https://ca.internal:9000/acme/acme", without a trailing slash */
export function acmeUrls(base: string): AcmeUrls {
  return {
    directory: `${base}/directory`,
    newNonce: `${base}/new-nonce`,
    newAccount: `${base}/new-account`,
    newOrder: `${base}/new-order`,
    revokeCert: `${base}/revoke-cert`,
    keyChange: `${base}/key-change`,
    renewalInfo: `${base}/renewal-info`,
    account: (id) => `${base}/account/${id}`,
    orders: (accountId) => `${base}/account/${accountId}/orders`,
    order: (id) => `${base}/order/${id}`,
    finalize: (orderId) => `${base}/order/${orderId}/finalize`,
    authorization: (id) => `${base}/authz/${id}`,
    challenge: (authorizationId, type) => `${base}/challenge/${authorizationId}/${type}`,
    certificate: (id) => `${base}/certificate/${id}`,
  };
}

export function directoryWire(urls: AcmeUrls, meta: { readonly website?: string }): Record<string, unknown> {
  const { newNonce, newAccount, newOrder, revokeCert, keyChange, renewalInfo } = urls;
  return {
    newNonce,
    newAccount,
    newOrder,
    revokeCert,
    keyChange,
    renewalInfo,
    meta: { ...meta, externalAccountRequired: false },
  };
}

export function accountWire(account: Account, urls: AcmeUrls): Record<string, unknown> {
  return {
    status: account.deactivatedAt === null ? 'valid' : 'deactivated',
    ...(account.contact.length > 0 && { contact: account.contact }),
    orders: urls.orders(account.id),
  };
}

export function orderWire(snapshot: OrderSnapshot, urls: AcmeUrls, now: Instant): Record<string, unknown> {
  const { order, authorizations } = snapshot;
  const status = orderStatus(snapshot, now);
  const problem = status === 'invalid' ? orderProblem(snapshot, now) : null;
  const certificateId = order.issuance?.certificateId ?? null;
  return {
    status,
    expires: formatRfc3339(order.expiresAt),
    identifiers: order.identifiers.map(({ type, value }) => ({ type, value })),
    ...(order.notBefore !== null && { notBefore: formatRfc3339(order.notBefore) }),
    ...(order.notAfter !== null && { notAfter: formatRfc3339(order.notAfter) }),
    ...(order.replaces !== undefined && { replaces: order.replaces }),
    ...(problem && { error: problemDocument(problem) }),
    authorizations: authorizations.map((authorization) => urls.authorization(authorization.id)),
    finalize: urls.finalize(order.id),
    ...(certificateId !== null && { certificate: urls.certificate(certificateId) }),
  };
}

export function authorizationWire(authorization: Authorization, urls: AcmeUrls, now: Instant): Record<string, unknown> {
  return {
    status: authorizationStatus(authorization, now),
    expires: formatRfc3339(authorization.expiresAt),
    identifier: { type: authorization.identifier.type, value: baseValue(authorization.identifier) },
    challenges: offeredChallenges(authorization).map((type) => challengeWire(authorization, type, urls)),
    ...(isWildcard(authorization.identifier) && { wildcard: true }),
  };
}

export function challengeWire(
  authorization: Authorization,
  type: ChallengeType,
  urls: AcmeUrls,
): Record<string, unknown> {
  const outcome = authorization.attempt?.challengeType === type ? authorization.attempt.outcome : null;
  return {
    type,
    url: urls.challenge(authorization.id, type),
    token: authorization.token,
    status: challengeStatus(authorization, type),
    ...(outcome?.kind === 'valid' && { validated: formatRfc3339(outcome.at) }),
    ...(outcome?.kind === 'invalid' && { error: { type: problemUrn(outcome.problem), detail: outcome.detail } }),
  };
}
