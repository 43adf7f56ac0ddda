/**
 * Files that are either the old or the new version, whatever happens in between: written beside, synced, renamed
 * over, and the directory synced, because a rename that is not synced can be undone by a power cut.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Replaces a file or creates it. `mode` holds from the first byte on, whatever the umask.
 *
 * @param owner whose it is to be; only root can give files away, and only root needs to. Given before the file has its name, so
 *   that whoever may write to the directory cannot put another file in its place
 */
export function writeFileAtomically(path: string, content: string | Uint8Array, mode: number, owner?: FileOwner): void {
  const temporary = writeBeside(path, content, mode, owner);
  try {
    renameSync(temporary, path);
  } catch (cause) {
    unlinkSync(temporary);
    throw cause;
  }
  syncDirectory(dirname(path));
}

/** Creates a file that must not exist yet. @throws EEXIST, and leaves what is there alone */
export function createFileAtomically(path: string, content: string | Uint8Array, mode: number): void {
  const temporary = writeBeside(path, content, mode);
  try {
    // A link, unlike a rename, fails when the name is taken.
    linkSync(temporary, path);
  } finally {
    unlinkSync(temporary);
  }
  syncDirectory(dirname(path));
}

function writeBeside(path: string, content: string | Uint8Array, mode: number, owner?: FileOwner): string {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let offset = 0; offset < bytes.byteLength; ) offset += writeSync(descriptor, bytes, offset);
    if (owner && process.getuid?.() === 0) fchownSync(descriptor, owner.uid, owner.gid);
    // Last: a change of owner takes special bits away.
    fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } catch (cause) {
    closeSync(descriptor);
    unlinkSync(temporary);
    throw cause;
  }
  closeSync(descriptor);
  return temporary;
}

/** Whether a name is that of a file that was being written when its writer died. */
export function isTemporary(name: string): boolean {
  return /^\..+\.[0-9a-f]{12}\.tmp$/.test(name);
}

/** Makes names in a directory durable. */
export function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** With those above it that are missing; their names last as what is written into them does. */
export function makeDirectories(path: string, mode = 0o777): void {
  const first = mkdirSync(path, { recursive: true, mode });
  if (first === undefined) return;
  for (let made = resolve(path); made.length >= first.length; made = dirname(made)) syncDirectory(dirname(made));
}
