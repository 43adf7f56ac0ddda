/**
 * What a service's log adds to what a client and the files show. The log is the past: a line counts only if nothing went well
 * since, and only for what it was written about: taking up a configuration, or the very connections of this diagnosis.
 */
import type { Instant } from '../time/instant.ts';
import { addSeconds, formatRfc3339 } from '../time/instant.ts';
import { causeFinding } from './causes.ts';
import { explainMessage } from './explain-message.ts';
import { CONFIDENCES, confidenceOf, type Evidence, type Finding, type FindingPlace } from './finding.ts';
import { LOAD_CAUSES } from './judge-check.ts';
import type { LogHabits } from './log-habits.ts';
import type { LogLine } from './log-lines.ts';
import { shown } from './message-text.ts';
import type { ListeningProcess } from './pair-facts.ts';

export interface LogContext {
  readonly habits: LogHabits;
  readonly listener: ListeningProcess | null;
  readonly now: Instant;
  readonly where: FindingPlace;
}

export interface LoadFailure {
  readonly finding: Finding;
  readonly at: Instant;
  /** As the line names it; null: it names none. */
  readonly file: string | null;
}

/** Where nothing runs, nobody knows when it ended. */
const RECENT_SECONDS = 3600;
/** Lines of one start or reload. */
const ATTEMPT_SECONDS = 2;
const MOST_FAILURES = 8;

/** Lines are worth reading from here on: nothing has begun anew since. */
export function standsSince(listener: ListeningProcess | null, now: Instant): Instant {
  if (listener === null) return addSeconds(now, -RECENT_SECONDS);
  const { startedAt, youngestStartedAt } = listener;
  // A process that is younger than its master came with a reload that went well; else the start itself counts.
  return youngestStartedAt > startedAt + 1 ? addSeconds(youngestStartedAt, 1) : addSeconds(startedAt, -1);
}

/** What stopped the latest start or reload, latest first; empty: nothing is known to have. */
export function loadFailures(lines: readonly LogLine[], { habits, listener, now, where }: LogContext): LoadFailure[] {
  const { loads, begins } = habits;
  if (loads === null) return [];
  const since = standsSince(listener, now);
  const places = [...Map.groupBy(lines, ({ place }) => place).values()];
  const latest = places
    .flatMap((all) => all.slice(all.findLastIndex(({ text }) => begins?.test(text) ?? false) + 1))
    .filter(({ at, text }) => at >= since && at <= now && loads.test(text))
    .toReversed()
    .toSorted((a, b) => b.at - a.at);
  const failures = latest.slice(0, MOST_FAILURES).flatMap((line) => {
    const causes = explained(line, where).filter(({ id }) => LOAD_CAUSES.includes(id));
    const [named, other] = causes;
    if (named === undefined) return [];
    const { file } = named.evidence;
    const isClear = other === undefined || confidenceOf(other) !== confidenceOf(named);
    const finding = withLine(isClear ? named : unclear(line, causes, where), line);
    return [{ finding, at: line.at, file: typeof file === 'string' ? file : null }];
  });
  const [newest] = failures;
  return newest === undefined ? [] : failures.filter(({ at }) => at >= newest.at - ATTEMPT_SECONDS);
}

/** The words fit several causes alike: then they are what is known. */
function unclear({ place, text }: LogLine, causes: readonly Finding[], where: FindingPlace): Finding {
  return causeFinding('config-refused', {
    subject: place,
    where,
    what: `The service could not take up its configuration; its log says: “${shown(text)}”.`,
    confidence: 'likely',
    evidence: { fits: causes.map(({ id }) => id) },
    remedy: {
      text: 'See whether the file that the configuration names there exists, is whole, and may be read by the service; mend it, and start or reload.',
    },
  });
}

export interface LoadFacts {
  /** File → when it, or what it leads to, was last changed in any way; absent: it is not there, or not to be seen. */
  readonly changedAt: ReadonlyMap<string, Instant>;
  /** What the pair's own files are called. */
  readonly pairFiles: readonly string[];
  /** The pair on disk is what is served: then it was taken up. */
  readonly isServed: boolean;
}

/** null: since it was written, its file was changed, or the pair was taken up all the same. */
export function standingFailure(
  failures: readonly LoadFailure[],
  { changedAt, pairFiles, isServed }: LoadFacts,
): Finding | null {
  const standing = failures.find(({ at, file }) => {
    const files = file === null ? pairFiles : [file];
    if (isServed && (file === null || pairFiles.includes(file))) return false;
    return files.every((one) => (changedAt.get(one) ?? 0) <= at);
  });
  return standing?.finding ?? null;
}

/**
 * Where the handshake leaves several causes, what the service wrote meanwhile may name one of them.
 *
 * @param lines written while it was looked at
 */
export function decidedBy(lines: readonly LogLine[], endpoint: readonly Finding[], where: FindingPlace): Finding[] {
  const uncertain = endpoint.filter((finding) => confidenceOf(finding) !== 'certain');
  if (uncertain.length === 0) return [...endpoint];
  const said = lines.flatMap((line) => explained(line, where).map((finding) => ({ finding, line })));
  const rank = (one: Finding): number => CONFIDENCES.indexOf(confidenceOf(one));
  const fitting = said.filter(({ finding }) => uncertain.some(({ id }) => id === finding.id));
  const best = Math.min(...fitting.map(({ finding }) => rank(finding)));
  const named = fitting.filter(({ finding }) => rank(finding) === best && best < CONFIDENCES.indexOf('possible'));
  const last = named.at(-1);
  if (last === undefined || named.some(({ finding }) => finding.id !== last.finding.id)) return [...endpoint];
  return endpoint
    .filter((finding) => !uncertain.includes(finding) || finding.id === last.finding.id)
    .map((finding) => (uncertain.includes(finding) ? surer(finding, last) : finding));
}

function surer(finding: Finding, { finding: said, line }: { finding: Finding; line: LogLine }): Finding {
  const { confidence, ...rest } = withLine(finding, line);
  return confidenceOf(said) === 'certain' || confidence === undefined ? rest : { ...rest, confidence };
}

function explained({ text }: LogLine, where: FindingPlace): readonly Finding[] {
  return explainMessage(text, { side: 'server', where });
}

function withLine(finding: Finding, line: LogLine): Finding {
  return { ...finding, evidence: { ...finding.evidence, log: lineEvidence(line) } };
}

function lineEvidence({ place, line, at, text }: LogLine): Evidence {
  return { place, line, at: formatRfc3339(at), said: shown(text) };
}
