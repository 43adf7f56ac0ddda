/** The store over one SQLite file: the pieces of this folder together. */
import type { Instant } from '../../core/time/instant.ts';
import type { Store } from '../../flow/ca/store-ports.ts';
import { openDatabase } from './database.ts';
import { sqliteAccountStore } from './sqlite-accounts.ts';
import { sqliteCertificateStore } from './sqlite-certificates.ts';
import { sqliteCrlStore } from './sqlite-crls.ts';
import { sqliteOrderStore } from './sqlite-orders.ts';
import { sqliteProvisionerStore } from './sqlite-provisioners.ts';

/**
 * @param path of the database file, or ":memory:" for one that ends with the process
 * @throws StoreFault, SchemaTooNew
 */
export function openSqliteStore(path: string): Store {
  const db = openDatabase(path);
  const beat = db.prepare(
    'INSERT INTO heartbeat (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at',
  );
  const latest = db.prepare(
    'SELECT max(coalesce((SELECT at FROM heartbeat), 0), coalesce((SELECT created_at FROM certificate ORDER BY id DESC LIMIT 1), 0)) AS at',
  );
  return {
    ...sqliteAccountStore(db),
    ...sqliteOrderStore(db),
    ...sqliteCertificateStore(db),
    ...sqliteCrlStore(db),
    ...sqliteProvisionerStore(db),
    probe: (now) =>
      db.write(() => {
        beat.run(now);
      }),
    latestRecordedAt: () => db.read(() => (Number(latest.get()?.at) || null) as Instant | null),
    close: db.close,
  };
}
