/** `status`: one page of truth, the earliest expiry first. */
import type { InstallLayout } from '../../core/services/service-kind.ts';
import { type MemberName, memberId } from '../../core/stack/member-name.ts';
import type { Stack } from '../../core/stack/stack.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { formatRfc3339 } from '../../core/time/instant.ts';
import { wallClock } from '../../edge/system/clock.ts';
import type { InstallPlan } from '../../flow/agent/install-plan.ts';
import type { FailureRecord } from '../../flow/agent/keep-stack.ts';
import { leftBehind, leftBehindNote } from '../../flow/agent/left-behind.ts';
import { type Context, print } from '../cli/context.ts';
import type { StackFlags } from '../cli/stack.ts';
import { planServedMember, type StackMember, stackMembers } from '../programs/stack-members.ts';
import type { StackWorld } from '../programs/stack-world.ts';
import { journalOf } from '../stack-state.ts';
import { withStack } from './with-stack.ts';

export async function status(context: Context, flags: StackFlags): Promise<void> {
  await withStack(context, flags, async (stack, world) => {
    const journal = journalOf(context.paths, stack.name);
    const found = await Promise.all(
      stackMembers(stack).map(
        async (member): Promise<{ readonly member: MemberName; readonly line: Line }> => ({
          member,
          line: await lineOf(world, stack, member, journal.read(memberId(member))),
        }),
      ),
    );
    found.push(...unlistedLines(world, stack, flags.file));
    found.sort((a, b) => ((a.line.notAfter ?? '') < (b.line.notAfter ?? '') ? -1 : 1));
    const of = (kind: MemberName['kind']) => found.filter(({ member }) => member.kind === kind).map(({ line }) => line);
    const now = wallClock();
    print(context, { stack: stack.name, services: of('service'), clients: of('client') }, () =>
      found.map(
        ({ line: { name, state, why, notAfter } }) =>
          `${name.padEnd(16)} ${state.padEnd(15)} ${notAfter ? `${formatDuration(Math.max(0, Date.parse(notAfter) / 1000 - now))} left` : ''}  ${why}`,
      ),
    );
  });
}

type State = 'ok' | 'due' | 'pending-install' | 'not-served' | 'failed' | 'unmanaged';

interface Line {
  readonly name: string;
  readonly state: State;
  readonly why: string;
  readonly notAfter: string | null;
  readonly renewAt: string | null;
  /** null: nobody renews it. */
  readonly issuer: string | null;
  readonly lastError?: FailureRecord['error'] & { readonly retryAt: string };
}

async function lineOf(
  world: StackWorld,
  stack: Stack,
  member: StackMember,
  failed: FailureRecord | null,
): Promise<Line> {
  const plan = await planServedMember(world, stack, member, false);
  const leaf = plan.installed?.chain[0];
  const { state, why } = failed ? { state: 'failed' as const, why: failureText(failed) } : stateOf(plan);
  return {
    name: member.name,
    state,
    why,
    notAfter: leaf ? formatRfc3339(leaf.validity.notAfter) : null,
    renewAt: plan.renewal.renewAt === null ? null : formatRfc3339(plan.renewal.renewAt),
    issuer: plan.wanted.issuer,
    ...(failed && { lastError: { ...failed.error, retryAt: formatRfc3339(failed.retryAt) } }),
  };
}

function stateOf({ installed, renewal, edits, drift, trustChanged, seenInstead }: InstallPlan): {
  readonly state: State;
  readonly why: string;
} {
  if (!installed) return { state: 'unmanaged', why: renewal.why };
  if (renewal.due) return { state: 'due', why: renewal.why };
  const [drifted] = drift;
  if (drifted) return { state: 'pending-install', why: `${drifted.path}: ${drifted.why}` };
  if (edits.length > 0) return { state: 'pending-install', why: 'the configuration differs from the stack file' };
  if (trustChanged) return { state: 'pending-install', why: 'the roots of the stack have changed' };
  if (installed.confirmedAt === null)
    return { state: 'pending-install', why: 'the installed pair has not been seen served yet' };
  return seenInstead === null ? { state: 'ok', why: renewal.why } : { state: 'not-served', why: seenInstead };
}

/** What is served on, and nobody renews any more. */
function unlistedLines(world: StackWorld, stack: Stack, file: string): { member: MemberName; line: Line }[] {
  const listed = stackMembers(stack).map((member) => ({ member, footprint: null }));
  const members = listed.map(({ member }) => member);
  return leftBehind(world, listed)
    .filter(({ isMoved }) => !isMoved)
    .map((left) => {
      const { member, footprints } = left;
      const why = leftBehindNote(left, members, file);
      const notAfter = endOf(world, footprints[0]?.install ?? null);
      return { member, line: { name: member.name, state: 'unmanaged', why, notAfter, renewAt: null, issuer: null } };
    });
}

function endOf({ install }: StackWorld, layout: InstallLayout | null): string | null {
  const current = layout && install.readCurrent(layout);
  const leaf = current && 'number' in current ? current.chain[0] : undefined;
  return leaf ? formatRfc3339(leaf.validity.notAfter) : null;
}

function failureText({ failures, error: { step, detail } }: FailureRecord): string {
  return `${step} failed${failures > 1 ? ` ${failures} times` : ''}: ${detail}`;
}
