/** Where the versions of a pair lie, and which of them is in use. */
import { chmodSync, existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { InstallLayout } from '../../core/services/service-kind.ts';
import { makeDirectories } from './atomic-file.ts';
import { isErrno } from './write-fault.ts';

export function versionsDirectory({ directory }: Pick<InstallLayout, 'directory'>): string {
  return join(directory, 'versions');
}

export function directoryOf(layout: Pick<InstallLayout, 'directory'>, version: number): string {
  return join(versionsDirectory(layout), String(version));
}

/** In no order. */
export function versionNumbers(layout: Pick<InstallLayout, 'directory'>): number[] {
  try {
    return readdirSync(versionsDirectory(layout))
      .filter((name) => /^[1-9]\d{0,8}$/.test(name))
      .map(Number);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return [];
    throw cause;
  }
}

/** null: `current` names no version. */
export function currentNumber({ directory }: Pick<InstallLayout, 'directory'>): number | null {
  try {
    const match = /^versions\/([1-9]\d*)$/.exec(readlinkSync(join(directory, 'current')));
    return match ? Number(match[1]) : null;
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'EINVAL', 'ENOTDIR')) return null;
    throw cause;
  }
}

/** It stays ours: whoever owns a directory can put another file where we are about to write. */
export function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectories(path, 0o755);
  // Whatever the umask: the service has to pass.
  chmodSync(path, 0o755);
}

/** null: it is no link. */
export function linkedTo(path: string): string | null {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : null;
}
