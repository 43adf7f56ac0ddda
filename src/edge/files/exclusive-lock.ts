/**
 * A lock that ends with its holder, however it ends: an exclusive SQLite transaction on a file of its own, which
 * is a lock of the operating system (Node has no flock). It waits for nobody. Whoever may read the file may lock it: it
 * is its owner's alone.
 */
import { accessSync, chmodSync, closeSync, constants, lstatSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { isErrno } from './write-fault.ts';

/**
 * Takes the lock, or returns null when another process holds it.
 *
 * @throws OperatorFault disk-full; EACCES, EROFS when this user may not write the file: SQLite would then read, and lock nobody out
 */
export function takeLock(path: string): { readonly release: () => void } | null {
  ownFile(path);
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

const MODE = 0o600;

/**
 * SQLite would make it for everybody to read; so did earlier versions of ours. One that exists is not opened here: to close
 * it again would end a lock that this process has on it (fcntl).
 */
function ownFile(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    try {
      closeSync(openSync(path, 'wx', MODE));
    } catch (cause) {
      // Another taker made it meanwhile.
      if (!isErrno(cause, 'EEXIST')) throw cause;
    }
    return;
  }
  accessSync(path, constants.W_OK);
  const me = process.geteuid?.();
  if (found.isFile() && (found.mode & 0o777) !== MODE && (found.uid === me || me === 0)) chmodSync(path, MODE);
}
