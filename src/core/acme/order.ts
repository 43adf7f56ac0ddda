/**
 * Orders (RFC 8555 §7.1.3, §7.1.6, §7.4). Only facts are kept; the status follows from them.
 *
 *   pending ──all authorizations valid──▶ ready ──finalize: issuance recorded──▶ processing ──certificate──▶ valid
 *      │                                    │                                        │
 *      └── an authorization fails, expiry ──┴──────────── issuance abandoned ────────┴──▶ invalid
 *
 * Not here: how the certificate is made (core/issuance) and in which order things are written (flow/ca).
 */
import { type AcmeSubproblem, type Refused, refused } from '../faults/acme-problems.ts';
import type { Instant } from '../time/instant.ts';
import type { Csr } from '../x509/csr.ts';
import { lowerCaseAscii } from '../x509/dns-name.ts';
import { commonNames } from '../x509/name.ts';
import { type Authorization, authorizationStatus } from './authorization.ts';
import { type Identifier, identifierOf, sameIdentifier } from './identifier.ts';

export interface Order {
  readonly id: number;
  readonly accountId: number;
  readonly provisioner: string;
  readonly identifiers: readonly Identifier[];
  /** As asked for in new-order; null where the authority chooses. */
  readonly notBefore: Instant | null;
  readonly notAfter: Instant | null;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  /** Identifier of the certificate that it replaces (RFC 9773 §5). */
  readonly replaces?: string;
  /** The issuance that finalize recorded, if any: `certificateId` once signed, `abandonedWhy` if it failed for good. */
  readonly issuance: {
    readonly id: number;
    readonly certificateId: number | null;
    readonly abandonedWhy: string | null;
  } | null;
}

/** An order with all its authorizations, in the order of its identifiers, read together. */
export interface OrderSnapshot {
  readonly order: Order;
  readonly authorizations: readonly Authorization[];
}

export type OrderStatus = 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';

export function orderStatus({ order, authorizations }: OrderSnapshot, now: Instant): OrderStatus {
  if (order.issuance) {
    if (order.issuance.certificateId !== null) return 'valid';
    return order.issuance.abandonedWhy === null ? 'processing' : 'invalid';
  }
  if (now > order.expiresAt) return 'invalid';
  const statuses = authorizations.map((authorization) => authorizationStatus(authorization, now));
  if (statuses.some((status) => status !== 'pending' && status !== 'valid')) return 'invalid';
  return statuses.every((status) => status === 'valid') ? 'ready' : 'pending';
}

/** Why an invalid order is invalid, for its `error` field (§7.1.3); null when expiry is the reason. */
export function orderProblem({ order, authorizations }: OrderSnapshot, now: Instant): Refused['problem'] | null {
  if (order.issuance?.abandonedWhy) return refused('serverInternal', order.issuance.abandonedWhy).problem;
  const subproblems: AcmeSubproblem[] = [];
  for (const { identifier, attempt, deactivatedAt } of authorizations) {
    const outcome = attempt?.outcome;
    if (outcome?.kind === 'invalid') subproblems.push({ type: outcome.problem, detail: outcome.detail, identifier });
    else if (deactivatedAt !== null) {
      subproblems.push({ type: 'unauthorized', detail: 'the authorization was deactivated', identifier });
    }
  }
  const [first] = subproblems;
  if (first) return refused(first.type, first.detail, { subproblems }).problem;
  return now > order.expiresAt ? refused('malformed', 'the order expired before it was finalized').problem : null;
}

export type FinalizeDecision =
  | { readonly kind: 'issue'; readonly csr: Csr; readonly identifiers: readonly Identifier[] }
  /** RFC 8555 §7.4: finalized before; the answer is the order as it stands, and nothing is issued twice. */
  | { readonly kind: 'already-finalized' }
  | Refused;

/**
 * RFC 8555 §7.4: "The CSR MUST indicate the exact same set of requested identifiers as the initial newOrder
 * request." Compared as sets in both directions; a common name counts as one of the names.
 *
 * @param csr parsed, its signature verified by the caller
 * @param keyBelongsToAccount whether the CSR's key is the key of any account (§11.1 forbids it)
 */
export function decideFinalize(
  snapshot: OrderSnapshot,
  csr: Csr,
  keyBelongsToAccount: boolean,
  now: Instant,
): FinalizeDecision {
  const status = orderStatus(snapshot, now);
  if (status === 'processing' || status === 'valid') return { kind: 'already-finalized' };
  if (status !== 'ready') {
    const why = status === 'invalid' ? orderProblem(snapshot, now)?.detail : 'its authorizations are not all valid yet';
    return refused('orderNotReady', `the order is ${status}${why ? `: ${why}` : ''}`);
  }
  if (keyBelongsToAccount)
    return refused('badCSR', 'the key of the CSR is an account key; use a key of its own (RFC 8555 §11.1)');
  const asked: Identifier[] = [];
  for (const name of csr.names) {
    const identifier = identifierOf(name);
    if (identifier === null)
      return refused('badCSR', `the CSR asks for a name of kind ${name.kind}, which the order does not have`);
    if (!asked.some((known) => sameIdentifier(known, identifier))) asked.push(identifier);
  }
  for (const commonName of commonNames(csr.subject)) {
    const lower = lowerCaseAscii(commonName);
    if (!snapshot.order.identifiers.some((identifier) => identifier.value === lower)) {
      return refused('badCSR', `the common name ${JSON.stringify(commonName)} is not an identifier of the order`);
    }
    // A CSR that names its only identifier in the subject alone is what RFC 8555 §7.4 allows.
    for (const identifier of snapshot.order.identifiers) {
      if (identifier.value === lower && !asked.some((known) => sameIdentifier(known, identifier)))
        asked.push(identifier);
    }
  }
  const { identifiers } = snapshot.order;
  const extra = asked.filter((name) => !identifiers.some((identifier) => sameIdentifier(identifier, name)));
  const absent = identifiers.filter((identifier) => !asked.some((name) => sameIdentifier(identifier, name)));
  if (extra.length > 0) return refused('badCSR', `the CSR names ${list(extra)}, which the order does not`);
  if (absent.length > 0) return refused('badCSR', `the CSR does not name ${list(absent)}, which the order does`);
  return { kind: 'issue', csr, identifiers: asked };
}

function list(identifiers: readonly Identifier[]): string {
  const shown = identifiers.slice(0, 5).map((identifier) => identifier.value);
  return shown.join(', ') + (identifiers.length > 5 ? ` and ${identifiers.length - 5} more` : '');
}
