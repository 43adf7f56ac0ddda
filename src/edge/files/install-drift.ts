/**
 * Installed files whose owner or mode is no longer what it was, and copies and links that are no longer what is behind
 * `current`: found, and put right by new files in their place, so that no right that somebody has to the old one goes on.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import type { InstallLayout } from '../../core/services/service-kind.ts';
import type { Drift } from '../../flow/agent/agent-ports.ts';
import { type FileOwner, syncDirectory, writeFileAtomically } from './atomic-file.ts';
import { currentNumber, directoryOf, linkedTo, versionNumbers, versionsDirectory } from './version-directories.ts';
import { isErrno, naming } from './write-fault.ts';

interface Wanted {
  readonly path: string;
  readonly mode: number;
  readonly isKey: boolean;
}

/** Of a directory of ours: everybody may pass, nobody else may write. */
const DIRECTORY_MODE = 0o755;

/** Only root sees to owners: to everybody else they are what they are. */
const isRoot = (): boolean => process.geteuid?.() === 0;

export function installDrift(layout: InstallLayout): Drift[] {
  const number = currentNumber(layout);
  if (number === null) return [];
  const files = versionNumbers(layout).flatMap((version) => filesOf(layout, version));
  return [
    ...directoriesOf(layout).flatMap((path) => directoryDrift(path)),
    ...files.flatMap((wanted) => fileDrift(wanted, layout.owner)),
    ...layout.copies.flatMap(({ file, to, mode }) => {
      const wanted = { path: to, mode, isKey: holdsKey(layout, file) };
      return copyDrift(wanted, layout.owner, join(directoryOf(layout, number), file));
    }),
    ...layout.links
      .filter((name) => linkedTo(join(layout.directory, name)) !== join('current', name))
      .map((name) => drift(join(layout.directory, name), 'is not the link to the installed file')),
  ];
}

/** Versions and their directories; copies and links are made anew by whoever makes them at first. @throws OperatorFault file-unwritable */
export function repairVersions(layout: InstallLayout): void {
  // First: from then on nobody else puts anything there.
  for (const path of directoriesOf(layout)) if (directoryDrift(path).length > 0) repairDirectory(path);
  for (const version of versionNumbers(layout)) {
    for (const wanted of filesOf(layout, version)) {
      if (fileDrift(wanted, layout.owner).length === 0) continue;
      naming(wanted.path, () => writeFileAtomically(wanted.path, readOwnFile(wanted.path), wanted.mode, layout.owner));
    }
  }
}

function directoriesOf(layout: InstallLayout): string[] {
  return [versionsDirectory(layout), ...versionNumbers(layout).map((version) => directoryOf(layout, version))];
}

function filesOf(layout: InstallLayout, version: number): Wanted[] {
  return layout.files.map(({ name, mode }) => ({
    path: join(directoryOf(layout, version), name),
    mode,
    isKey: holdsKey(layout, name),
  }));
}

function holdsKey({ files }: InstallLayout, name: string): boolean {
  return files.some((file) => file.name === name && file.content.includes('key'));
}

function directoryDrift(path: string): Drift[] {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (!status) return [];
  const mode = status.mode & 0o7777;
  if (isRoot() && status.uid !== 0) return [drift(path, `belongs to ${status.uid}, wanted 0`)];
  if (mode & 0o022) return [drift(path, `others may write: mode ${octal(mode)}, wanted ${octal(DIRECTORY_MODE)}`)];
  if ((mode & 0o111) === 0o111) return [];
  return [drift(path, `the service may not pass: mode ${octal(mode)}, wanted ${octal(DIRECTORY_MODE)}`)];
}

/** None for one that is missing, or no file: that version is not whole, and is replaced. */
function fileDrift(wanted: Wanted, owner: FileOwner): Drift[] {
  const status = lstatSync(wanted.path, { throwIfNoEntry: false });
  if (!status?.isFile()) return [];
  const isOwned = !isRoot() || (status.uid === owner.uid && status.gid === owner.gid);
  const mode = status.mode & 0o7777;
  if (isOwned && mode === wanted.mode) return [];
  const isExposed = wanted.isKey && mayBeReadByOthers(status, wanted.mode, owner);
  const why = [
    ...(mode === wanted.mode ? [] : [`mode ${octal(mode)}, wanted ${octal(wanted.mode)}`]),
    ...(isOwned ? [] : [`owner ${status.uid}:${status.gid}, wanted ${owner.uid}:${owner.gid}`]),
  ].join(', ');
  return [{ path: wanted.path, why: isExposed ? `the key is readable by others: ${why}` : why, isExposed }];
}

function copyDrift(wanted: Wanted, owner: FileOwner, from: string): Drift[] {
  const { path } = wanted;
  try {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (!status?.isFile()) return [drift(path, status ? 'is not a file' : 'is missing')];
    const found = fileDrift(wanted, owner);
    if (found.length > 0) return found;
    return readFileSync(path).equals(readFileSync(from)) ? [] : [drift(path, 'is not what is installed')];
  } catch (cause) {
    // Whoever may not look only plans.
    if (isErrno(cause, 'EACCES', 'ENOENT')) return [];
    throw cause;
  }
}

function mayBeReadByOthers({ mode, uid, gid }: Stats, wanted: number, owner: FileOwner): boolean {
  const beyond = mode & ~wanted & 0o044;
  const byUser = uid !== owner.uid && uid !== 0 && mode & 0o400;
  const byGroup = gid !== owner.gid && mode & 0o040;
  return Boolean(beyond || (isRoot() && (byUser || byGroup)));
}

function drift(path: string, why: string): Drift {
  return { path, why, isExposed: false };
}

function repairDirectory(path: string): void {
  naming(path, () => {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      if (isRoot()) fchownSync(descriptor, 0, fstatSync(descriptor).gid);
      fchmodSync(descriptor, DIRECTORY_MODE);
    } finally {
      closeSync(descriptor);
    }
    syncDirectory(path);
  });
}

/** A link would have us give away what it leads to. @throws ELOOP */
function readOwnFile(path: string): Buffer {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
