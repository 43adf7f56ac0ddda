/** Provisioners in SQLite. */
import type { Instant } from '../../core/time/instant.ts';
import type { ProvisionerKind, ProvisionerRecord, ProvisionerStore } from '../../flow/ca/store-ports.ts';
import type { Database } from './database.ts';

interface Row {
  name: string;
  kind: string;
  default_lifetime_seconds: number;
  max_lifetime_seconds: number;
  public_key: string | null;
  encrypted_key: string | null;
  created_at: number;
}

export function sqliteProvisionerStore(db: Database): ProvisionerStore {
  const byName = db.prepare('SELECT * FROM provisioner WHERE name = ?');
  const all = db.prepare('SELECT * FROM provisioner ORDER BY created_at, name');
  const insert = db.prepare('INSERT OR IGNORE INTO provisioner VALUES (?, ?, ?, ?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM provisioner WHERE name = ?');

  return {
    loadProvisioner: (name) =>
      db.read(() => {
        const row = byName.get(name) as Row | undefined;
        return row ? recordOf(row) : null;
      }),
    listProvisioners: () => db.read(() => (all.all() as unknown as Row[]).map(recordOf)),
    insertProvisioner: (record) =>
      db.write(
        () =>
          insert.run(
            record.name,
            record.kind,
            record.defaultLifetimeSeconds,
            record.maxLifetimeSeconds,
            record.publicKey && JSON.stringify(record.publicKey),
            record.encryptedKey,
            record.createdAt,
          ).changes === 1,
      ),
    removeProvisioner: (name) => db.write(() => remove.run(name).changes === 1),
  };
}

function recordOf(row: Row): ProvisionerRecord {
  return {
    name: row.name,
    kind: row.kind as ProvisionerKind,
    defaultLifetimeSeconds: row.default_lifetime_seconds,
    maxLifetimeSeconds: row.max_lifetime_seconds,
    publicKey: row.public_key === null ? null : (JSON.parse(row.public_key) as ProvisionerRecord['publicKey']),
    encryptedKey: row.encrypted_key,
    createdAt: row.created_at as Instant,
  };
}
