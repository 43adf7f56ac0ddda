/** A path as the kernel walks it: every directory that has to be passed through, every link that is followed. */
import { lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DirectoryRights } from '../../core/diagnosis/pair-facts.ts';
import { type Instant, instantFromMs } from '../../core/time/instant.ts';

export type PathEnd =
  | { readonly kind: 'found'; readonly path: string; readonly stats: Stats }
  /** The first name that does not exist, and the last link that was followed on the way to it. */
  | { readonly kind: 'missing'; readonly at: string; readonly link: string | null }
  /** This process gets no further. */
  | { readonly kind: 'closed'; readonly at: string };

export interface PathWalk {
  readonly end: PathEnd;
  readonly directories: readonly DirectoryRights[];
  /** When the youngest of the links on the way was made; 0: there is none. */
  readonly linkedAtMs: number;
}

/** As Linux: ELOOP comes after these. */
const MOST_LINKS = 40;

export function walkPath(path: string): PathWalk {
  const directories = new Map<string, DirectoryRights>();
  let pending = resolve(path).split('/').slice(1);
  let at = '/';
  let link: string | null = null;
  let [links, linkedAtMs] = [0, 0];
  const ended = (end: PathEnd): PathWalk => ({ end, directories: [...directories.values()], linkedAtMs });
  while (pending.length > 0) {
    const [name = '', ...rest] = pending;
    pending = rest;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = dirname(at);
      continue;
    }
    if (!directories.has(at)) directories.set(at, rightsOf(at));
    const next = join(at, name);
    let found: Stats;
    try {
      found = lstatSync(next);
    } catch (cause) {
      return ended(endBy(cause, next, link));
    }
    if (!found.isSymbolicLink()) {
      at = next;
      continue;
    }
    link = next;
    linkedAtMs = Math.max(linkedAtMs, found.mtimeMs);
    if (++links > MOST_LINKS) return ended({ kind: 'missing', at: next, link });
    const target = readlinkSync(next);
    if (target.startsWith('/')) at = '/';
    pending = [...target.split('/'), ...pending];
  }
  return ended({ kind: 'found', path: at, stats: statSync(at) });
}

/** When the file, or a link on the way to it, was last changed: content, owner or mode. null: it is not there, or not to be seen. */
export function changedAt(path: string): Instant | null {
  const { end, linkedAtMs } = walkPath(path);
  return end.kind === 'found' ? instantFromMs(Math.max(end.stats.ctimeMs, linkedAtMs)) : null;
}

function rightsOf(path: string): DirectoryRights {
  const { mode, uid, gid } = statSync(path);
  return { path, mode, uid, gid };
}

function endBy(cause: unknown, at: string, link: string | null): PathEnd {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing', at, link };
  if (code === 'EACCES') return { kind: 'closed', at };
  throw cause;
}
