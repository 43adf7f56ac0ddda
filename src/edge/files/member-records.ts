/**
 * What was set up for each member of a stack, in the state directory:
 *
 *   members/STACK/services/NAME.json    {"footprints":[…]}, the latest first
 *   members/STACK/clients/NAME.json
 */
import { readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Footprint, placesOf, withoutPlaces } from '../../core/services/footprint.ts';
import { type MemberName, memberId } from '../../core/stack/member-name.ts';
import type { MemberRecords } from '../../flow/agent/member-records.ts';
import { makeDirectories, writeFileAtomically } from './atomic-file.ts';
import { placeIndex } from './place-index.ts';
import { isErrno, naming } from './write-fault.ts';

/** @param directory `members` of the state; made when there is something to write */
export function memberRecords(directory: string, stack: string): MemberRecords {
  const own = join(directory, stack);
  const index = placeIndex(recordsIn, placesIn);
  const write = (path: string, footprints: readonly Footprint[]): void => {
    writeRecord(path, footprints);
    index.wrote(dirname(path), path);
  };
  /** What lies in these places is not this record's any more. */
  const release = (path: string, taken: ReadonlySet<string>): void => {
    const before = footprintsIn(path);
    const left = before.flatMap((footprint) => withoutPlaces(footprint, nameOf(path), taken, realPath) ?? []);
    if (JSON.stringify(left) !== JSON.stringify(before)) write(path, left);
  };
  return {
    remember(member, footprint) {
      const before = footprintsIn(pathIn(own, member));
      if (JSON.stringify(before[0]) === JSON.stringify(footprint)) return;
      const taken = new Set(placesOf(footprint, member.name, realPath));
      // First: a crash in between leaves what the next apply writes again, never one place that is two members'.
      const kinds = namesIn(directory).flatMap((other) => KINDS.map((kind) => join(directory, other, `${kind}s`)));
      for (const path of index.naming(kinds, taken)) release(path, taken);
      write(pathIn(own, member), [footprint, ...footprintsIn(pathIn(own, member))]);
    },
    members: () => membersIn(own),
    footprints: (member) => footprintsIn(pathIn(own, member)),
    forget(member, gone) {
      const path = pathIn(own, member);
      if (gone === null) write(path, []);
      else release(path, new Set(placesOf(gone, member.name, realPath)));
    },
    realPath,
  };
}

const KINDS = ['service', 'client'] as const;

function writeRecord(path: string, footprints: readonly Footprint[]): void {
  naming(path, () => {
    if (footprints.length === 0) return rmSync(path, { force: true });
    makeDirectories(dirname(path), 0o700);
    writeFileAtomically(path, `${JSON.stringify({ footprints })}\n`, 0o600);
  });
}

function pathIn(stack: string, member: MemberName): string {
  return join(stack, `${memberId(member)}.json`);
}

function membersIn(stack: string): MemberName[] {
  return KINDS.flatMap((kind) => recordsIn(join(stack, `${kind}s`)).map((path) => ({ kind, name: nameOf(path) })));
}

/** @param directory of one kind of members */
function recordsIn(directory: string): string[] {
  return namesIn(directory).flatMap((file) =>
    file.startsWith('.') || !file.endsWith('.json') ? [] : [join(directory, file)],
  );
}

function nameOf(path: string): string {
  return basename(path, '.json');
}

function placesIn(path: string): string[] {
  return footprintsIn(path).flatMap((footprint) => placesOf(footprint, nameOf(path), realPath));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return [];
    throw cause;
  }
}

/** None where there is no file, or one that we cannot have written: the state is ours, and files in it are whole. */
function footprintsIn(path: string): readonly Footprint[] {
  try {
    const { footprints } = JSON.parse(readFileSync(path, 'utf8')) ?? {};
    return Array.isArray(footprints) ? footprints : [];
  } catch (cause) {
    if (cause instanceof SyntaxError || isErrno(cause, 'ENOENT')) return [];
    throw cause;
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) throw cause;
    // What is not there lies where its directory is.
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path));
  }
}
