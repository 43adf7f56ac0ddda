/** What `diagnose` does: the verdict first, the cause in one sentence, the next command ready to paste; evidence behind -v and --json. */
import { type ClientLimits, clientLimits } from '../../core/diagnosis/client-limits.ts';
import { confidenceOf, type Finding, hasError } from '../../core/diagnosis/finding.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { readCertificates } from '../../edge/files/certificate-files.ts';
import { addressesOf } from '../../edge/net/addresses.ts';
import { diagnoseEndpoint } from '../../flow/diagnose/diagnose-endpoint.ts';
import type { DiagnoseOptions } from '../../flow/diagnose/diagnose-ports.ts';
import { type Context, print } from '../cli/context.ts';
import type { DiagnoseFlags } from '../cli/diagnose.ts';
import { paint } from '../cli/fault-output.ts';
import { clientIdentity } from '../programs/client-identity.ts';
import { diagnosePorts, diagnoseTrust } from '../programs/diagnose-world.ts';
import { wantedTargets } from '../programs/probe-targets.ts';

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
  const options: DiagnoseOptions = {
    client: clientIdentity(flags.clientCert, flags.clientKey),
    clientChain: flags.clientCert === undefined ? [] : readCertificates(flags.clientCert),
    limits: limitsOf(flags),
    timeoutMs: flags.timeout * 1000,
    trust: diagnoseTrust(context.paths, flags.ca, flags.intermediates),
  };
  const ports = diagnosePorts(options.timeoutMs);
  const diagnosed = await Promise.all(
    wantedTargets(texts, flags).map(async ({ target, connect }): Promise<DiagnosedTarget> => {
      const { host, port } = connect ?? target;
      const dials = (await addressesOf(host)).map((ip) => ({ host: ip, port }));
      const { address, reachable, findings, seen } = await diagnoseEndpoint(ports, target, dials, options);
      const healthy = seen ? `${seen.version}, ${seen.suite}` : '';
      return { target: target.text, address, reachable, findings, healthy };
    }),
  );
  report(context, diagnosed, flags.verbose === true);
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
