/** `plan`: what apply would change, and why. */
import { plannedChanges, plannedNotes, wishedFootprint } from '../../flow/agent/install-plan.ts';
import { type Context, print } from '../cli/context.ts';
import type { StackFlags } from '../cli/stack.ts';
import { lacksAuthority } from '../programs/first-authority.ts';
import { leftBehindNotes, noteAnswer } from '../programs/left-behind-notes.ts';
import { planServedMember, stackMembers } from '../programs/stack-members.ts';
import { withStack } from './with-stack.ts';

export async function plan(context: Context, flags: StackFlags): Promise<void> {
  await withStack(
    context,
    flags,
    async (stack, world) => {
      const found = await Promise.all(
        stackMembers(stack).map(async (member) => {
          const planned = await planServedMember(world, stack, member, false);
          const footprint = wishedFootprint(planned);
          return { member, footprint, changes: plannedChanges(planned), notes: plannedNotes(planned) };
        }),
      );
      const changes = found.flatMap(({ member: { kind, name }, changes }) =>
        changes.map((change) => ({ [kind]: name, ...change })),
      );
      const foreseen = lacksAuthority(stack, context.paths)
        ? [`the first apply makes an authority in ${context.paths.root}`]
        : [];
      const memberNotes = found.flatMap(({ member: { kind, name }, notes }) =>
        notes.map((note) => ({ [kind]: name, note })),
      );
      const left = leftBehindNotes(world, stack, flags.file, found);
      const notes = [...foreseen.map((note) => ({ note })), ...memberNotes, ...left.map(noteAnswer)];
      print(context, { stack: stack.name, changes, notes }, () => [
        ...foreseen,
        ...found.flatMap(({ member: { name }, changes, notes }) => [
          ...changes.flatMap(({ action, why, diff }) => [
            `${name.padEnd(16)} ${action.padEnd(9)} ${why}`,
            ...(diff === undefined ? [] : diff.trimEnd().split('\n')).map((line) => `    ${line}`),
          ]),
          ...notes.map((note) => noteLine(name, note)),
        ]),
        ...left.map(({ member: { name }, note }) => noteLine(name, note)),
      ]);
    },
    true,
  );
}

function noteLine(name: string, note: string): string {
  return `${name.padEnd(16)} ${'note'.padEnd(9)} ${note}`;
}
