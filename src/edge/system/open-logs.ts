/**
 * Where a process of this host writes what goes wrong, by /proc, whatever its configuration says: its standard error and
 * output, and files named for errors. Others that it appends to, access logs and journals of data, hold what clients say.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

const MOST_DESCRIPTORS = 10_000;
const MOST_FILES = 8;
/** As proc(5) prints them, in octal. */
const [WRITE_ONLY, READ_WRITE] = [0o1, 0o2];

/** Empty where that is not to be seen. */
export function openLogs(pid: number): string[] {
  const descriptors = orNothing(() => readdirSync(`/proc/${pid}/fd`).slice(0, MOST_DESCRIPTORS)) ?? [];
  const paths = descriptors.map((name) => orNothing(() => logBehind(`/proc/${pid}`, name)));
  return [...new Set(paths.filter((path) => path !== null))].slice(0, MOST_FILES);
}

function logBehind(directory: string, name: string): string | null {
  const path = readlinkSync(`${directory}/fd/${name}`);
  if (!path.startsWith('/') || path.startsWith('/dev/') || path.endsWith(' (deleted)')) return null;
  if (name !== '1' && name !== '2' && !/err/i.test(basename(path))) return null;
  const [, flags = '0'] = /^flags:\s*(\d+)$/m.exec(readFileSync(`${directory}/fdinfo/${name}`, 'utf8')) ?? [];
  const isWritten = (Number.parseInt(flags, 8) & (WRITE_ONLY | READ_WRITE)) !== 0;
  return isWritten && statSync(path, { throwIfNoEntry: false })?.isFile() ? path : null;
}

/** null: not to be seen. */
export function workingDirectory(pid: number): string | null {
  return orNothing(() => readlinkSync(`/proc/${pid}/cwd`));
}

const MOST_CONFIGURATION = 64;

/** A file, or those of a directory of drop-ins, as far as they are to be seen. */
export function configurationFiles(path: string): string[] {
  const isDirectory = orNothing(() => statSync(path).isDirectory());
  if (!isDirectory) return [path];
  const names = orNothing(() => readdirSync(path).filter((name) => /\.(?:conf|cnf)$/.test(name))) ?? [];
  return names.slice(0, MOST_CONFIGURATION).map((name) => join(path, name));
}

/** A process may be another user's, or end while it is looked at. */
function orNothing<T>(look: () => T): T | null {
  try {
    return look();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) return null;
    throw cause;
  }
}
