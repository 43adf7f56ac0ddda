/**
 * What was set up for each member of a stack, in the state directory:
 *
 *   members/STACK/services/NAME.json    {"footprints":[…]}, the latest first
 *   members/STACK/clients/NAME.json
 */
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Footprint, placesOf, withoutPlaces } from '../../core/services/footprint.ts';
import { type MemberName, memberId } from '../../core/stack/member-name.ts';
import type { MemberRecords } from '../../flow/agent/member-records.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { isErrno, naming } from './write-fault.ts';

/** @param directory `members` of the state; made when there is something to write */
export function memberRecords(directory: string, stack: string): MemberRecords {
  const own = join(directory, stack);
  return {
    remember(member, footprint) {
      const before = footprintsIn(pathIn(own, member));
      if (JSON.stringify(before[0]) === JSON.stringify(footprint)) return;
      const taken = new Set(placesOf(footprint, member.name, realPath));
      // First: a crash in between leaves what the next apply writes again, never one place that is two members'.
      for (const other of namesIn(directory).map((name) => join(directory, name)))
        for (const one of membersIn(other)) release(pathIn(other, one), one, taken);
      write(pathIn(own, member), [footprint, ...footprintsIn(pathIn(own, member))]);
    },
    members: () => membersIn(own),
    footprints: (member) => footprintsIn(pathIn(own, member)),
    forget(member, gone) {
      const path = pathIn(own, member);
      if (gone === null) write(path, []);
      else release(path, member, new Set(placesOf(gone, member.name, realPath)));
    },
    realPath,
  };
}

function release(path: string, { name }: MemberName, taken: ReadonlySet<string>): void {
  const before = footprintsIn(path);
  const left = before.flatMap((footprint) => withoutPlaces(footprint, name, taken, realPath) ?? []);
  if (JSON.stringify(left) !== JSON.stringify(before)) write(path, left);
}

function write(path: string, footprints: readonly Footprint[]): void {
  naming(path, () => {
    if (footprints.length === 0) return rmSync(path, { force: true });
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileAtomically(path, `${JSON.stringify({ footprints })}\n`, 0o600);
  });
}

function pathIn(stack: string, member: MemberName): string {
  return join(stack, `${memberId(member)}.json`);
}

function membersIn(stack: string): MemberName[] {
  return (['service', 'client'] as const).flatMap((kind) =>
    namesIn(join(stack, `${kind}s`)).flatMap((file) =>
      file.startsWith('.') || !file.endsWith('.json') ? [] : [{ kind, name: basename(file, '.json') }],
    ),
  );
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
