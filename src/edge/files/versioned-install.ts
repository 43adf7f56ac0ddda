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
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { DerError } from '../../core/asn1/der-reader.ts';
import { pemBlocksLabelled, pemFromDer } from '../../core/bytes/pem.ts';
import type { ProvenPair } from '../../core/renewal/stage-pair.ts';
import type { InstalledPart, InstallLayout } from '../../core/services/service-kind.ts';
import type { Instant } from '../../core/time/instant.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import type { InstalledVersion, InstallPorts } from '../../flow/agent/agent-ports.ts';
import { syncDirectory, writeFileAtomically } from './atomic-file.ts';

/** How many versions are kept, the current one included. */
const KEPT_VERSIONS = 5;

/** Beside the files of the service: what the agent needs to read back, whatever names the service has. */
const FACTS_FILE = 'version.json';

interface VersionFacts {
  readonly chain: string;
  readonly trust: string;
  readonly confirmedAt: number | null;
}

export const versionedInstall: InstallPorts = {
  readCurrent(layout) {
    const number = currentNumber(layout.directory);
    return number === null ? null : readVersion(layout, number);
  },

  stage(layout, pair) {
    const versions = join(layout.directory, 'versions');
    for (const directory of [layout.directory, versions]) makeDirectory(directory, layout);
    const number = Math.max(0, ...versionNumbers(versions)) + 1;
    const target = join(versions, String(number));
    const staging = join(versions, `.staging-${number}`);
    // What a crash left of an earlier try has no name yet and is worth nothing.
    rmSync(staging, { recursive: true, force: true });
    makeDirectory(staging, layout);
    for (const file of layout.files) {
      const path = join(staging, file.name);
      writeFileAtomically(path, file.content.map((part) => partOf(pair, part)).join(''), file.mode);
      chownSync(path, layout.owner.uid, layout.owner.gid);
    }
    writeFacts(staging, { chain: partOf(pair, 'chain'), trust: partOf(pair, 'ca'), confirmedAt: null });
    syncDirectory(staging);
    renameSync(staging, target);
    syncDirectory(versions);
    return number;
  },

  activate(layout, version) {
    const link = join(layout.directory, 'current');
    const beside = join(layout.directory, '.current.new');
    rmSync(beside, { force: true });
    symlinkSync(join('versions', String(version)), beside);
    renameSync(beside, link);
    syncDirectory(layout.directory);
    // Fixed places follow one by one; the list is in the order that its service can bear.
    for (const { file, to, mode } of layout.copies) {
      writeFileAtomically(to, readFileSync(join(link, file)), mode);
      chownSync(to, layout.owner.uid, layout.owner.gid);
    }
  },

  confirm(layout, version, at) {
    const directory = join(layout.directory, 'versions', String(version));
    writeFacts(directory, { ...readFacts(directory), confirmedAt: at });
    const versions = join(layout.directory, 'versions');
    const old = versionNumbers(versions)
      .filter((number) => number !== version)
      .sort((a, b) => b - a);
    for (const number of old.slice(KEPT_VERSIONS - 1))
      rmSync(join(versions, String(number)), { recursive: true, force: true });
  },

  remove(layout) {
    for (const { to } of layout.copies) rmSync(to, { force: true });
    rmSync(join(layout.directory, 'current'), { force: true });
    rmSync(join(layout.directory, 'versions'), { recursive: true, force: true });
    if (existsSync(layout.directory) && readdirSync(layout.directory).length === 0)
      rmSync(layout.directory, { recursive: true });
  },
};

function makeDirectory(path: string, { owner }: InstallLayout): void {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  chownSync(path, owner.uid, owner.gid);
}

function partOf(pair: ProvenPair, part: InstalledPart): string {
  if (part === 'key') return pair.keyPem;
  return (part === 'chain' ? pair.chain : pair.trust).map(({ raw }) => pemFromDer('CERTIFICATE', raw)).join('');
}

function currentNumber(directory: string): number | null {
  try {
    const match = /^versions\/([1-9]\d*)$/.exec(readlinkSync(join(directory, 'current')));
    return match ? Number(match[1]) : null;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'EINVAL')) return null;
    throw cause;
  }
}

function versionNumbers(versions: string): number[] {
  return readdirSync(versions)
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number);
}

function readVersion(layout: InstallLayout, number: number): InstalledVersion | { readonly flaw: string } {
  const directory = join(layout.directory, 'versions', String(number));
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
    if (chain[0] === undefined || !Buffer.from(chain[0].publicKey.raw).equals(publicKey))
      return { flaw: 'key and certificate do not belong together' };
    return {
      number,
      chain,
      trust: certificatesOf(facts.trust),
      publicKey,
      confirmedAt: facts.confirmedAt as Instant | null,
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

function readFacts(directory: string): VersionFacts {
  return JSON.parse(readFileSync(join(directory, FACTS_FILE), 'utf8')) as VersionFacts;
}

function writeFacts(directory: string, facts: VersionFacts): void {
  writeFileAtomically(join(directory, FACTS_FILE), `${JSON.stringify(facts)}\n`, 0o644);
}
