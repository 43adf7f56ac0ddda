/** What `apply --remove` is about: members of the stack file, members that it no longer has, places that members have left. */
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { Footprint } from '../../core/services/footprint.ts';
import { type MemberName, memberId } from '../../core/stack/member-name.ts';
import type { Stack } from '../../core/stack/stack.ts';
import type { ApplyResult } from '../../flow/agent/apply-result.ts';
import { calledAs, type LeftBehind, leftBehind } from '../../flow/agent/left-behind.ts';
import { removeMember } from '../../flow/agent/remove-member.ts';
import { memberFootprint, stackMembers } from './stack-members.ts';
import type { StackWorld } from './stack-world.ts';

export interface Removal {
  readonly member: MemberName;
  /** Only a place that it has left: what is known of the member itself stays. */
  readonly isMoved: boolean;
  /** @throws OperatorFault as memberFootprint */
  readonly work: () => Promise<ApplyResult>;
}

/**
 * @param names "NAME" is every member of that name, "services/NAME" and "clients/NAME" are one, a path is a place; none: all
 * @throws OperatorFault usage for a name that there is not
 */
export async function chosenRemovals(
  world: StackWorld,
  stack: Stack,
  names: readonly string[],
): Promise<readonly Removal[]> {
  const members = stackMembers(stack);
  const listed = await Promise.all(
    members.map(async (member) => {
      const [asked] = await Promise.allSettled([memberFootprint(world, stack, member)]);
      return { member, asked, footprint: asked.status === 'fulfilled' ? asked.value : null };
    }),
  );
  const left = leftBehind(world, listed);
  const ofListed = listed.map(({ member, asked, footprint }) => {
    const before = left.filter((one) => one.isMoved && memberId(one.member) === memberId(member));
    const footprints = () => {
      const known = [...(footprint ? [footprint] : world.records.footprints(member)), ...before.flatMap(footprintsOf)];
      if (known.length === 0 && asked.status === 'rejected') throw asked.reason;
      return known;
    };
    return { names: [member.name, memberId(member)], removal: removal(world, member, footprints, null) };
  });
  const ofLeft = left.map((one) => ({
    names: one.isMoved ? [calledAs(one, members)] : [one.member.name, memberId(one.member)],
    removal: removal(world, one.member, () => one.footprints, one.isMoved ? (one.footprints[0] ?? null) : null),
  }));
  // What was put there last is taken away first.
  const all = [...ofLeft, ...ofListed.reverse()];
  for (const name of names) {
    if (!all.some((one) => one.names.includes(name)))
      throw new OperatorFault('usage', `nothing was set up for a service or client named ${JSON.stringify(name)}`);
  }
  const isAsked =
    names.length === 0 ? () => true : (one: (typeof all)[number]) => one.names.some((name) => names.includes(name));
  const chosen = all.filter(isAsked).map((one) => one.removal);
  const whole = new Set(chosen.flatMap(({ member, isMoved }) => (isMoved ? [] : [memberId(member)])));
  return chosen.filter(({ member, isMoved }) => !isMoved || !whole.has(memberId(member)));
}

function footprintsOf({ footprints }: LeftBehind): readonly Footprint[] {
  return footprints;
}

/** @param gone the only place that it is about; null: all of the member */
function removal(
  world: StackWorld,
  member: MemberName,
  footprints: () => readonly Footprint[],
  gone: Footprint | null,
): Removal {
  return {
    member,
    isMoved: gone !== null,
    async work() {
      const result = await removeMember(world, member, footprints());
      if (result.ok) world.records.forget(member, gone);
      return result;
    },
  };
}
