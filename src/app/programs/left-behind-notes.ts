/** What `plan` and `apply` say of things that the stack file no longer names. */
import type { MemberName } from '../../core/stack/member-name.ts';
import type { Stack } from '../../core/stack/stack.ts';
import { type ListedMember, leftBehind, leftBehindNote } from '../../flow/agent/left-behind.ts';
import { stackMembers } from './stack-members.ts';
import type { StackWorld } from './stack-world.ts';

export interface MemberNote {
  readonly member: MemberName;
  readonly note: string;
}

/**
 * @param file the stack file, as it was given
 * @param listed as planned; absent: as set up last
 */
export function leftBehindNotes(
  world: Pick<StackWorld, 'install' | 'configuration' | 'records'>,
  stack: Stack,
  file: string,
  listed: readonly ListedMember[] = stackMembers(stack).map((member) => ({ member, footprint: null })),
): readonly MemberNote[] {
  const members = listed.map(({ member }) => member);
  return leftBehind(world, listed).map((left) => ({
    member: left.member,
    note: leftBehindNote(left, members, file),
  }));
}

/** As in the answers: {"service": NAME, "note": …}. */
export function noteAnswer({ member: { kind, name }, note }: MemberNote): Readonly<Record<string, string>> {
  return { [kind]: name, note };
}
