/**
 * What was set up once and is named no more: members that the stack file no longer has, and places that a member has left.
 * It stays until somebody asks for its removal: a slip in the file takes TLS from no service.
 */
import { type Footprint, placesOf, withoutPlaces } from '../../core/services/footprint.ts';
import { type MemberName, memberId } from '../../core/stack/member-name.ts';
import type { MemberRecords } from './member-records.ts';
import { isThere, type RemovePorts } from './remove-member.ts';

export interface LeftBehind {
  readonly member: MemberName;
  /** The stack file still has the member, which was set up here before. */
  readonly isMoved: boolean;
  readonly footprints: readonly Footprint[];
}

export interface ListedMember {
  readonly member: MemberName;
  /** What it is to be; null: as it was set up last. */
  readonly footprint: Footprint | null;
}

/** Only what is still there. @param listed every member that the stack file has */
export function leftBehind(
  ports: Pick<RemovePorts, 'install' | 'configuration'> & { readonly records: MemberRecords },
  listed: readonly ListedMember[],
): readonly LeftBehind[] {
  const { records } = ports;
  const ids = new Set(listed.map(({ member }) => memberId(member)));
  const taken = new Set(
    listed.flatMap(({ member, footprint }) => {
      const present = footprint ?? records.footprints(member)[0];
      return present ? placesOf(present, member.name, records.realPath) : [];
    }),
  );
  return records.members().flatMap((member): LeftBehind[] => {
    const footprints = records
      .footprints(member)
      .flatMap((footprint) => withoutPlaces(footprint, member.name, taken, records.realPath) ?? [])
      .filter((footprint) => mayBeThere(ports, member, footprint));
    if (ids.has(memberId(member)))
      return footprints.map((footprint) => ({ member, isMoved: true, footprints: [footprint] }));
    return footprints.length === 0 ? [] : [{ member, isMoved: false, footprints }];
  });
}

/** What cannot be looked at is not gone. */
function mayBeThere(
  ports: Pick<RemovePorts, 'install' | 'configuration'>,
  member: MemberName,
  footprint: Footprint,
): boolean {
  try {
    return isThere(ports, member, footprint);
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault) return true;
    throw fault;
  }
}

/** What `apply --remove` is told: a member that is gone by its name, a place that was left by its path. */
export function calledAs({ member, isMoved, footprints }: LeftBehind, listed: readonly MemberName[]): string {
  if (isMoved) return placesShown(footprints)[0] ?? memberId(member);
  return listed.some(({ name }) => name === member.name) ? memberId(member) : member.name;
}

/** @param file the stack file, as it was given */
export function leftBehindNote(left: LeftBehind, listed: readonly MemberName[], file: string): string {
  const { name } = left.member;
  const removal = `fullchain apply --remove ${calledAs(left, listed)}`;
  return left.isMoved
    ? `${name} was set up elsewhere before, and that stays: ${placesShown(left.footprints).join(', ')}; "${removal}" takes it out`
    : `${name} is no longer in ${file}: its certificate and configuration stay; "${removal}" takes them out`;
}

function placesShown(footprints: readonly Footprint[]): string[] {
  return footprints.flatMap(({ install, configuration }) => [
    ...(install === null ? [] : [install.directory, ...install.copies.map(({ to }) => to)]),
    ...configuration.map(({ path }) => path),
  ]);
}
