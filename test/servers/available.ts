/** Whether a program that a test needs is on this machine, and what to say if not. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** For node:test's `skip`: the reason, or false if all the commands are there. */
export function skipWithout(...commands: readonly string[]): string | false {
  const missing = commands.find((command) => pathOf(command) === null);
  return missing === undefined
    ? false
    : `skipped: ${missing} is not installed (run as root with apt-get, or install ${missing})`;
}

/** Debian keeps some servers where only root's PATH has them. */
const ALSO = ['/usr/sbin', '/sbin'];

export function pathOf(command: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...ALSO];
  return folders.map((folder) => join(folder, command)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Absent or not for us: either way it cannot be run.
    return false;
  }
}
