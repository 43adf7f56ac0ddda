/** What `diagnose` does: the verdict first, the cause in one sentence, the next command ready to paste; evidence behind -v and --json. */
import { existsSync } from 'node:fs';
import { causeFinding } from '../../core/diagnosis/causes.ts';
import { type ClientLimits, clientLimits } from '../../core/diagnosis/client-limits.ts';
import { confidenceOf, type Finding, hasError } from '../../core/diagnosis/finding.ts';
import { urlFiles } from '../../core/diagnosis/url-files.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { Target } from '../../core/probe/target.ts';
import { readCertificates } from '../../edge/files/certificate-files.ts';
import { addressesOf } from '../../edge/net/addresses.ts';
import { diagnoseEndpoint } from '../../flow/diagnose/diagnose-endpoint.ts';
import type { DiagnoseOptions } from '../../flow/diagnose/diagnose-ports.ts';
import { type Context, print } from '../cli/context.ts';
import type { DiagnoseFlags } from '../cli/diagnose.ts';
import { paint } from '../cli/fault-output.ts';
import { clientIdentity } from '../programs/client-identity.ts';
import { diagnosePorts, diagnoseTrust } from '../programs/diagnose-world.ts';
import { type WantedTarget, wantedTargets } from '../programs/probe-targets.ts';

/** One target, or one file, and what is wrong with it. */
export interface DiagnosedTarget {
  readonly target: string;
  readonly address: string | null;
  readonly reachable: boolean;
  readonly findings: readonly Finding[];
  /** Where nothing is wrong: what was seen. */
  readonly healthy: string;
}

export async function diagnose(context: Context, texts: readonly string[], flags: DiagnoseFlags): Promise<void> {
  const limits = limitsOf(flags);
  const diagnosed = await Promise.all(
    wantedTargets(texts, flags).map((wanted) => diagnoseTarget(context, wanted, flags, limits)),
  );
  report(context, diagnosed, flags.verbose === true);
}

async function diagnoseTarget(
  { paths }: Context,
  { target, connect }: WantedTarget,
  flags: DiagnoseFlags,
  limits: ClientLimits,
): Promise<DiagnosedTarget> {
  const files = urlFiles(target.url);
  const missing = Object.values(files).find((file) => file !== null && !existsSync(file)) ?? null;
  if (missing !== null) return unusable(target, missing);
  const [clientCert, clientKey] = [flags.clientCert ?? files.certificate, flags.clientKey ?? files.key];
  const timeoutMs = flags.timeout * 1000;
  const options: DiagnoseOptions = {
    client: clientIdentity(clientCert ?? undefined, clientKey ?? undefined),
    clientChain: clientCert === null ? [] : readCertificates(clientCert),
    limits,
    timeoutMs,
    trust: diagnoseTrust(paths, flags.ca ?? files.ca ?? undefined, flags.intermediates),
  };
  const { host, port } = connect ?? target;
  const dials = (await addressesOf(host)).map((ip) => ({ host: ip, port }));
  const diagnosed = await diagnoseEndpoint(diagnosePorts(timeoutMs), target, dials, options);
  const { address, reachable, findings, seen } = diagnosed;
  const healthy = seen ? `${seen.version}, ${seen.suite}` : '';
  return { target: target.text, address, reachable, findings, healthy };
}

/** The URL names a file that is not here: its driver refuses before it connects. */
function unusable({ text }: Target, file: string): DiagnosedTarget {
  const finding = causeFinding('file-missing', {
    subject: file,
    where: { target: text },
    what: `The URL names ${file}, and there is no such file.`,
    evidence: { file },
    words: { file },
  });
  return { target: text, address: null, reachable: true, findings: [finding], healthy: '' };
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

function report(context: Context, diagnosed: readonly DiagnosedTarget[], verbose: boolean): void {
  const isOk = ({ findings }: DiagnosedTarget): boolean => !hasError(findings);
  const targets = diagnosed.map((one) => ({
    target: one.target,
    address: one.address,
    ok: isOk(one),
    findings: one.findings,
  }));
  print(context, { ok: diagnosed.every(isOk), targets }, () => diagnosed.flatMap((one) => linesOf(one, verbose)));
  const bad = diagnosed.filter((one) => !isOk(one));
  if (bad.length > 0) process.exitCode = bad.every(({ reachable }) => !reachable) ? 3 : 1;
}

function linesOf({ target, address, findings, healthy }: DiagnosedTarget, verbose: boolean): string[] {
  const where = address === null || target.includes(address) ? target : `${target} (${address})`;
  if (findings.length === 0)
    return [`${paint('green', '✓', process.stdout)} ${where}  nothing is wrong${healthy === '' ? '' : `: ${healthy}`}`];
  return [
    ...findings.flatMap((finding, index) => findingLines(finding, index === 0 ? where : null, verbose)),
    ...(hasError(findings) && !findings.some(({ remedy }) => remedy.command?.startsWith('fullchain diagnose'))
      ? [`    ${paint('dim', 'then:', process.stdout)} fullchain diagnose ${target}`]
      : []),
  ];
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
