/** Servers that refuse to run as root run as their own user; where the tests are not root, as whoever runs them. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../servers/process.ts';
import { account, IS_ROOT } from './applied.ts';

/** A command line that runs as this user. */
export function as(user: string, argv: readonly string[]): readonly [program: string, args: readonly string[]] {
  const [program = '', ...args] = IS_ROOT
    ? ['setpriv', '--reuid', user, '--regid', String(account([user]).gid), '--clear-groups', ...argv]
    : argv;
  return [program, args];
}

/** A temporary directory that other users may pass through, with a directory of this user's in it. */
export function directoryFor(user: string): Disposable & { readonly path: string; readonly own: string } {
  const directory = temporaryDirectory();
  chmodSync(directory.path, 0o755);
  const own = join(directory.path, 'own');
  mkdirSync(own, { mode: 0o700 });
  const { uid, gid } = account([user]);
  if (IS_ROOT) chownSync(own, uid, gid);
  return { path: directory.path, own, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}
