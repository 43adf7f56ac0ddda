/** `status`: one page of truth, the earliest expiry first. */
import type { Stack } from '../../core/stack/stack.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { formatRfc3339 } from '../../core/time/instant.ts';
import { wallClock } from '../../edge/system/clock.ts';
import type { InstallPlan } from '../../flow/agent/install-plan.ts';
import type { FailureRecord } from '../../flow/agent/keep-stack.ts';
import { type Context, print } from '../cli/context.ts';
import type { StackFlags } from '../cli/stack.ts';
import { memberId, planServedMember, type StackMember, stackMembers } from '../programs/stack-members.ts';
import type { StackWorld } from '../programs/stack-world.ts';
import { journalOf } from '../stack-state.ts';
import { withStack } from './with-stack.ts';

export async function status(context: Context, flags: StackFlags): Promise<void> {
  await withStack(context, flags, async (stack, world) => {
    const journal = journalOf(context.paths, stack.name);
    const found = await Promise.all(
      stackMembers(stack).map(async (member) => ({
        member,
        line: await lineOf(world, stack, member, journal.read(memberId(member))),
      })),
    );
    found.sort((a, b) => ((a.line.notAfter ?? '') < (b.line.notAfter ?? '') ? -1 : 1));
    const of = (kind: StackMember['kind']) =>
      found.filter(({ member }) => member.kind === kind).map(({ line }) => line);
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

async function lineOf(world: StackWorld, stack: Stack, member: StackMember, failed: FailureRecord | null) {
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

function stateOf({ installed, renewal, edits, trustChanged, listToSign, seenInstead }: InstallPlan): {
  readonly state: State;
  readonly why: string;
} {
  if (!installed) return { state: 'unmanaged', why: renewal.why };
  if (renewal.due) return { state: 'due', why: renewal.why };
  if (edits.some(({ isData }) => !isData))
    return { state: 'pending-install', why: 'the configuration differs from the stack file' };
  const lists = listToSign ?? edits[0]?.why;
  if (lists) return { state: 'pending-install', why: lists };
  if (trustChanged) return { state: 'pending-install', why: 'the roots of the stack have changed' };
  if (installed.confirmedAt === null)
    return { state: 'pending-install', why: 'the installed pair has not been seen served yet' };
  return seenInstead === null ? { state: 'ok', why: renewal.why } : { state: 'not-served', why: seenInstead };
}

function failureText({ failures, error: { step, detail } }: FailureRecord): string {
  return `${step} failed${failures > 1 ? ` ${failures} times` : ''}: ${detail}`;
}
