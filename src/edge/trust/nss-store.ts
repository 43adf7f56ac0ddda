/**
 * NSS databases: the trust of Chromium and Firefox, which do not look at the system's store. Changed by certutil
 * alone, and looked at afterwards. The databases of Firefox's profiles exist or not; the one of Chromium is made when
 * it is missing, as Chromium itself would, and taken away again if it is left as empty as it was made.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Hex } from '../../core/bytes/hex.ts';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { PinnedRoot } from '../../core/x509/pinned-root.ts';
import { findTool, requireTool, runTool, type Tool } from './run-tool.ts';
import { fingerprintsIn, type RootSelector, type StoreChange, storeFault } from './store-change.ts';

const CERTUTIL: Tool = { name: 'certutil', package: 'libnss3-tools' };

/** Below the home directory: databases themselves, and directories whose subdirectories are profiles with one. */
const CHROMIUM = '.pki/nssdb';
const OTHER_DATABASES = ['snap/chromium/current/.pki/nssdb'];
const PROFILE_DIRECTORIES = [
  '.mozilla/firefox',
  '.config/mozilla/firefox',
  'snap/firefox/common/.mozilla/firefox',
  '.var/app/org.mozilla.firefox/.mozilla/firefox',
];

/** Directories of databases that exist for this user. */
export function nssDatabases(home: string): string[] {
  const profiles = PROFILE_DIRECTORIES.map((directory) => join(home, directory))
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory).map((profile) => join(directory, profile)));
  return [...[CHROMIUM, ...OTHER_DATABASES].map((path) => join(home, path)), ...profiles].filter(isDatabase);
}

export function chromiumDatabase(home: string): string {
  return join(home, CHROMIUM);
}

function isDatabase(directory: string): boolean {
  return existsSync(join(directory, 'cert9.db'));
}

/** @throws OperatorFault tool-missing */
export function requireCertutil(searchPath: string): string {
  return requireTool(CERTUTIL, searchPath);
}

export function findCertutil(searchPath: string): string | null {
  return findTool(CERTUTIL, searchPath);
}

/** @throws OperatorFault trust-name-taken, trust-store-failed */
export function installInNss(
  certutil: string,
  directory: string,
  { certificate }: PinnedRoot,
  name: string,
): StoreChange {
  const { fingerprint, raw } = certificate;
  try {
    createDatabase(certutil, directory);
  } catch (cause) {
    throw storeFault(cause, directory);
  }
  const entries = entriesOf(certutil, directory);
  const existing = entries.find((entry) => entry.fingerprint === fingerprint);
  if (existing && isTrustedForServers(existing))
    return { store: 'nss', changed: false, path: directory, what: `already in the NSS database ${directory}` };
  if (!existing && entries.some((entry) => entry.name === name))
    throw new OperatorFault('trust-name-taken', `${directory} has another certificate named ${name}`, { name });
  try {
    if (existing) {
      const [, email = '', code = ''] = existing.trust.split(',');
      runTool(certutil, ['-M', '-d', `sql:${directory}`, '-n', existing.name, '-t', `C,${email},${code}`]);
    } else {
      const pem = pemFromDer('CERTIFICATE', raw);
      runTool(certutil, ['-A', '-a', '-d', `sql:${directory}`, '-n', name, '-t', 'C,,'], pem);
    }
    const installed = entriesOf(certutil, directory).find((entry) => entry.fingerprint === fingerprint);
    if (!installed || !isTrustedForServers(installed))
      throw new OperatorFault('trust-store-failed', `certutil left the root out of ${directory}`);
    return {
      store: 'nss',
      changed: true,
      path: directory,
      what: `added to the NSS database ${directory} as ${installed.name}`,
    };
  } catch (fault) {
    // certutil adds first and trusts afterwards, which a database with a password refuses.
    if (!existing) removeEntries(certutil, directory, (entry) => entry.fingerprint === fingerprint);
    throw fault;
  }
}

/** @throws OperatorFault trust-store-failed */
export function uninstallFromNss(certutil: string, directory: string, selector: RootSelector): StoreChange {
  const unchanged = `not in the NSS database ${directory}`;
  if (!isDatabase(directory)) return { store: 'nss', changed: false, path: directory, what: unchanged };
  const isSelected = (entry: NssEntry): boolean =>
    (selector.name === null || entry.name === selector.name) &&
    (selector.fingerprint === null || entry.fingerprint === selector.fingerprint);
  if (!removeEntries(certutil, directory, isSelected))
    return { store: 'nss', changed: false, path: directory, what: unchanged };
  if (isDatabase(directory) && entriesOf(certutil, directory).some(isSelected))
    throw new OperatorFault('trust-store-failed', `certutil left the root in ${directory}`);
  return { store: 'nss', changed: true, path: directory, what: `removed from the NSS database ${directory}` };
}

/** Whether there was something to remove. */
function removeEntries(certutil: string, directory: string, isSelected: (entry: NssEntry) => boolean): boolean {
  const found = entriesOf(certutil, directory).filter(isSelected);
  for (const { name } of found) runTool(certutil, ['-D', '-d', `sql:${directory}`, '-n', name]);
  removeOwnDatabase(certutil, directory);
  return found.length > 0;
}

interface NssEntry {
  readonly name: string;
  /** "C,,": for servers, for mail, for code. */
  readonly trust: string;
  readonly fingerprint: Hex | null;
}

function isTrustedForServers({ trust }: NssEntry): boolean {
  return trust.split(',')[0]?.includes('C') === true;
}

function entriesOf(certutil: string, directory: string): NssEntry[] {
  const listing = runTool(certutil, ['-L', '-d', `sql:${directory}`]);
  return listing.split('\n').flatMap((line) => {
    const [, name, trust] = /^(\S.*?)\s+([a-zA-Z]*,[a-zA-Z]*,[a-zA-Z]*)\s*$/.exec(line) ?? [];
    if (name === undefined || trust === undefined) return [];
    // All certificates with the same subject are printed, that of the name first.
    const pem = runTool(certutil, ['-L', '-d', `sql:${directory}`, '-a', '-n', name]);
    return [{ name, trust, fingerprint: fingerprintsIn(pem)[0] ?? null }];
  });
}

/** In a database that this program made: the topmost directory that it made for it. */
const MARKER = 'made-by-fullchain';
const DATABASE_FILES = ['cert9.db', 'key4.db', 'pkcs11.txt'];

function createDatabase(certutil: string, directory: string): void {
  if (isDatabase(directory)) return;
  const topmost = mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Written first: without it, a database that was cut short would not be recognised as ours.
  const marker = join(directory, MARKER);
  if (!existsSync(marker)) writeFileSync(marker, `${topmost ?? ''}\n`);
  runTool(certutil, ['-N', '-d', `sql:${directory}`, '--empty-password']);
}

/** Only if nothing is in it, and only what createDatabase has made. */
function removeOwnDatabase(certutil: string, directory: string): void {
  const marker = join(directory, MARKER);
  if (!existsSync(marker) || entriesOf(certutil, directory).length > 0) return;
  const topmost = readFileSync(marker, 'utf8').trim();
  for (const file of [...DATABASE_FILES, MARKER]) rmSync(join(directory, file), { force: true });
  if (topmost === '' || !`${directory}/`.startsWith(`${topmost}/`)) return;
  for (let next = directory; next.length >= topmost.length; next = dirname(next)) {
    if (readdirSync(next).length > 0) return;
    rmdirSync(next);
  }
}
