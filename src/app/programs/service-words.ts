/** What a service of the stack file says itself of what goes wrong: by its check of its configuration, and in its logs. */
import { mayFollowFromLoad } from '../../core/diagnosis/explained.ts';
import { type Finding, hasError } from '../../core/diagnosis/finding.ts';
import { checkFindings } from '../../core/diagnosis/judge-check.ts';
import {
  decidedBy,
  type LoadFailure,
  loadFailures,
  standingFailure,
  standsSince,
} from '../../core/diagnosis/judge-log.ts';
import { LOG_HABITS } from '../../core/diagnosis/log-habits.ts';
import type { ListeningProcess } from '../../core/diagnosis/pair-facts.ts';
import { commandLine } from '../../core/services/action-text.ts';
import type { Action } from '../../core/services/service-kind.ts';
import type { ServiceSpec } from '../../core/stack/stack.ts';
import type { Instant } from '../../core/time/instant.ts';
import { changedAt } from '../../edge/files/path-walk.ts';
import { runAction } from '../../edge/reload/run-action.ts';
import { sleep, wallClock } from '../../edge/system/clock.ts';
import { type ReadLog, resolvedFor, serviceLogs } from './service-logs.ts';

/** What is known of it without asking. */
export interface SeenService {
  readonly target: string;
  readonly listener: ListeningProcess | null;
  /** When the look at it began. */
  readonly lookedAt: Instant;
  readonly endpoint: readonly Finding[];
  readonly files: readonly Finding[];
  readonly check: Action | null;
  readonly pairFiles: readonly string[];
  /** The pair on disk is what is served. */
  readonly isServed: boolean;
}

export interface OwnWords {
  /** What was seen from outside; surer, where the log decides. */
  readonly endpoint: readonly Finding[];
  /** What it says of its configuration. */
  readonly findings: readonly Finding[];
  readonly logs: readonly ReadLog[];
}

/** Lines about the last connection may still be on their way. */
const LOG_DELAY_MS = 200;

export async function ownWords(service: ServiceSpec, seen: SeenService): Promise<OwnWords> {
  const { target, listener, lookedAt, endpoint, files } = seen;
  if (hasError(endpoint)) await sleep(LOG_DELAY_MS);
  const now = wallClock();
  const { lines, read } = serviceLogs(service, listener, standsSince(listener, now), now);
  const context = { habits: LOG_HABITS[service.kind], listener, now, where: { target } };
  const failures = loadFailures(lines, context);
  const logged = standingFailure(failures, {
    changedAt: changesOf(failures, service, seen),
    pairFiles: seen.pairFiles,
    isServed: seen.isServed,
  });
  const isWrong = hasError([...endpoint, ...files]);
  const checked = isWrong || logged !== null ? await refusedCheck(service, seen) : 'unasked';
  return {
    endpoint: decidedBy(
      lines.filter(({ at }) => at >= lookedAt),
      endpoint,
      context.where,
    ),
    findings: bothSaid(checked, logged, [...endpoint, ...files].some(mayFollowFromLoad)),
    logs: read,
  };
}

/** "passed": it finds nothing. "unasked": there is none, or nothing is wrong. */
type Checked = readonly Finding[] | 'passed' | 'unasked';

/** Only where something is wrong: a check may take its time, and reads what a running service has read already. */
async function refusedCheck({ name }: ServiceSpec, { target, check }: SeenService): Promise<Checked> {
  if (check === null) return 'unasked';
  const { ok, output } = await runAction(check);
  return ok ? 'passed' : checkFindings({ service: name, target, command: commandLine(check), output });
}

/** The check is the present, the log the past. @param isFelt what is wrong may come of it */
function bothSaid(checked: Checked, logged: Finding | null, isFelt: boolean): readonly Finding[] {
  if (typeof checked !== 'string') {
    const [first, ...rest] = checked;
    const isSame = first !== undefined && logged !== null && first.id === logged.id;
    return isSame
      ? [{ ...first, evidence: { ...first.evidence, log: logged.evidence.log ?? null } }, ...rest]
      : checked;
  }
  if (logged === null || (checked === 'passed' && !isFelt)) return [];
  // Nobody is the worse for it yet: until the next start.
  return [isFelt ? logged : { ...logged, severity: 'warning', confidence: 'likely' }];
}

/** Also of the links on the way, which a renewal replaces. */
function changesOf(
  failures: readonly LoadFailure[],
  service: ServiceSpec,
  { listener, pairFiles }: SeenService,
): ReadonlyMap<string, Instant> {
  const files = new Set([...failures.flatMap(({ file }) => (file === null ? [] : [file])), ...pairFiles]);
  return new Map(
    [...files].flatMap((file) => {
      const at = changedAt(resolvedFor(service, listener, file));
      return at === null ? [] : [[file, at] as const];
    }),
  );
}
