/** `apply`, `apply --remove`, `rotate`: one member after the other, since they share files and processes; a failed one never stops the others. */
import { type MemberName, memberId } from '../../core/stack/member-name.ts';
import type { Stack } from '../../core/stack/stack.ts';
import type { FailureJournal } from '../../edge/files/failure-journal.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { applyPlan } from '../../flow/agent/apply-plan.ts';
import type { ApplyResult } from '../../flow/agent/apply-result.ts';
import { type Context, print } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import type { StackFlags } from '../cli/stack.ts';
import { lacksAuthority, makeFirstAuthority } from '../programs/first-authority.ts';
import { leftBehindNotes, noteAnswer } from '../programs/left-behind-notes.ts';
import { readStack } from '../programs/read-stack.ts';
import { detailAt, settledError } from '../programs/settle-members.ts';
import { chosenMembers, planServedMember, type StackMember } from '../programs/stack-members.ts';
import { chosenRemovals, type Removal } from '../programs/stack-removals.ts';
import type { StackWorld } from '../programs/stack-world.ts';
import { journalOf, waitForWorkLock } from '../stack-state.ts';
import { withStack } from './with-stack.ts';

/**
 * @param names of the members, as chosenMembers and chosenRemovals take them
 * @param rotate whether new keys and certificates are wanted although none is due
 */
export async function apply(
  context: Context,
  flags: StackFlags,
  names: readonly string[],
  rotate: boolean,
): Promise<void> {
  const lock = await waitForWorkLock(context.paths, () => {
    if (!context.quiet) process.stderr.write(`${paint('yellow', 'waiting:')} the agent or another apply is at work\n`);
  });
  try {
    if (!rotate && !flags.remove) await makeAuthority(context, flags);
    await withStack(context, flags, async (stack, world) => {
      await refreshed(context, world);
      const journal = journalOf(context.paths, stack.name);
      const progress = progressOf(context);
      const done: { readonly member: MemberName; readonly result: ApplyResult }[] = [];
      const tasks = flags.remove
        ? await chosenRemovals(world, stack, names)
        : chosenMembers(stack, names).map((member) => bringing(world, stack, member, rotate));
      for (const { member, isMoved, work } of tasks) {
        progress.begin(member, done.length + 1, tasks.length);
        const result = await work().catch((fault: unknown) => unplannable(member, fault));
        done.push({ member, result });
        // A place that a member has left says nothing of the member.
        if (!isMoved) recordFailure(journal, member, result);
        progress.end(result);
      }
      const ok = done.every(({ result }) => result.ok);
      const of = (kind: MemberName['kind']) =>
        done.filter(({ member }) => member.kind === kind).map(({ result }) => result);
      const notes = flags.remove || names.length > 0 ? [] : leftBehindNotes(world, stack, flags.file);
      const answer = { stack: stack.name, ok, services: of('service'), clients: of('client') };
      print(context, { ...answer, notes: notes.map(noteAnswer) }, () => notes.map(({ note }) => noteLine(note)));
      if (!ok) process.exitCode = 1;
    });
  } finally {
    lock.release();
  }
}

/** A stack that names no authority has the one of this host, which its first apply makes. */
async function makeAuthority(context: Context, flags: StackFlags): Promise<void> {
  const { paths } = context;
  if (!lacksAuthority(readStack(flags.file), paths)) return;
  const made = await makeFirstAuthority(paths, flags.passwordFile);
  if (context.quiet) return;
  process.stderr.write(`A new authority was made in ${paths.root}; its root is ${made.rootFingerprint}\n`);
  for (const { what, file } of made.generated)
    process.stderr.write(`  ${what}: ${file} (generated, mode 0600; keep a copy elsewhere)\n`);
}

/** Roots, revocation lists and revocations as they are now; an authority that cannot be asked stops nothing that goes without it. */
async function refreshed({ quiet }: Context, { authority }: StackWorld): Promise<void> {
  try {
    await authority.refresh();
  } catch (fault) {
    if (quiet) return;
    const why = fault instanceof Error ? fault.message : String(fault);
    process.stderr.write(`${paint('yellow', 'warning:')} roots and revocation lists stay as they were known: ${why}\n`);
  }
}

function bringing(world: StackWorld, stack: Stack, member: StackMember, rotate: boolean): Removal {
  return {
    member,
    isMoved: false,
    work: async () => applyPlan(world, await planServedMember(world, stack, member, rotate)),
  };
}

/** What it needs cannot even be gathered: a failure like any other, and the others go on. */
function unplannable(member: MemberName, fault: unknown): ApplyResult {
  const error = settledError(fault, member);
  const step = { step: 'issue', ok: false, detail: detailAt(error), remedy: error.remedy } as const;
  return { name: member.name, ok: false, action: 'failed', certificate: null, steps: [step] };
}

/** For `status` and the agent: what failed by hand is known to both, and what works is forgotten. */
function recordFailure(journal: FailureJournal, member: MemberName, { ok, steps }: ApplyResult): void {
  const id = memberId(member);
  const failed = steps.find((step) => !step.ok);
  if (ok || failed === undefined) {
    journal.write(id, null);
    return;
  }
  const { step, detail, remedy } = failed;
  const failures = (journal.read(id)?.failures ?? 0) + 1;
  journal.write(id, { failures, retryAt: wallClock(), error: { step, detail, remedy } });
}

interface Progress {
  readonly begin: (member: MemberName, at: number, of: number) => void;
  readonly end: (result: ApplyResult) => void;
}

/** A line for each member when it is done; on a terminal also which one is at work. */
function progressOf({ json, quiet }: Context): Progress {
  if (json) return { begin() {}, end() {} };
  if (quiet)
    return {
      begin() {},
      end(result) {
        if (!result.ok) process.stderr.write(`${resultLine(result)}\n`);
      },
    };
  const { isTTY } = process.stdout;
  return {
    begin({ name }, at, of) {
      if (isTTY) process.stdout.write(`… ${name} (${at} of ${of})`);
    },
    end(result) {
      // Back to the start of the line, and what was there is wiped.
      if (isTTY) process.stdout.write('\r\u001b[K');
      process.stdout.write(`${resultLine(result)}\n`);
    },
  };
}

function resultLine({ name, ok, action, certificate, steps, notes = [] }: ApplyResult): string {
  const mark = ok ? paint('green', '✓', process.stdout) : paint('red', '✗', process.stdout);
  const failed = steps.find((step) => !step.ok);
  const tail = failed
    ? `${failed.step}: ${failed.detail}\n  ${paint('bold', 'next:', process.stdout)} ${failed.remedy ?? ''}`
    : `${action}${certificate ? `, until ${certificate.notAfter}` : ''}`;
  return [`${mark} ${name.padEnd(16)} ${tail}`, ...notes.map((note) => `  ${noteLine(note)}`)].join('\n');
}

function noteLine(note: string): string {
  return `${paint('bold', 'note:', process.stdout)} ${note}`;
}
