/** Whether a private key is read by the one who must, and by nobody else. */
import { causeFinding, shellQuoted as quoted } from './causes.ts';
import type { Finding } from './finding.ts';
import type { DirectoryRights, FileFacts, FileRights, ListeningProcess, Reader } from './pair-facts.ts';

export interface RightsContext {
  readonly reader: Reader | null;
  /** Who listens where the pair should be served; null: not known. */
  readonly listener: ListeningProcess | null;
  /** PostgreSQL and libpq refuse what others take: a key of another than root that its group may read. */
  readonly isForPostgres: boolean;
}

/** At most one: who is kept out comes first, for it stops the service. */
export function rightsFindings(file: FileFacts<unknown>, context: RightsContext): Finding[] {
  const kept = context.reader === null ? null : keptOut(file, context.reader);
  if (kept !== null) return [context.listener?.uid === 0 ? readByRoot(kept, context.listener) : kept];
  const { rights } = file;
  if (rights === null || !rights.holdsKey) return [];
  const exposed = exposure(file.path, rights, context);
  return exposed === null ? [] : [exposed];
}

/** The user was named by somebody, and counts; but the service that runs there does not need them. */
function readByRoot(kept: Finding, { pid, program }: ListeningProcess): Finding {
  return {
    ...kept,
    severity: 'warning',
    why: `What listens there now, ${program} (process ${pid}), runs as root and reads its files as root: it is not kept out; a program that reads them as ${kept.evidence.user} is.`,
  };
}

/** Whether the modes keep this user from reading it. */
export function isKeptOut(file: FileFacts<unknown>, reader: Reader): boolean {
  return keptOut(file, reader) !== null;
}

/** null: the reader gets through, or nobody can tell. */
function keptOut({ path, rights, directories }: FileFacts<unknown>, reader: Reader): Finding | null {
  // What really happened counts more than the mode: there are access control lists.
  if (rights?.isReadable === true) return null;
  const { user } = reader;
  const wall = directories.find((directory) => !may(directory, reader, 1));
  if (wall !== undefined)
    return causeFinding('key-permissions', {
      subject: path,
      where: { file: path, line: 1 },
      what: `${user} cannot pass through ${wall.path} (mode ${octal(wall.mode)}), so it cannot read ${path}.`,
      why: 'The service does not start, or goes on with the old pair.',
      remedy: { text: passText(user), command: `chmod ${passMode(wall, reader)} ${quoted(wall.path)}` },
      evidence: { directory: wall.path, mode: octal(wall.mode), uid: wall.uid, gid: wall.gid, user },
    });
  if (rights === null || (may(rights, reader, 4) && rights.isReadable !== false)) return null;
  const { owner, group, mode } = rights;
  const command =
    rights.uid === 0 && rights.mode & 0o040
      ? `chown root:$(id -gn ${quoted(user)}) ${quoted(path)}`
      : rights.holdsKey
        ? undefined
        : `chmod a+r ${quoted(path)}`;
  return causeFinding('key-permissions', {
    subject: path,
    where: { file: path, line: 1 },
    what: `${user} cannot read ${path}: it belongs to ${owner}:${group} and has mode ${octal(mode)}.`,
    why: 'The service does not start, or goes on with the old pair.',
    evidence: { owner, group, mode: octal(mode), user },
    words: { user, file: path },
    ...(command !== undefined && { remedy: { command } }),
  });
}

function passText(user: string): string {
  return `Let ${user} pass through that directory (search only, no listing), or put the pair where ${user} gets to.`;
}

function passMode({ uid, gid }: DirectoryRights, reader: Reader): string {
  return uid === reader.uid ? 'u+x' : reader.gids.includes(gid) ? 'g+x' : 'o+x';
}

/** What others may do with it; null: nothing, or what is usual. */
function exposure(path: string, rights: FileRights, { reader, isForPostgres }: RightsContext): Finding | null {
  const { mode, uid, owner, group, others } = rights;
  const seen = (what: string, severity?: 'warning', why?: string): Finding =>
    causeFinding('key-permissions', {
      subject: path,
      where: { file: path, line: 1 },
      what,
      why: why ?? 'Whoever has the key is the server: nobody can tell the two apart until the certificate expires.',
      ...(severity && { severity }),
      evidence: { owner, group, mode: octal(mode), others: others?.slice(0, 10) ?? null },
      words: { user: reader?.user ?? owner, file: path },
      remedy: {
        text: 'Close it; and if others use this host, have a new key and certificate made, for this one may be in other hands.',
        command: `chmod ${uid === 0 && mode & 0o040 ? '640' : '600'} ${quoted(path)}`,
      },
    });
  const shown = `${path} (${owner}:${group}, mode ${octal(mode)})`;
  if (mode & 0o006) return seen(`Everybody on this host may ${mode & 0o002 ? 'replace' : 'read'} the key ${shown}.`);
  if (mode & 0o020) return seen(`The group ${group} may replace the key ${shown}.`);
  // Of root, read by a group: the usual way to share it with the service (Debian's ssl-cert), which PostgreSQL takes too.
  if (!(mode & 0o040) || uid === 0) return null;
  if (isForPostgres)
    return seen(
      `The group ${group} may read the key ${shown}; PostgreSQL takes that only of a key that belongs to root.`,
      undefined,
      'PostgreSQL does not start with it ("has group or world access"), or goes on with the old pair.',
    );
  if (others?.length === 0)
    return seen(
      `The group ${group}, which nobody else is in, may read the key ${shown}.`,
      'warning',
      'PostgreSQL refuses such a key, and whoever joins the group gets it.',
    );
  return seen(`The group ${group} may read the key ${shown}.`);
}

/** @param bit 4 to read, 1 to pass through */
function may({ mode, uid, gid }: Pick<FileRights, 'mode' | 'uid' | 'gid'>, reader: Reader, bit: 4 | 1): boolean {
  if (reader.uid === 0) return true;
  // POSIX: only the first class that fits counts.
  const shift = uid === reader.uid ? 6 : reader.gids.includes(gid) ? 3 : 0;
  return ((mode >> shift) & bit) !== 0;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
