/** Orders, authorizations and their parts as storage would hold them, with whatever a test wants different. */
import type { Attempt, Authorization } from '../../src/core/acme/authorization.ts';
import type { Identifier } from '../../src/core/acme/identifier.ts';
import type { Order, OrderSnapshot } from '../../src/core/acme/order.ts';
import { type Instant, instantFromSeconds } from '../../src/core/time/instant.ts';

/** 2026-11-25T02:15:53Z */
export const NOW = instantFromSeconds(1_795_572_953);

export function at(offsetSeconds: number): Instant {
  return instantFromSeconds(NOW + offsetSeconds);
}

export function dns(value: string): Identifier {
  return { type: 'dns', value };
}

export function ip(value: string): Identifier {
  return { type: 'ip', value };
}

/** An attempt and how it ended. */
export const ATTEMPTS = {
  none: null,
  running: { challengeType: 'http-01', startedAt: at(-10), outcome: null },
  valid: { challengeType: 'http-01', startedAt: at(-10), outcome: { kind: 'valid', at: at(-9) } },
  invalid: {
    challengeType: 'http-01',
    startedAt: at(-10),
    outcome: { kind: 'invalid', at: at(-9), problem: 'connection', detail: 'port 80 refused the connection' },
  },
} as const satisfies Record<string, Attempt | null>;

export function authorization(overrides: Partial<Authorization> = {}): Authorization {
  return {
    id: 11,
    orderId: 7,
    accountId: 3,
    identifier: dns('a.test'),
    token: 'LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDf',
    expiresAt: at(3600),
    attempt: ATTEMPTS.none,
    deactivatedAt: null,
    ...overrides,
  };
}

export function order(overrides: Partial<Order> = {}): Order {
  return {
    id: 7,
    accountId: 3,
    provisioner: 'acme',
    identifiers: [dns('a.test')],
    notBefore: null,
    notAfter: null,
    createdAt: at(-60),
    expiresAt: at(3600),
    issuance: null,
    ...overrides,
  };
}

/** An order whose authorizations are all proven: what finalize wants. */
export function readyOrder(...identifiers: readonly Identifier[]): OrderSnapshot {
  return {
    order: order({ identifiers }),
    authorizations: identifiers.map((identifier, index) =>
      authorization({ id: 11 + index, identifier, attempt: ATTEMPTS.valid }),
    ),
  };
}
