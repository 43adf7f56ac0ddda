/**
 * Installed pairs: versions side by side and one link.
 *
 *   DIRECTORY/versions/7/{tls.crt,tls.key,ca.crt,version.json}
 *   DIRECTORY/current -> versions/7
 *
 * A version is written completely and synced before anything names it. The swap is one rename of a link, so key and
 * certificate change together for whoever reads through it, and a crash leaves the old or the new one.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import {
  existsSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DerError } from '../../core/asn1/der-reader.ts';
import { bytesEqual } from '../../core/bytes/compare.ts';
import { pemBlocksLabelled, pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { ProvenPair } from '../../core/renewal/stage-pair.ts';
import type { InstalledPart, InstallLayout } from '../../core/services/service-kind.ts';
import type { Instant } from '../../core/time/instant.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import type { Flawed, InstalledVersion, InstallPorts, TakeUp } from '../../flow/agent/agent-ports.ts';
import { makeDirectories, syncDirectory, writeFileAtomically } from './atomic-file.ts';
import { takeLock } from './exclusive-lock.ts';
import { installDrift, repairVersions } from './install-drift.ts';
import {
  currentNumber,
  directoryOf,
  linkedTo,
  makeDirectory,
  versionNumbers,
  versionsDirectory,
} from './version-directories.ts';
import { naming } from './write-fault.ts';

/** Beside the files of the member: what the agent needs to read back, whatever names the files have. */
const FACTS_FILE = 'version.json';
const LOCK_FILE = '.lock';

interface VersionFacts {
  readonly chain: string;
  readonly trust: string;
  readonly confirmedAt: number | null;
  readonly takeUp: TakeUp;
}

export const versionedInstall: InstallPorts = {
  lock(layout) {
    return naming(layout.directory, () => {
      makeDirectory(layout.directory);
      return takeLock(join(layout.directory, LOCK_FILE));
    });
  },

  readCurrent(layout) {
    const number = currentNumber(layout);
    return number === null ? null : readVersion(layout, number);
  },

  readVersion,

  versions: (layout) => versionNumbers(layout).sort((a, b) => b - a),

  readPair(layout, number) {
    const version = readVersion(layout, number);
    const keyFile = layout.files.find(({ content }) => content.includes('key'));
    if ('flaw' in version || !keyFile)
      throw new OperatorFault('input-unreadable', `version ${number}: ${'flaw' in version ? version.flaw : 'no key'}`, {
        path: layout.directory,
      });
    const text = readFileSync(join(directoryOf(layout, number), keyFile.name), 'utf8');
    const { chain, publicKey, trust } = version;
    const keyPem = createPrivateKey(text).export({ type: 'pkcs8', format: 'pem' }) as string;
    return { chain, keyPem, publicKey, anchors: trust };
  },

  stage(layout, pair, takeUp) {
    const versions = versionsDirectory(layout);
    const number = Math.max(0, ...versionNumbers(layout)) + 1;
    const staging = join(versions, `.staging-${number}`);
    return naming(staging, () => {
      for (const directory of [layout.directory, versions]) makeDirectory(directory);
      // What a crash left of an earlier try has no name yet and is worth nothing.
      rmSync(staging, { recursive: true, force: true });
      try {
        makeDirectory(staging);
        for (const file of layout.files) {
          const path = join(staging, file.name);
          writeFileAtomically(path, file.content.map((part) => partOf(pair, part)).join(''), file.mode, layout.owner);
        }
        const facts = { chain: partOf(pair, 'chain'), trust: partOf(pair, 'ca'), confirmedAt: null, takeUp };
        writeFacts(staging, facts);
        syncDirectory(staging);
      } catch (cause) {
        rmSync(staging, { recursive: true, force: true });
        throw cause;
      }
      renameSync(staging, join(versions, String(number)));
      syncDirectory(versions);
      return number;
    });
  },

  hasPutAside: (layout) => fixedPlaces(layout).some((path) => lstatSync(asideOf(path), { throwIfNoEntry: false })),

  activate(layout, version) {
    const link = join(layout.directory, 'current');
    naming(link, () => {
      if (version === null) {
        takeAway(layout);
        return;
      }
      const beside = join(layout.directory, '.current.new');
      rmSync(beside, { force: true });
      symlinkSync(join('versions', String(version)), beside);
      renameSync(beside, link);
      syncDirectory(layout.directory);
    });
    if (version === null) return;
    linkOut(layout);
    copyOut(layout);
  },

  drift: installDrift,

  repair(layout) {
    repairVersions(layout);
    linkOut(layout);
    copyOut(layout);
  },

  mark(layout, version, served) {
    const directory = directoryOf(layout, version);
    naming(directory, () => {
      const facts = readFacts(directory);
      const now = typeof served === 'string' ? { confirmedAt: null, takeUp: served } : { confirmedAt: served };
      writeFacts(directory, { ...facts, ...now });
    });
  },

  prune(layout, kept) {
    for (const number of versionNumbers(layout)) {
      if (!kept.includes(number)) rmSync(directoryOf(layout, number), { recursive: true, force: true });
    }
  },

  remove(layout) {
    return naming(layout.directory, () => {
      const found = existsSync(versionsDirectory(layout));
      takeAway(layout);
      rmSync(versionsDirectory(layout), { recursive: true, force: true });
      rmSync(join(layout.directory, LOCK_FILE), { force: true });
      if (existsSync(layout.directory) && readdirSync(layout.directory).length === 0)
        rmSync(layout.directory, { recursive: true });
      return found;
    });
  },
};

/** Fixed places follow one by one; the list is in the order that its service can bear. */
function copyOut(layout: InstallLayout): void {
  for (const { file, to, mode } of layout.copies) {
    naming(to, () => {
      makeDirectories(dirname(to));
      putAside(to, () => isOurs(layout, file, to));
      writeFileAtomically(to, readFileSync(join(layout.directory, 'current', file)), mode, layout.owner);
    });
  }
}

function linkOut({ directory, links }: InstallLayout): void {
  for (const name of links) {
    const [link, target] = [join(directory, name), join('current', name)];
    if (linkedTo(link) === target) continue;
    naming(link, () => {
      putAside(link, () => false);
      const beside = join(directory, `.${name}.new`);
      rmSync(beside, { force: true });
      symlinkSync(target, beside);
      renameSync(beside, link);
      syncDirectory(directory);
    });
  }
}

/** What a person had in a fixed place, as it was, owner and mode included. */
function asideOf(path: string): string {
  return `${path}.before-fullchain`;
}

/** Another name for the same file: whatever happens in between, one of the two is there. */
function putAside(path: string, isOwn: () => boolean): void {
  const aside = asideOf(path);
  if (!lstatSync(path, { throwIfNoEntry: false }) || lstatSync(aside, { throwIfNoEntry: false }) || isOwn()) return;
  linkSync(path, aside);
  syncDirectory(dirname(path));
}

/** A copy of a version, this one or one before. */
function isOurs(layout: InstallLayout, file: string, path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  const found = readFileSync(path);
  return versionNumbers(layout).some((number) => {
    const own = join(directoryOf(layout, number), file);
    return existsSync(own) && found.equals(readFileSync(own));
  });
}

function putBack(path: string, isOwn: (path: string) => boolean): void {
  if (lstatSync(asideOf(path), { throwIfNoEntry: false })) renameSync(asideOf(path), path);
  else if (lstatSync(path, { throwIfNoEntry: false }) && isOwn(path)) rmSync(path);
  else return;
  syncDirectory(dirname(path));
}

function fixedPlaces({ directory, copies, links }: InstallLayout): string[] {
  return [...copies.map(({ to }) => to), ...links.map((name) => join(directory, name))];
}

/** Ours is gone, and what a person had there is back. */
function takeAway(layout: InstallLayout): void {
  for (const { file, to } of layout.copies) putBack(to, () => isOurs(layout, file, to));
  for (const name of layout.links)
    putBack(join(layout.directory, name), (link) => linkedTo(link) === join('current', name));
  rmSync(join(layout.directory, 'current'), { force: true });
  if (existsSync(layout.directory)) syncDirectory(layout.directory);
}

function partOf(pair: ProvenPair, part: InstalledPart): string {
  if (part === 'key') return pair.keyPem;
  return (part === 'chain' ? pair.chain : pair.trust).map(({ raw }) => pemFromDer('CERTIFICATE', raw)).join('');
}

function readVersion(layout: InstallLayout, number: number): InstalledVersion | Flawed {
  const directory = directoryOf(layout, number);
  try {
    const facts = readFacts(directory);
    const keyFile = layout.files.find(({ content }) => content.includes('key'));
    const certificateFile = layout.files.find(({ content }) => content.includes('chain'));
    if (!keyFile || !certificateFile) return { flaw: 'the layout names no key or no certificate' };
    // The files that the service reads are what counts; version.json only says what the agent knows about them.
    const chain = certificatesOf(readFileSync(join(directory, certificateFile.name), 'utf8')).slice(
      0,
      certificatesOf(facts.chain).length,
    );
    const key = createPublicKey(createPrivateKey(readFileSync(join(directory, keyFile.name), 'utf8')));
    const publicKey = key.export({ type: 'spki', format: 'der' });
    if (chain[0] === undefined || !bytesEqual(chain[0].publicKey.raw, publicKey))
      return { flaw: 'key and certificate do not belong together' };
    const other = layout.files.find(({ name }) => !lstatSync(join(directory, name)).isFile());
    if (other) return { flaw: `${other.name} is not a file` };
    return {
      number,
      chain,
      trust: certificatesOf(facts.trust),
      publicKey,
      confirmedAt: facts.confirmedAt as Instant | null,
      takeUp: facts.takeUp,
    };
  } catch (cause) {
    if (cause instanceof DerError || cause instanceof SyntaxError || (cause instanceof Error && 'code' in cause))
      return { flaw: cause.message };
    throw cause;
  }
}

function certificatesOf(pem: string): Certificate[] {
  return pemBlocksLabelled(pem, 'CERTIFICATE').map(({ der }) => parseCertificate(der));
}

/** @throws SyntaxError when it is not what was written: it lies where others may write */
function readFacts(directory: string): VersionFacts {
  const facts: Partial<Record<keyof VersionFacts, unknown>> | null = JSON.parse(
    readFileSync(join(directory, FACTS_FILE), 'utf8'),
  );
  const { chain, trust, confirmedAt, takeUp } = facts ?? {};
  if (typeof chain !== 'string' || typeof trust !== 'string')
    throw new SyntaxError(`${FACTS_FILE} is not as it was written`);
  return {
    chain,
    trust,
    confirmedAt: Number.isSafeInteger(confirmedAt) ? (confirmedAt as number) : null,
    takeUp: takeUp === 'reload' ? 'reload' : 'restart',
  };
}

function writeFacts(directory: string, facts: VersionFacts): void {
  writeFileAtomically(join(directory, FACTS_FILE), `${JSON.stringify(facts)}\n`, 0o644);
}
