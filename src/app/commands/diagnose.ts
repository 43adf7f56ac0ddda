/** What `diagnose` does: the verdict first, the cause in one sentence, the next command ready to paste; evidence behind -v and --json. */
import type { CauseId } from '../../core/diagnosis/causes.ts';
import { type ClientLimits, clientLimits } from '../../core/diagnosis/client-limits.ts';
import { explainMessage } from '../../core/diagnosis/explain-message.ts';
import { confidenceOf, type Finding, hasError } from '../../core/diagnosis/finding.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { readInput } from '../../edge/files/certificate-files.ts';
import { type Context, print } from '../cli/context.ts';
import type { DiagnoseFlags } from '../cli/diagnose.ts';
import { paint } from '../cli/fault-output.ts';
import { diagnoseChallenge } from '../programs/diagnose-challenge.ts';
import { type DiagnosedSubject, diagnoseSubject } from '../programs/diagnose-subject.ts';
import { subjectsOf } from '../programs/diagnose-subjects.ts';
import type { ReadLog } from '../programs/service-logs.ts';

export async function diagnose(context: Context, texts: readonly string[], flags: DiagnoseFlags): Promise<void> {
  if (flags.message !== undefined) return report(context, [explainedMessage(flags)], flags.verbose === true);
  const limits = limitsOf(flags);
  const challenges = await Promise.all(texts.map((text) => diagnoseChallenge(text, flags)));
  const others = texts.filter((_, index) => challenges[index] === null);
  const subjects = others.length < texts.length && others.length === 0 ? [] : await subjectsOf(others, flags);
  const diagnosed = [
    ...challenges.filter((challenge) => challenge !== null),
    ...(await Promise.all(subjects.map((subject) => diagnoseSubject(context.paths, subject, flags, limits)))),
  ];
  report(context, diagnosed, flags.verbose === true);
}

/** @throws OperatorFault input-unreadable */
function explainedMessage({ message = '-', side }: Pick<DiagnoseFlags, 'message' | 'side'>): DiagnosedSubject {
  const findings = explainMessage(Buffer.from(readInput(message)).toString('utf8'), {
    side: side ?? null,
    where: { target: message },
  });
  return { target: message, address: null, findings, healthy: null, again: null };
}

/** @throws OperatorFault usage */
function limitsOf({ tlsMin, tlsMax, suites, groups }: DiagnoseFlags): ClientLimits {
  const limits = clientLimits({
    ...(tlsMin !== undefined && { tlsMin }),
    ...(tlsMax !== undefined && { tlsMax }),
    ...(suites !== undefined && { suites }),
    ...(groups !== undefined && { groups }),
  });
  if ('why' in limits) throw new OperatorFault('usage', limits.why);
  return limits;
}

/** No connection was made at all. */
const UNREACHED: readonly string[] = [
  'name-not-resolved',
  'connection-refused',
  'connect-timeout',
] satisfies readonly CauseId[];

function report(context: Context, diagnosed: readonly DiagnosedSubject[], verbose: boolean): void {
  const isOk = ({ findings }: DiagnosedSubject): boolean => !hasError(findings);
  const targets = diagnosed.map((one) => ({
    target: one.target,
    address: one.address,
    ok: isOk(one),
    findings: one.findings,
    ...(one.logs && { logs: one.logs }),
  }));
  print(context, { ok: diagnosed.every(isOk), targets }, () => diagnosed.flatMap((one) => linesOf(one, verbose)));
  const errors = diagnosed.flatMap(({ findings }) => findings.filter(({ severity }) => severity === 'error'));
  if (errors.length > 0) process.exitCode = errors.every(({ id }) => UNREACHED.includes(id)) ? 3 : 1;
}

function linesOf({ target, address, findings, healthy, again, logs }: DiagnosedSubject, verbose: boolean): string[] {
  const where = address === null || target.includes(address) ? target : `${target} (${address})`;
  const looked = verbose ? (logs ?? []).map(logLine) : [];
  if (findings.length === 0) return [emptyLine(where, healthy), ...looked];
  return [
    ...findings.flatMap((finding, index) => findingLines(finding, index === 0 ? where : null, verbose)),
    ...(again !== null &&
    findings.some(({ severity }) => severity !== 'info') &&
    !findings.some(({ remedy }) => remedy.command?.startsWith('fullchain diagnose'))
      ? [`    ${paint('dim', 'then:', process.stdout)} ${again}`]
      : []),
    ...looked,
  ];
}

function logLine({ place, lines, unread }: ReadLog): string {
  return `    ${paint('dim', 'log:', process.stdout)} ${place}: ${unread === undefined ? `${lines} lines of now` : `not read (${unread})`}`;
}

function emptyLine(where: string, healthy: string | null): string {
  return healthy === null
    ? `${paint('yellow', '?', process.stdout)} ${where}  nothing in this text is known; diagnose where it came from: fullchain diagnose HOST:PORT`
    : `${paint('green', '✓', process.stdout)} ${where}  nothing is wrong${healthy === '' ? '' : `: ${healthy}`}`;
}

const MARKS = { error: ['red', '✗'], warning: ['yellow', '!'], info: ['dim', 'i'] } as const;

function findingLines(finding: Finding, where: string | null, verbose: boolean): string[] {
  const { id, severity, what, why, remedy, evidence } = finding;
  const [colour, mark] = MARKS[severity];
  const sure = confidenceOf(finding);
  return [
    ...(where === null ? [] : [`${paint(colour, mark, process.stdout)} ${where}`]),
    `    ${paint(colour, severity, process.stdout)}  ${what}  ${paint('dim', `(${id}${sure === 'certain' ? '' : `, ${sure}`})`, process.stdout)}`,
    `    ${why}`,
    `    ${paint('bold', 'next:', process.stdout)} ${remedy.text}`,
    ...(remedy.command === undefined ? [] : [`          ${remedy.command}`]),
    ...(verbose
      ? JSON.stringify(evidence, null, 2)
          .split('\n')
          .map((line) => `      ${line}`)
      : []),
  ];
}
