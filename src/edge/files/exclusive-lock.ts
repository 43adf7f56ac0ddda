/**
 * A lock that ends with its holder, however it ends: an exclusive SQLite transaction on a file of its own, which
 * is a lock of the operating system (Node has no flock). It waits for nobody.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { OperatorFault } from '../../core/faults/operator-faults.ts';

/**
 * Takes the lock, or returns null when another process holds it.
 *
 * @throws OperatorFault disk-full; EACCES, EROFS when this user may not write the file: SQLite would then read, and lock nobody out
 */
export function takeLock(path: string): { readonly release: () => void } | null {
  if (existsSync(path)) accessSync(path, constants.W_OK);
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    const code = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0;
    // SQLITE_BUSY: somebody else is in there.
    if (code === 5) return null;
    // SQLITE_FULL
    if (code === 13) throw new OperatorFault('disk-full', `no room to lock ${path}`, { path }, cause);
    throw cause;
  }
  return { release: () => db.close() };
}
