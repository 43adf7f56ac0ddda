/** What `fullchain agent` does: one agent a host, which keeps a stack as its file says until it is stopped. */
import pino, { type Logger } from 'pino';
import { OperatorFault, remedyOf } from '../../core/faults/operator-faults.ts';
import { memberId } from '../../core/stack/member-name.ts';
import type { Stack } from '../../core/stack/stack.ts';
import { formatRfc3339 } from '../../core/time/instant.ts';
import { takeLock } from '../../edge/files/exclusive-lock.ts';
import { clockStepWatch, wallClock } from '../../edge/system/clock.ts';
import { type KeepEvent, keepStack, type Looked, type Member } from '../../flow/agent/keep-stack.ts';
import { type Context, passwordSource } from '../cli/context.ts';
import type { StackFlags } from '../cli/stack.ts';
import { lacksAuthority, makeFirstAuthority } from '../programs/first-authority.ts';
import { type FollowedStack, followStack } from '../programs/followed-stack.ts';
import { type HostLock, hostLock } from '../programs/host-lock.ts';
import { leftBehindNotes, noteAnswer } from '../programs/left-behind-notes.ts';
import { lookAtMember } from '../programs/look-at-member.ts';
import { readStack } from '../programs/read-stack.ts';
import { type StackMember, stackMembers } from '../programs/stack-members.ts';
import { openStackWorld, type StackWorld } from '../programs/stack-world.ts';
import { agentLockPath, journalOf, workLockPath } from '../stack-state.ts';

/**
 * @throws OperatorFault agent-busy when another agent runs on this host's state; input-unreadable, stack-file-invalid where the file is not right from
 * the start, since nobody is kept in TLS by an agent that waits for a person
 */
export async function agent(context: Context, flags: StackFlags): Promise<void> {
  readStack(flags.file);
  const lock = takeLock(agentLockPath(context.paths));
  if (!lock) throw new OperatorFault('agent-busy', 'another agent runs on this host', { path: context.paths.root });
  const logger = pino(
    { level: context.quiet ? 'error' : 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  const stop = stopSignal();
  const followed = followStack({
    file: flags.file,
    async open() {
      const stack = readStack(flags.file);
      if (lacksAuthority(stack, context.paths)) {
        const { rootFingerprint } = await makeFirstAuthority(context.paths, flags.passwordFile);
        logger.info({ state: context.paths.root, rootFingerprint }, 'a new authority was made');
      }
      const world = await openStackWorld(stack, context.paths, passwordSource(flags.passwordFile), () => true);
      logger.info({ stack: stack.name, members: lanesOf(stack).length }, 'the stack file was read');
      for (const left of leftBehindNotes(world, stack, flags.file)) logger.warn(noteAnswer(left), 'left as it is');
      return { stack, world };
    },
    trouble: (fault, what) => logger.error(faultFields(fault), TROUBLE[what]),
  });
  try {
    await keep(context, flags, followed, stop, logger);
  } finally {
    await followed.close();
    lock.release();
  }
}

/** A person's mistake has what to do next, and no stack. */
function faultFields(fault: unknown): object {
  if (!(fault instanceof OperatorFault)) return { err: fault };
  const { text, command } = remedyOf(fault);
  return { code: fault.code, what: fault.message, remedy: text, ...(command !== null && { next: command }) };
}

const TROUBLE = {
  'stack-file': 'the stack cannot be read; what was read before is kept',
  roots: 'the authority did not say which roots there are; it will be asked again',
} as const;

async function keep(
  context: Context,
  flags: StackFlags,
  followed: FollowedStack,
  stop: Stop,
  logger: Logger,
): Promise<void> {
  const work = hostLock(workLockPath(context.paths));
  let wake = (): void => {};
  const journal = () => journalOf(context.paths, followed.stack()?.name ?? '');
  await keepStack(
    {
      changedMembers: async () => ((await followed.changed()) ? lanesOf(followed.stack()) : null),
      look: (member) => followed.use((stack, world) => look(work, stack, world, member, logger)),
      journal: {
        read: (name) => journal().read(name),
        write(name, record) {
          try {
            journal().write(name, record);
          } catch (fault) {
            // A full disk: the agent goes on, and would only forget its back-off over a restart.
            logger.error({ err: fault }, 'what failed could not be recorded');
          }
        },
      },
      clock: wallClock,
      clockStep: clockStepWatch(),
      pause: (ms) =>
        stop.pause(ms, (end) => {
          wake = end;
        }),
      wake: () => wake(),
      stopping: () => stop.asked,
      draw: Math.random,
      tell: (event) => tell(logger, event),
    },
    flags.interval ?? 60,
  );
}

/** Services of a kind share programs and files: they follow one another. */
function lanesOf(stack: Stack | null): Member[] {
  return stackMembers(stack ?? { services: [], clients: [] }).map((member) => ({
    name: memberId(member),
    lane: member.kind === 'client' ? 'clients' : member.service.kind,
  }));
}

async function look(
  work: HostLock,
  stack: Stack,
  world: StackWorld,
  { name }: Member,
  logger: Logger,
): Promise<Looked> {
  const member = stackMembers(stack).find((candidate) => memberId(candidate) === name);
  if (!member) return { kind: 'good', changed: false, renewAt: null };
  if (!work.enter()) return { kind: 'busy' };
  try {
    const looked = await lookAtMember(world, stack, member);
    if (looked.kind === 'good' && looked.changed)
      logger.info(summaryOf(looked, member), 'brought to what the stack file says');
    return looked;
  } finally {
    work.leave();
  }
}

function summaryOf(looked: Extract<Looked, { kind: 'good' }>, { kind, name }: StackMember) {
  const { renewAt, notes = [] } = looked;
  return {
    [kind]: name,
    ...(renewAt !== null && { renewAt: formatRfc3339(renewAt) }),
    ...(notes.length > 0 && { notes }),
  };
}

function tell(logger: Logger, event: KeepEvent): void {
  switch (event.kind) {
    case 'clock-set':
      logger.warn({ seconds: event.seconds }, 'the clock was set: everything is looked at again');
      break;
    case 'recovered':
      logger.info({ member: event.member.name, failures: event.failures }, 'works again');
      break;
    case 'failed': {
      const { member, record, waitSeconds } = event;
      logger.error(
        { member: member.name, ...record.error, failures: record.failures, nextTryInSeconds: waitSeconds },
        'could not be brought to what the stack file says',
      );
    }
  }
}

interface Stop {
  readonly asked: boolean;
  /** Ends after so long, at a signal, or by the function that is handed out. */
  readonly pause: (ms: number, onStart: (end: () => void) => void) => Promise<void>;
}

/** Work in hand is finished: a service is never left between two states. */
function stopSignal(): Stop {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());
  return {
    get asked() {
      return stopping.signal.aborted;
    },
    pause: (ms, onStart) =>
      new Promise((resolve) => {
        if (stopping.signal.aborted) return resolve();
        const end = (): void => {
          clearTimeout(timer);
          stopping.signal.removeEventListener('abort', end);
          resolve();
        };
        const timer = setTimeout(end, ms);
        stopping.signal.addEventListener('abort', end);
        onStart(end);
      }),
  };
}
