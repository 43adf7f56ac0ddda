/** ACME orders and authorizations in SQLite. */
import type { Attempt, Authorization, ChallengeType } from '../../core/acme/authorization.ts';
import type { Identifier } from '../../core/acme/identifier.ts';
import type { Order, OrderSnapshot } from '../../core/acme/order.ts';
import type { AcmeProblemType } from '../../core/faults/acme-problems.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { AuthorizationStore, OrderStore } from '../../flow/ca/store-ports.ts';
import type { Database } from './database.ts';
import { orderKey } from './sqlite-certificates.ts';

interface OrderRow {
  id: number;
  account_id: number;
  provisioner: string;
  identifiers: string;
  not_before: number | null;
  not_after: number | null;
  created_at: number;
  expires_at: number;
  replaces: string | null;
}

interface IssuanceRow {
  id: number;
  signed: number;
  abandoned_why: string | null;
}

interface AuthorizationRow {
  id: number;
  order_id: number;
  account_id: number;
  identifier_type: string;
  identifier_value: string;
  token: string;
  expires_at: number;
  attempt_type: string | null;
  attempt_started_at: number | null;
  attempt_ended_at: number | null;
  attempt_problem: string | null;
  attempt_detail: string | null;
  deactivated_at: number | null;
}

/** How many orders one cleaning transaction looks at: short enough that no request waits for it. */
const CLEANING_BATCH = 500;

export function sqliteOrderStore(db: Database): OrderStore & AuthorizationStore {
  const orderById = db.prepare('SELECT * FROM acme_order WHERE id = ?');
  const issuanceOfOrder = db.prepare(
    'SELECT id, der IS NOT NULL AS signed, abandoned_why FROM certificate WHERE once_key = ?',
  );
  const authorizationsOfOrder = db.prepare('SELECT * FROM acme_authorization WHERE order_id = ? ORDER BY id');
  const authorizationById = db.prepare('SELECT * FROM acme_authorization WHERE id = ?');
  const insertOrder = db.prepare(
    `INSERT INTO acme_order (account_id, provisioner, identifiers, not_before, not_after, created_at, expires_at, replaces)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertAuthorization = db.prepare(
    `INSERT INTO acme_authorization (order_id, account_id, identifier_type, identifier_value, token, expires_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const orderIdsReplacing = db.prepare('SELECT id FROM acme_order WHERE replaces = ? ORDER BY id');
  const orderIds = db.prepare('SELECT id FROM acme_order WHERE account_id = ? AND id > ? ORDER BY id LIMIT ?');
  const oldestOrders = db.prepare('SELECT id, expires_at FROM acme_order ORDER BY id LIMIT ?');
  const removeOrder = db.prepare('DELETE FROM acme_order WHERE id = ?');
  const removeAuthorizations = db.prepare('DELETE FROM acme_authorization WHERE order_id = ?');
  const beginAttempt = db.prepare(
    `UPDATE acme_authorization SET attempt_type = ?, attempt_started_at = ?
     WHERE id = ? AND attempt_type IS NULL AND deactivated_at IS NULL`,
  );
  const endAttempt = db.prepare(
    `UPDATE acme_authorization SET attempt_ended_at = ?, attempt_problem = ?, attempt_detail = ?
     WHERE id = ? AND attempt_type = ? AND attempt_ended_at IS NULL`,
  );
  const deactivate = db.prepare(
    'UPDATE acme_authorization SET deactivated_at = ? WHERE id = ? AND deactivated_at IS NULL',
  );
  const unfinished = db.prepare(
    'SELECT * FROM acme_authorization WHERE attempt_type IS NOT NULL AND attempt_ended_at IS NULL',
  );

  const authorizationsOf = (orderId: number): Authorization[] =>
    (authorizationsOfOrder.all(orderId) as unknown as AuthorizationRow[]).map(authorizationOf);

  const loadAuthorization = (id: number): Authorization | null => {
    const row = authorizationById.get(id) as AuthorizationRow | undefined;
    return row ? authorizationOf(row) : null;
  };

  const load = (id: number): OrderSnapshot | null => {
    const row = orderById.get(id) as OrderRow | undefined;
    if (!row) return null;
    const issuance = issuanceOfOrder.get(orderKey(id)) as IssuanceRow | undefined;
    return { order: orderOf(row, issuance), authorizations: authorizationsOf(id) };
  };

  return {
    insertOrder: (draft) =>
      db.write((): OrderSnapshot => {
        const { accountId, provisioner, identifiers, tokens, notBefore, notAfter, createdAt, expiresAt, replaces } =
          draft;
        const id = Number(
          insertOrder.run(
            accountId,
            provisioner,
            JSON.stringify(identifiers),
            notBefore,
            notAfter,
            createdAt,
            expiresAt,
            replaces ?? null,
          ).lastInsertRowid,
        );
        identifiers.forEach(({ type, value }, index) => {
          insertAuthorization.run(id, accountId, type, value, tokens[index] ?? null, expiresAt);
        });
        const order: Order = {
          id,
          accountId,
          provisioner,
          identifiers,
          notBefore,
          notAfter,
          createdAt,
          expiresAt,
          ...(replaces !== undefined && { replaces }),
          issuance: null,
        };
        return { order, authorizations: authorizationsOf(id) };
      }),

    loadOrder: (id) => db.read(() => load(id)),

    ordersReplacing: (certId) =>
      db.read(() => (orderIdsReplacing.all(certId) as unknown as { id: number }[]).flatMap(({ id }) => load(id) ?? [])),

    listOrderIds: (accountId, after, limit) =>
      db.read(() => (orderIds.all(accountId, after, limit) as unknown as { id: number }[]).map(({ id }) => id)),

    async removeExpiredOrders(before) {
      let removed = 0;
      for (;;) {
        // Orders are numbered in time order, so the oldest batch holds what has expired, if anything has.
        const batch = await db.write(() => {
          const expired = (oldestOrders.all(CLEANING_BATCH) as unknown as { id: number; expires_at: number }[]).filter(
            (order) => order.expires_at < before,
          );
          for (const { id } of expired) {
            removeAuthorizations.run(id);
            removeOrder.run(id);
          }
          return expired.length;
        });
        removed += batch;
        if (batch === 0) return removed;
      }
    },

    loadAuthorization: (id) => db.read(() => loadAuthorization(id)),

    recordAttempt: (id, type, startedAt) => db.write(() => beginAttempt.run(type, startedAt, id).changes === 1),

    recordOutcome: (id, type, startedAt, outcome) =>
      db.write(() => {
        beginAttempt.run(type, startedAt, id);
        const { problem, detail } = outcome.kind === 'invalid' ? outcome : { problem: null, detail: null };
        endAttempt.run(outcome.at, problem, detail, id, type);
        return loadAuthorization(id);
      }),

    deactivateAuthorization: (id, at) =>
      db.write(() => {
        deactivate.run(at, id);
      }),

    listUnfinishedAttempts: () =>
      db.read(() => (unfinished.all() as unknown as AuthorizationRow[]).map(authorizationOf)),
  };
}

function orderOf(row: OrderRow, issuance: IssuanceRow | undefined): Order {
  return {
    id: row.id,
    accountId: row.account_id,
    provisioner: row.provisioner,
    identifiers: JSON.parse(row.identifiers) as Identifier[],
    notBefore: row.not_before as Instant | null,
    notAfter: row.not_after as Instant | null,
    createdAt: row.created_at as Instant,
    expiresAt: row.expires_at as Instant,
    ...(row.replaces !== null && { replaces: row.replaces }),
    issuance: issuance
      ? { id: issuance.id, certificateId: issuance.signed ? issuance.id : null, abandonedWhy: issuance.abandoned_why }
      : null,
  };
}

function authorizationOf(row: AuthorizationRow): Authorization {
  return {
    id: row.id,
    orderId: row.order_id,
    accountId: row.account_id,
    identifier: { type: row.identifier_type as Identifier['type'], value: row.identifier_value },
    token: row.token,
    expiresAt: row.expires_at as Instant,
    attempt: attemptOf(row),
    deactivatedAt: row.deactivated_at as Instant | null,
  };
}

function attemptOf(row: AuthorizationRow): Attempt | null {
  if (row.attempt_type === null) return null;
  const at = row.attempt_ended_at as Instant | null;
  return {
    challengeType: row.attempt_type as ChallengeType,
    startedAt: row.attempt_started_at as Instant,
    outcome:
      at === null
        ? null
        : row.attempt_problem === null
          ? { kind: 'valid', at }
          : { kind: 'invalid', at, problem: row.attempt_problem as AcmeProblemType, detail: row.attempt_detail ?? '' },
  };
}
