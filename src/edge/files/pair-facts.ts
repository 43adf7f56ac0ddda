/** Reads a pair of certificate and key for core/diagnosis/judge-pair.ts. Of the key only its public half is kept. */
import { spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DerError } from '../../core/asn1/der-reader.ts';
import { isKeptOut } from '../../core/diagnosis/judge-key-rights.ts';
import type {
  CertificateBlock,
  ContentFlaw,
  FileFacts,
  FileRights,
  FileStatus,
  KeyBlock,
  PairFacts,
  Reader,
} from '../../core/diagnosis/pair-facts.ts';
import { type PemForm, type PemFormBlock, pemForm } from '../../core/diagnosis/pem-form.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { instantFromMs } from '../../core/time/instant.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { parseSubjectPublicKeyInfo } from '../../core/x509/public-key.ts';
import { groupName, readerNamed, userName, usersOf } from './accounts.ts';
import { type PathWalk, walkPath } from './path-walk.ts';

export interface PairPaths {
  readonly certificate: string;
  readonly key: string;
  /** A name or a number; null: nobody said. */
  readonly runAs: string | null;
}

/** Far above any chain; a file that is larger is something else. */
const MOST_BYTES = 1024 * 1024;

/** @throws OperatorFault user-unknown, and input-unreadable where this process may not look and so nothing is known */
export function readPairFacts({ certificate, key, runAs }: PairPaths): PairFacts {
  const reader = runAs === null ? null : readerNamed(runAs);
  const walks = [walkPath(certificate), walkPath(key)] as const;
  const [first, second] = walks.map(({ end }) => (end.kind === 'found' ? end.path : null));
  return {
    certificate: fileFacts(certificate, walks[0], reader, certificateStatus),
    key: fileFacts(key, walks[1], reader, keyStatus),
    isOneFile: first !== null && first === second,
    reader,
  };
}

type StatusOf<Content> = (bytes: Uint8Array, form: Pem) => FileStatus<Content>;
type Pem = Extract<PemForm, { kind: 'pem' }>;

function fileFacts<Content>(
  path: string,
  { end, directories, linkedAtMs }: PathWalk,
  reader: Reader | null,
  statusOf: StatusOf<Content>,
): FileFacts<Content> {
  if (end.kind !== 'found') {
    const facts = { path, status: end, rights: null, directories, modifiedAt: null };
    return end.kind === 'closed' ? orFault(facts, end.at, reader) : facts;
  }
  const { stats } = end;
  const modifiedAt = instantFromMs(Math.max(stats.mtimeMs, linkedAtMs));
  const base = { path, rights: null, directories, modifiedAt };
  if (!stats.isFile()) return { ...base, status: flawed('no-file') };
  if (stats.size > MOST_BYTES) return { ...base, status: flawed('too-large') };
  const { mode, uid, gid } = stats;
  const owner = userName(uid);
  const others = usersOf(gid).filter((user) => user !== owner && user !== reader?.user && user !== 'root');
  const isReadable = reader === null ? null : canRead(resolve(path), reader);
  const rights: FileRights = {
    ...{ mode, uid, gid, owner, group: groupName(gid), others, isReadable },
    holdsKey: false,
  };
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(end.path);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EACCES')) throw cause;
    return orFault({ ...base, rights, status: { kind: 'closed', at: end.path } }, end.path, reader);
  }
  const form = pemForm(bytes);
  if (form.kind === 'flawed') return { ...base, rights, status: flawed(form.flaw, form.line) };
  const holdsKey = form.blocks.some(({ label }) => label.endsWith('PRIVATE KEY'));
  return { ...base, rights: { ...rights, holdsKey }, status: statusOf(bytes, form) };
}

/** What this process may not see is a finding where the reader may not either; else nothing is known. */
function orFault<Content>(facts: FileFacts<Content>, at: string, reader: Reader | null): FileFacts<Content> {
  if (reader !== null && isKeptOut(facts, reader)) return facts;
  const path = facts.path;
  throw new OperatorFault(
    'input-unreadable',
    `${path} cannot be read by this user (at ${at}); run this as root, or as the service's user`,
    { path },
  );
}

/** Only root can try; null: not tried. */
function canRead(path: string, { uid, gids }: Reader): boolean | null {
  if (uid === 0 || process.getuid?.() !== 0) return null;
  const [gid = 0] = gids;
  const as = ['--reuid', String(uid), '--regid', String(gid), '--groups', gids.join(','), '--'];
  const { status } = spawnSync('setpriv', [...as, 'test', '-r', path], { stdio: 'ignore', timeout: 5000 });
  return status === 0 ? true : status === 1 ? false : null;
}

function flawed(flaw: ContentFlaw, line = 1): { kind: 'flawed'; flaw: ContentFlaw; line: number } {
  return { kind: 'flawed', flaw, line };
}

/** The last is OpenSSL's own: the certificate, and behind it what it is trusted for. */
const CERTIFICATE = ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'];

function certificateStatus(_bytes: Uint8Array, { blocks: all, hasMark }: Pem): FileStatus<readonly CertificateBlock[]> {
  const blocks = all.filter(({ label }) => CERTIFICATE.includes(label));
  if (blocks.length === 0) return flawed(insteadOf(all), all[0]?.line);
  const content: CertificateBlock[] = [];
  for (const { der, line, label } of blocks) {
    try {
      if (der === null) return flawed('damaged', line);
      content.push({ certificate: parseCertificate(label === 'TRUSTED CERTIFICATE' ? firstElement(der) : der), line });
    } catch (cause) {
      if (!(cause instanceof DerError)) throw cause;
      return flawed('damaged', line);
    }
  }
  return { kind: 'usable', content, hasMark };
}

/** A certificate has between 128 and 65535 octets: its length stands in one or two. */
function firstElement(der: Uint8Array): Uint8Array {
  const [, form, high = 0, low = 0] = der;
  return der.subarray(0, form === 0x81 ? 3 + high : 4 + high * 256 + low);
}

function keyStatus(bytes: Uint8Array, { blocks: all, hasMark }: Pem): FileStatus<KeyBlock> {
  const block = all.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) return flawed(insteadOf(all), all[0]?.line);
  const { line, label, isEncrypted } = block;
  if (isEncrypted || label === 'ENCRYPTED PRIVATE KEY') return flawed('encrypted', line);
  if (block.der === null) return flawed('damaged', line);
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  const pem = text
    .split('\n')
    .slice(line - 1)
    .join('\n');
  try {
    const publicKey = createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'der' });
    return { kind: 'usable', content: { publicKey: parseSubjectPublicKeyInfo(publicKey), line }, hasMark };
  } catch (cause) {
    // OpenSSL's errors say nothing of the key but that it is none.
    if (cause instanceof Error) return flawed('damaged', line);
    throw cause;
  }
}

function insteadOf([first]: readonly PemFormBlock[]): ContentFlaw {
  const label = first?.label ?? '';
  if (label.endsWith('PRIVATE KEY')) return 'private-key';
  if (label.endsWith('CERTIFICATE')) return 'certificate';
  if (label.endsWith('CERTIFICATE REQUEST')) return 'request';
  return label.endsWith('PUBLIC KEY') ? 'public-key' : 'other-object';
}
