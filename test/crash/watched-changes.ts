/** Counts every change that this process makes to files and databases, and kills it before the one that is asked for. Loaded before all else that makes changes. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';

const CHANGING = ['mkdirSync', 'openSync', 'linkSync', 'renameSync', 'unlinkSync', 'rmSync', 'chmodSync'] as const;

export interface Watch {
  /** Paths that begin so count. */
  readonly below: string;
  /** To which path a statement on a database counts. */
  readonly database: string;
  readonly countsStatement: (sql: string) => boolean;
  /** From 1. */
  readonly killBefore: number;
}

/** @returns how many there were so far */
export function watchChanges({ below, database, countsStatement, killBefore }: Watch): () => number {
  let changes = 0;
  const change = (path: string): void => {
    if (path.startsWith(below) && ++changes === killBefore) process.kill(process.pid, 'SIGKILL');
  };
  for (const name of CHANGING) {
    const call = fs[name] as (...args: readonly unknown[]) => unknown;
    Object.assign(fs, {
      [name]: (...args: readonly unknown[]): unknown => {
        // Opened for reading, nothing changes.
        if (name !== 'openSync' || String(args[1]).startsWith('w')) change(String(args[0]));
        return call(...args);
      },
    });
  }
  syncBuiltinESMExports();
  const exec = DatabaseSync.prototype.exec;
  DatabaseSync.prototype.exec = function (sql: string): void {
    if (countsStatement(sql)) change(database);
    exec.call(this, sql);
  };
  return () => changes;
}
