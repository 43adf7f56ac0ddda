/**
 * One SQLite database, written in groups: all writes that arrive in one turn of the event loop share one transaction, and
 * all transactions that end while the disk is busy share the next sync. A promise resolves only when its record is on disk,
 * and a read only when everything that it may have seen is, so nobody is answered before the record is synced.
 *
 * SQLite commits into the write-ahead log; the sync of that log is ours (fdatasync in the thread pool), so that the event
 * loop goes on while the disk works. Why that is as durable as synchronous=FULL: docs/decisions/2026-11-25-group-commit.md.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
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
  const db = guarded(path, () => new DatabaseSync(path, { timeout: 5000 }));
  try {
    // Before anything is set: the file of a newer program stays as it is.
    const version = guarded(path, () => schemaVersion(db));
    if (version > MIGRATIONS.length) throw new SchemaTooNew(version);
    guarded(path, () =>
      db.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000; PRAGMA foreign_keys = ON; PRAGMA cache_size = -32768;',
      ),
    );
    if (version < MIGRATIONS.length) guarded(path, () => migrate(db));
  } catch (fault) {
    db.close();
    throw fault;
  }
  const statements = new Map<string, StatementSync>();
  const log = path === ':memory:' ? null : syncedLog(`${path}-wal`);
  let queue: QueuedJob[] = [];
  let open = true;

  const flush = (): void => {
    const group = queue;
    queue = [];
    if (group.length > 0) commitGroup(db, path, group, log);
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
        if (!open) throw new StoreFault('database-failed', 'the database is closed', null);
        if (queue.length === 0) setImmediate(flush);
        queue.push({ job, resolve, reject });
      });
    },
    async read(job) {
      const value = guarded(path, job);
      if (log?.isBehind()) await log.sync();
      return value;
    },
    close() {
      if (!open) return;
      open = false;
      flush();
      log?.close();
      db.close();
    },
  };
}

/** The write-ahead log's way to the disk: one fdatasync at a time, shared by everybody who waits. */
interface SyncedLog {
  /** Something was committed since the last sync began. */
  readonly committed: () => void;
  readonly isBehind: () => boolean;
  /** Resolves when everything that is committed now is on disk. @throws StoreFault: then it never will be */
  readonly sync: () => Promise<void>;
  /** Syncs what is committed, at once: whoever waits is answered. */
  readonly close: () => void;
}

function syncedLog(path: string): SyncedLog {
  let descriptor: number | null = null;
  /** Commits so far, and how many of them are known to be on disk. */
  let written = 0;
  let synced = 0;
  let running: Promise<void> | null = null;
  /** After a failed fsync nobody knows what is on disk (the kernel has dropped the pages): nothing is promised any more. */
  let broken: StoreFault | null = null;

  const syncOnce = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const target = written;
      descriptor ??= openSync(path, 'r+');
      fdatasync(descriptor, (fault) => {
        if (fault) {
          broken ??= syncFault(fault);
          reject(broken);
        } else {
          synced = Math.max(synced, target);
          resolve();
        }
      });
    });

  return {
    committed() {
      written++;
    },
    isBehind: () => synced < written,
    async sync() {
      const target = written;
      while (synced < target) {
        if (broken) throw broken;
        running ??= syncOnce().finally(() => {
          running = null;
        });
        await running;
      }
    },
    close() {
      if (descriptor === null) return;
      const last = descriptor;
      descriptor = null;
      try {
        if (synced < written) fdatasyncSync(last);
        synced = written;
      } catch (fault) {
        broken ??= syncFault(fault as NodeJS.ErrnoException);
      }
      // A sync that is still running needs its descriptor.
      const close = (): void => closeSync(last);
      if (running) running.then(close, close);
      else close();
    },
  };
}

function syncFault(cause: NodeJS.ErrnoException): StoreFault {
  return new StoreFault(
    cause.code === 'ENOSPC' ? 'disk-full' : 'database-failed',
    `syncing to disk failed: ${cause.message}; restart the authority`,
    cause,
  );
}

/**
 * All jobs in one transaction; if any of them or the commit fails, each again in a transaction of its own. Not so when
 * another process holds the database: each would wait for it again, and nothing else would run meanwhile.
 */
function commitGroup(db: DatabaseSync, path: string, group: readonly QueuedJob[], log: SyncedLog | null): void {
  const results = attempt(db, path, group);
  if (results.kind === 'failed') {
    if (group.length === 1 || (results.fault instanceof StoreFault && results.fault.code === 'database-locked')) {
      for (const { reject } of group) reject(results.fault);
    } else {
      for (const job of group) commitGroup(db, path, [job], log);
    }
    return;
  }
  const answer = (): void => {
    for (const [index, { resolve }] of group.entries()) resolve(results.values[index] as never);
  };
  if (log === null) {
    answer();
    return;
  }
  log.committed();
  log.sync().then(answer, (fault: unknown) => {
    for (const { reject } of group) reject(fault);
  });
}

function attempt(
  db: DatabaseSync,
  path: string,
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
    return { kind: 'failed', fault: storeFault(cause, path) };
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

function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version);
}

function migrate(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    // Asked again inside the transaction: another process may have migrated while this one waited.
    for (const sql of MIGRATIONS.slice(schemaVersion(db))) db.exec(sql);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
  } catch (fault) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw fault;
  }
}

function guarded<T>(path: string, job: () => T): T {
  try {
    return job();
  } catch (cause) {
    throw storeFault(cause, path);
  }
}

/** SQLite's primary result codes (sqlite.org/rescode.html) → our words; anything else is passed on as it is. */
function storeFault(cause: unknown, path: string): unknown {
  if (!(cause instanceof Error) || !('errcode' in cause)) return cause;
  switch (Number(cause.errcode) & 0xff) {
    case 13: // SQLITE_FULL
      return diskFull(cause);
    case 10: // SQLITE_IOERR: also what a full disk gives where SQLite makes its shared-memory file
      return noRoomLeft(path)
        ? diskFull(cause)
        : new StoreFault('database-failed', `the database failed: ${cause.message}`, cause);
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

function diskFull(cause: unknown): StoreFault {
  return new StoreFault('disk-full', 'the disk that holds the state directory is full', cause);
}

function noRoomLeft(path: string): boolean {
  return path !== ':memory:' && statfsSync(dirname(path)).bavail === 0;
}
