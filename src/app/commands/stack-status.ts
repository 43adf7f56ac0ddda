/** `status`: one page of truth, the earliest expiry first. */
import type { InstallLayout } from '../../core/services/service-kind.ts';
import { type MemberName, memberId } from '../../core/stack/member-name.ts';
import type { Stack } from '../../core/stack/stack.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { formatRfc3339, type Instant } from '../../core/time/instant.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { wallClock } from '../../edge/system/clock.ts';
import type { InstallPlan } from '../../flow/agent/install-plan.ts';
import type { FailureRecord } from '../../flow/agent/keep-stack.ts';
import { leftBehind, leftBehindNote } from '../../flow/agent/left-behind.ts';
import { type Context, print } from '../cli/context.ts';
import type { StackFlags } from '../cli/stack.ts';
import { detailAt, type Settled, type SettledError, settleMembers } from '../programs/settle-members.ts';
import { memberWish, planServedMember, type StackMember, stackMembers } from '../programs/stack-members.ts';
import type { StackWorld } from '../programs/stack-world.ts';
import { journalOf } from '../stack-state.ts';
import { authorityAnswer, authorityLines, exitOf, lackingRoots } from './authority-trouble.ts';
import { withObservedStack } from './with-stack.ts';

export async function status(context: Context, flags: StackFlags): Promise<void> {
  await withObservedStack(context, flags, async (stack, world, trouble) => {
    const journal = journalOf(context.paths, stack.name);
    const settled = await settleMembers(stackMembers(stack), (member) => planServedMember(world, stack, member, false));
    const found = await Promise.all(
      settled.map(
        async (one): Promise<{ readonly member: MemberName; readonly line: Line }> => ({
          member: one.member,
          line: await lineOf(world, stack, one, journal.read(memberId(one.member))),
        }),
      ),
    );
    found.push(...unlistedLines(world, stack, flags.file));
    found.sort((a, b) => ((a.line.notAfter ?? '') < (b.line.notAfter ?? '') ? -1 : 1));
    const of = (kind: MemberName['kind']) => found.filter(({ member }) => member.kind === kind).map(({ line }) => line);
    const now = wallClock();
    const lacking = lackingRoots(trouble);
    const isGood = found.every(({ line }) => !isBad(line, now));
    const answer = {
      stack: stack.name,
      ok: isGood && lacking === null,
      services: of('service'),
      clients: of('client'),
      ...authorityAnswer(trouble),
    };
    print(context, answer, () => [
      ...authorityLines(trouble),
      ...found.flatMap(({ line: { name, state, why, notAfter, lastError } }) => [
        `${name.padEnd(16)} ${state.padEnd(15)} ${notAfter ? `${formatDuration(Math.max(0, Date.parse(notAfter) / 1000 - now))} left` : ''}  ${why}`,
        ...(lastError?.remedy ? [`    next: ${lastError.remedy}`] : []),
      ]),
    ]);
    process.exitCode = exitOf(isGood, lacking);
  });
}

/** What clients meet now, or what was tried in vain; what is yet to be done is no fault. */
function isBad({ state, notAfter, isRevoked }: Line, now: Instant): boolean {
  const isExpired = notAfter !== null && Date.parse(notAfter) / 1000 <= now;
  return state === 'failed' || state === 'not-served' || isExpired || isRevoked === true;
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
  /** Its issuer has taken it back; absent: not that anybody knows. */
  readonly isRevoked?: true;
  readonly lastError?: SettledError & { readonly retryAt?: string };
}

async function lineOf(
  world: StackWorld,
  stack: Stack,
  settled: Settled<InstallPlan>,
  failed: FailureRecord | null,
): Promise<Line> {
  const { member, found, error } = settled;
  const leaf = found === null ? await installedLeaf(world, stack, member) : found.installed?.chain[0];
  const lastError = error ?? failed?.error;
  return {
    name: member.name,
    ...stateOf(settled, failed),
    notAfter: leaf ? formatRfc3339(leaf.validity.notAfter) : null,
    renewAt: found?.renewal.renewAt == null ? null : formatRfc3339(found.renewal.renewAt),
    issuer: member.kind === 'client' ? 'internal' : member.service.issuer,
    ...(found?.renewal.reason === 'revoked' && { isRevoked: true }),
    ...(lastError && { lastError: { ...lastError, ...(failed && { retryAt: formatRfc3339(failed.retryAt) }) } }),
  };
}

/** Of a member that cannot be planned, as far as the host says where its pair lies. */
async function installedLeaf(world: StackWorld, stack: Stack, member: StackMember): Promise<Certificate | undefined> {
  try {
    const { desired } = await memberWish(world, stack, member);
    const current = world.install.readCurrent(desired.install);
    return current !== null && 'number' in current ? current.chain[0] : undefined;
  } catch {
    // The page tells already why.
    return undefined;
  }
}

/** What is wrong now goes before what failed once. */
function stateOf(
  { found, error }: Settled<InstallPlan>,
  failed: FailureRecord | null,
): { readonly state: State; readonly why: string } {
  if (error !== null) return { state: 'failed', why: detailAt(error) };
  if (failed !== null) return { state: 'failed', why: failureText(failed) };
  const { installed, renewal, edits, drift, trustChanged, listToSign, seenInstead } = found;
  if (!installed) return { state: 'unmanaged', why: renewal.why };
  if (renewal.due) return { state: 'due', why: renewal.why };
  const [drifted] = drift;
  if (drifted) return { state: 'pending-install', why: `${drifted.path}: ${drifted.why}` };
  if (edits.some(({ isData }) => !isData))
    return { state: 'pending-install', why: 'the configuration differs from the stack file' };
  const lists = listToSign ?? edits[0]?.why;
  if (lists) return { state: 'pending-install', why: lists };
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
