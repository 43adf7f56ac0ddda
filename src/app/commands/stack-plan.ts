/** `plan`: what apply would change, and why. */
import { type PlannedChange, plannedChanges, plannedNotes, wishedFootprint } from '../../flow/agent/install-plan.ts';
import { type Context, print } from '../cli/context.ts';
import type { StackFlags } from '../cli/stack.ts';
import { lacksAuthority } from '../programs/first-authority.ts';
import { leftBehindNotes, noteAnswer } from '../programs/left-behind-notes.ts';
import { detailAt, type SettledError, settleMembers } from '../programs/settle-members.ts';
import { planServedMember, stackMembers } from '../programs/stack-members.ts';
import { authorityAnswer, authorityLines, exitOf, lackingRoots } from './authority-trouble.ts';
import { withObservedStack } from './with-stack.ts';

export async function plan(context: Context, flags: StackFlags): Promise<void> {
  await withObservedStack(
    context,
    flags,
    async (stack, world, trouble) => {
      const settled = await settleMembers(stackMembers(stack), (member) =>
        planServedMember(world, stack, member, false),
      );
      const planned = settled.map(({ member, found, error }) => ({
        member,
        footprint: found && wishedFootprint(found),
        changes: error === null ? plannedChanges(found) : [unplanned(error)],
        notes: found === null ? [] : plannedNotes(found),
      }));
      const changes = planned.flatMap(({ member: { kind, name }, changes }) =>
        changes.map((change) => ({ [kind]: name, ...change })),
      );
      const foreseen = lacksAuthority(stack, context.paths)
        ? [`the first apply makes an authority in ${context.paths.root}`]
        : [];
      const memberNotes = planned.flatMap(({ member: { kind, name }, notes }) =>
        notes.map((note) => ({ [kind]: name, note })),
      );
      const left = leftBehindNotes(world, stack, flags.file, planned);
      const notes = [...foreseen.map((note) => ({ note })), ...memberNotes, ...left.map(noteAnswer)];
      const exit = exitOf(
        settled.every(({ error }) => error === null),
        lackingRoots(trouble),
      );
      print(context, { stack: stack.name, ok: exit === 0, changes, notes, ...authorityAnswer(trouble) }, () => [
        ...authorityLines(trouble),
        ...foreseen,
        ...planned.flatMap(({ member: { name }, changes, notes }) => [
          ...changes.flatMap((change) => changeLines(name, change)),
          ...notes.map((note) => noteLine(name, note)),
        ]),
        ...left.map(({ member: { name }, note }) => noteLine(name, note)),
      ]);
      process.exitCode = exit;
    },
    true,
  );
}

type Change = PlannedChange & { readonly error?: SettledError };

/** Nothing is known of what it needs, and nothing would be done for it. */
function unplanned(error: SettledError): Change {
  return { action: 'none', why: detailAt(error), error };
}

function changeLines(name: string, { action, why, diff, check, command, error }: Change): string[] {
  return [
    `${name.padEnd(16)} ${(error ? 'failed' : action).padEnd(9)} ${why}`,
    ...(error ? [`    next: ${error.remedy}`] : []),
    ...[check, command].flatMap((line) => (line === undefined ? [] : [`    $ ${line}`])),
    ...(diff === undefined ? [] : diff.trimEnd().split('\n')).map((line) => `    ${line}`),
  ];
}

function noteLine(name: string, note: string): string {
  return `${name.padEnd(16)} ${'note'.padEnd(9)} ${note}`;
}
