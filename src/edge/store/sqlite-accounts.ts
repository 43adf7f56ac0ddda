/** ACME accounts in SQLite. */
import type { Account } from '../../core/acme/account.ts';
import type { PublicJwk, Thumbprint } from '../../core/jose/jwk.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { AccountStore } from '../../flow/ca/store-ports.ts';
import type { Database } from './database.ts';

interface Row {
  id: number;
  provisioner: string;
  thumbprint: string;
  jwk: string;
  contact: string;
  created_at: number;
  deactivated_at: number | null;
}

export function sqliteAccountStore(db: Database): AccountStore {
  const byId = db.prepare('SELECT * FROM account WHERE id = ?');
  const byKey = db.prepare('SELECT * FROM account WHERE provisioner = ? AND thumbprint = ?');
  const insert = db.prepare(
    'INSERT OR IGNORE INTO account (provisioner, thumbprint, jwk, contact, created_at) VALUES (?, ?, ?, ?, ?)',
  );
  const setContact = db.prepare('UPDATE account SET contact = ? WHERE id = ?');
  const deactivate = db.prepare('UPDATE account SET deactivated_at = ? WHERE id = ? AND deactivated_at IS NULL');
  const setKey = db.prepare('UPDATE OR IGNORE account SET jwk = ?, thumbprint = ? WHERE id = ?');

  const find = (provisioner: string, thumbprint: string): Account | null =>
    accountOf(byKey.get(provisioner, thumbprint) as Row | undefined);

  return {
    loadAccount: (id) => db.read(() => accountOf(byId.get(id) as Row | undefined)),
    findAccount: (provisioner, thumbprint) => db.read(() => find(provisioner, thumbprint)),
    insertAccount: ({ provisioner, thumbprint, jwk, contact, createdAt }) =>
      db.write(() => {
        const { changes } = insert.run(
          provisioner,
          thumbprint,
          JSON.stringify(jwk),
          JSON.stringify(contact),
          createdAt,
        );
        const account = find(provisioner, thumbprint);
        if (!account) throw new Error('an account that was just inserted is not there');
        return { created: changes === 1, account };
      }),
    updateAccount: (id, change) =>
      db.write(() => {
        if (change.contact) setContact.run(JSON.stringify(change.contact), id);
        if (change.deactivatedAt !== undefined) deactivate.run(change.deactivatedAt, id);
      }),
    replaceAccountKey: (id, jwk, thumbprint) =>
      db.write(() => setKey.run(JSON.stringify(jwk), thumbprint, id).changes === 1),
  };
}

function accountOf(row: Row | undefined): Account | null {
  return row
    ? {
        id: row.id,
        provisioner: row.provisioner,
        jwk: JSON.parse(row.jwk) as PublicJwk,
        thumbprint: row.thumbprint as Thumbprint,
        contact: JSON.parse(row.contact) as string[],
        createdAt: row.created_at as Instant,
        deactivatedAt: row.deactivated_at as Instant | null,
      }
    : null;
}
