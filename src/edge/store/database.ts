/**
 * One SQLite database: opened durable (WAL, synchronous=FULL), migrated, and written in groups: all writes
 * that arrive in one turn of the event loop share one transaction and one fsync. A write's promise resolves
 * after COMMIT, so nobody is answered before the record is on disk.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { StoreFault } from '../../flow/ca/store-ports.ts';
import { MIGRATIONS } from './schema.ts';

/** A write. It may run more than once (a failed group is repeated one by one), so it must only touch the database. */
type Job<T> = () => T;

interface QueuedJob {
  readonly job: Job<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (reason: unknown) => void;
}

export interface Database {
  /** Prepared once, kept. */
  readonly prepare: (sql: string) => StatementSync;
  /** Queues a write for the next group. Rejects with the job's own error, or a StoreFault when the commit fails. */
  readonly write: <T>(job: Job<T>) => Promise<T>;
  readonly read: <T>(job: Job<T>) => Promise<T>;
  readonly close: () => void;
}

/**
 * @param path of the database file; its directory must exist
 * @throws StoreFault database-damaged, or SchemaTooNew when a newer Fullchain wrote it
 */
export function openDatabase(path: string): Database {
  const db = guarded(() => {
    const opened = new DatabaseSync(path, { timeout: 5000 });
    opened.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -32768;',
    );
    return opened;
  });
  migrate(db);
  const statements = new Map<string, StatementSync>();
  let queue: QueuedJob[] = [];
  let open = true;

  const flush = (): void => {
    const group = queue;
    queue = [];
    if (group.length > 0 && open) commitGroup(db, group);
  };

  return {
    prepare(sql) {
      let statement = statements.get(sql);
      if (!statement) {
        statement = db.prepare(sql);
        statements.set(sql, statement);
      }
      return statement;
    },
    write<T>(job: Job<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        if (queue.length === 0) setImmediate(flush);
        queue.push({ job, resolve, reject });
      });
    },
    async read(job) {
      return guarded(job);
    },
    close() {
      flush();
      open = false;
      db.close();
    },
  };
}

/** All jobs in one transaction; if any of them or the commit fails, each again in a transaction of its own. */
function commitGroup(db: DatabaseSync, group: readonly QueuedJob[]): void {
  const results = attempt(db, group);
  if (results.kind === 'committed') {
    for (const [index, { resolve }] of group.entries()) resolve(results.values[index] as never);
  } else if (group.length === 1) {
    group[0]?.reject(results.fault);
  } else {
    for (const job of group) commitGroup(db, [job]);
  }
}

function attempt(
  db: DatabaseSync,
  group: readonly QueuedJob[],
):
  | { readonly kind: 'committed'; readonly values: readonly unknown[] }
  | { readonly kind: 'failed'; readonly fault: unknown } {
  try {
    db.exec('BEGIN IMMEDIATE');
    const values = group.map(({ job }) => job());
    db.exec('COMMIT');
    return { kind: 'committed', values };
  } catch (cause) {
    // SQLite may have rolled back by itself (disk full); a second ROLLBACK would then be an error of its own.
    if (db.isTransaction) db.exec('ROLLBACK');
    return { kind: 'failed', fault: storeFault(cause) };
  }
}

/** The database was written by a newer program: running on would damage it. */
export class SchemaTooNew extends Error {
  readonly found: number;
  readonly supported = MIGRATIONS.length;
  constructor(found: number) {
    super(`the database has schema ${found}; this program knows ${MIGRATIONS.length}`);
    this.name = 'SchemaTooNew';
    this.found = found;
  }
}

function migrate(db: DatabaseSync): void {
  const version = guarded(() => Number(db.prepare('PRAGMA user_version').get()?.user_version));
  if (version > MIGRATIONS.length) {
    db.close();
    throw new SchemaTooNew(version);
  }
  MIGRATIONS.slice(version).forEach((sql, index) => {
    guarded(() => db.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${version + index + 1}; COMMIT;`));
  });
}

function guarded<T>(job: () => T): T {
  try {
    return job();
  } catch (cause) {
    throw storeFault(cause);
  }
}

/** SQLite's primary result codes (sqlite.org/rescode.html) → our words; anything else is passed on as it is. */
function storeFault(cause: unknown): unknown {
  if (!(cause instanceof Error) || !('errcode' in cause)) return cause;
  switch (Number(cause.errcode) & 0xff) {
    case 13: // SQLITE_FULL
      return new StoreFault('disk-full', 'the disk that holds the state directory is full', cause);
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return new StoreFault('database-damaged', `the database is damaged: ${cause.message}`, cause);
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return new StoreFault('database-locked', 'another process holds the database', cause);
    default:
      return new StoreFault('database-failed', `the database failed: ${cause.message}`, cause);
  }
}
