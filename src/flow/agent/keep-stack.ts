/**
 * The stack as its file says, for ever: each member (a service or a client) is looked at when something is due for it, when
 * the stack file changed, when the clock was set, and in any case now and then; what failed is tried again with back-off.
 *
 * Members of one lane share a process or a file and follow one another; lanes do not wait for each other, so that
 * a service that hangs delays only its own kind. When nothing is due a tick touches no member at all.
 */
import { backOffSeconds } from '../../core/renewal/back-off.ts';
import { addSeconds, type Instant } from '../../core/time/instant.ts';

export interface Member {
  readonly name: string;
  readonly lane: string;
}

/** What a look at a member found and did. */
export type Looked =
  | {
      readonly kind: 'good';
      readonly changed: boolean;
      readonly renewAt: Instant | null;
      readonly notes?: readonly string[];
    }
  /** Somebody else is changing this host: not a failure, only later. */
  | { readonly kind: 'busy' }
  | {
      readonly kind: 'failed';
      readonly error: MemberError;
      /** When the certificate in use ends; null when there is none. */
      readonly notAfter: Instant | null;
      readonly retryAfterSeconds: number | null;
    };

export interface MemberError {
  /** The step that failed, such as "reload". */
  readonly step: string;
  readonly detail: string;
  readonly remedy: string | null;
}

/** What is known about a member that failed, beyond the life of the agent. */
export interface FailureRecord {
  readonly failures: number;
  readonly retryAt: Instant;
  readonly error: MemberError;
}

export interface KeepPorts {
  /** The members as they are to be kept now; null: as before. A file that cannot be read changes nothing. */
  readonly changedMembers: () => Promise<readonly Member[] | null>;
  readonly look: (member: Member) => Promise<Looked>;
  readonly journal: {
    readonly read: (name: string) => FailureRecord | null;
    readonly write: (name: string, record: FailureRecord | null) => void;
  };
  readonly clock: () => Instant;
  /** By how many seconds the wall clock was set since the last call. */
  readonly clockStep: () => number;
  /** Ends after so many milliseconds, or when the agent is to stop, or when `wake` is called. */
  readonly pause: (ms: number) => Promise<void>;
  readonly wake: () => void;
  readonly stopping: () => boolean;
  /** 0 to 1, random. */
  readonly draw: () => number;
  readonly tell: (event: KeepEvent) => void;
}

export type KeepEvent =
  | { readonly kind: 'failed'; readonly member: Member; readonly record: FailureRecord; readonly waitSeconds: number }
  | { readonly kind: 'recovered'; readonly member: Member; readonly failures: number }
  | { readonly kind: 'clock-set'; readonly seconds: number };

/** A member is looked at so often although nothing is due: a person may have changed something. */
const FULL_LOOK_SECONDS = 3600;
const BUSY_SECONDS = 2;
/** Less is the daily work of a time service. */
const CLOCK_STEP_SECONDS = 2;

/** Ends when the ports say that it is to stop, with the work in hand finished. */
export async function keepStack(ports: KeepPorts, intervalSeconds: number): Promise<void> {
  const nextLook = new Map<string, Instant>();
  let members: readonly Member[] = [];
  const lanes = new Map<string, Promise<void>>();

  while (!ports.stopping()) {
    const step = ports.clockStep();
    const now = ports.clock();
    if (Math.abs(step) >= CLOCK_STEP_SECONDS) {
      ports.tell({ kind: 'clock-set', seconds: step });
      for (const { name } of members) nextLook.set(name, now);
    }
    const changed = await ports.changedMembers();
    if (changed !== null) {
      members = changed;
      schedule(ports, members, nextLook, now);
    }
    startLanes(ports, members, nextLook, lanes, now);
    await ports.pause(waitMs(members, nextLook, lanes, ports.clock(), intervalSeconds));
  }
  await Promise.all(lanes.values());
}

/** Everything at once after a change; what has failed keeps its time, also across a restart of the agent. */
function schedule(
  { journal }: KeepPorts,
  members: readonly Member[],
  nextLook: Map<string, Instant>,
  now: Instant,
): void {
  const first = nextLook.size === 0;
  nextLook.clear();
  for (const { name } of members) {
    const failed = first ? journal.read(name) : null;
    nextLook.set(name, failed === null ? now : (Math.max(now, failed.retryAt) as Instant));
  }
}

function startLanes(
  ports: KeepPorts,
  members: readonly Member[],
  nextLook: Map<string, Instant>,
  lanes: Map<string, Promise<void>>,
  now: Instant,
): void {
  const due = new Map<string, Member[]>();
  for (const member of members) {
    if ((nextLook.get(member.name) ?? now) > now || lanes.has(member.lane)) continue;
    const lane = due.get(member.lane);
    if (lane) lane.push(member);
    else due.set(member.lane, [member]);
  }
  for (const [name, waiting] of due) {
    const work = runLane(ports, waiting, nextLook).finally(() => {
      lanes.delete(name);
      ports.wake();
    });
    lanes.set(name, work);
  }
}

async function runLane(ports: KeepPorts, members: readonly Member[], nextLook: Map<string, Instant>): Promise<void> {
  for (const member of members) {
    if (ports.stopping()) return;
    const at = await lookAt(ports, member);
    // Taken out of the stack while it was looked at: it does not come back.
    if (nextLook.has(member.name)) nextLook.set(member.name, at);
  }
}

/** When the member is to be looked at again. */
async function lookAt(ports: KeepPorts, member: Member): Promise<Instant> {
  const looked = await ports.look(member);
  const now = ports.clock();
  const before = ports.journal.read(member.name);
  switch (looked.kind) {
    case 'busy':
      return addSeconds(now, BUSY_SECONDS);
    case 'good': {
      if (before !== null) {
        ports.journal.write(member.name, null);
        ports.tell({ kind: 'recovered', member, failures: before.failures });
      }
      const full = addSeconds(now, Math.round(FULL_LOOK_SECONDS * (0.75 + 0.5 * ports.draw())));
      const next = looked.renewAt === null ? full : Math.min(full, looked.renewAt);
      return Math.max(next, addSeconds(now, 1)) as Instant;
    }
    case 'failed': {
      const failures = (before?.failures ?? 0) + 1;
      const remainingSeconds = looked.notAfter === null ? null : looked.notAfter - now;
      const { retryAfterSeconds } = looked;
      const waitSeconds = backOffSeconds({ failures, remainingSeconds, retryAfterSeconds }, ports.draw());
      const record = { failures, retryAt: addSeconds(now, waitSeconds), error: looked.error };
      ports.journal.write(member.name, record);
      ports.tell({ kind: 'failed', member, record, waitSeconds });
      return record.retryAt;
    }
  }
}

/** Never longer than the interval: the clock may be set, and the stack file may change. */
function waitMs(
  members: readonly Member[],
  nextLook: Map<string, Instant>,
  lanes: ReadonlyMap<string, unknown>,
  now: Instant,
  intervalSeconds: number,
): number {
  let earliest = addSeconds(now, intervalSeconds);
  for (const { name, lane } of members) {
    const at = nextLook.get(name) ?? earliest;
    // A lane at work wakes the loop when it ends.
    if (at < earliest && !lanes.has(lane)) earliest = at;
  }
  return Math.max(0, earliest - now) * 1000;
}
