/** What `probe` does: verdict first, then the cause and the next command; everything else behind -v and --json. */
import { isReachable } from '../../core/probe/endpoint-facts.ts';
import type { GradeLetter } from '../../core/probe/grade.ts';
import { isGood, type ProbedEndpoint, probeDocument } from '../../core/probe/probe-document.ts';
import { probeDetails, probeLines } from '../../core/probe/probe-lines.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { type Context, print } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import type { ProbeFlags } from '../cli/probe.ts';
import { clientIdentity } from '../programs/client-identity.ts';
import { clientTrust } from '../programs/client-trust.ts';
import { probeEndpoints } from '../programs/probe-endpoints.ts';
import { wantedTargets } from '../programs/probe-targets.ts';

export async function probe(context: Context, texts: readonly string[], flags: ProbeFlags): Promise<void> {
  const wanted = wantedTargets(texts, flags);
  const progress = progressOf(context, wanted.length);
  const probed = await probeEndpoints(wanted, {
    client: clientIdentity(flags.clientCert, flags.clientKey),
    timeoutMs: flags.timeout * 1000,
    thorough: flags.thorough === true,
    concurrency: flags.concurrency,
    rate: flags.rate,
    trust: clientTrust(context.paths, flags.ca, flags.intermediates),
    onDone: progress.step,
  });
  progress.end();
  print(context, { ok: probed.every(isGood), targets: probed.map(probeDocument) }, () =>
    probed.flatMap((endpoint) => linesOf(endpoint, flags.verbose === true)),
  );
  process.exitCode = exitOf(probed);
}

function exitOf(probed: readonly ProbedEndpoint[]): number {
  const bad = probed.filter((endpoint) => !isGood(endpoint));
  if (bad.length === 0) return 0;
  return bad.some(({ facts }) => isReachable(facts)) ? 1 : 3;
}

function linesOf(endpoint: ProbedEndpoint, verbose: boolean): string[] {
  const { verdict, findings, advice, gaps, command } = probeLines(endpoint, wallClock());
  return [
    `${mark(isGood(endpoint))} ${gradeOf(endpoint)}${verdict}`,
    ...findings.flatMap(({ severity, what, id }) => [
      `    ${paint(severity === 'error' ? 'red' : severity === 'warning' ? 'yellow' : 'dim', severity, process.stdout)}  ${what}  ${paint('dim', `(${id})`, process.stdout)}`,
    ]),
    ...gaps.map((line) => `    ${paint('yellow', line, process.stdout)}`),
    ...advice.map((line) => `    ${line}`),
    ...(command === null ? [] : [`    ${paint('bold', 'next:', process.stdout)} ${command}`]),
    ...(verbose ? probeDetails(endpoint).map((line) => `    ${line}`) : []),
  ];
}

function gradeOf({ grade }: ProbedEndpoint): string {
  if (grade === null) return '';
  const { letter, isUpperBound } = grade;
  const words = isUpperBound ? `at best ${letter}` : letter.padEnd(2);
  return `${paint(isUpperBound ? 'yellow' : colourOf(letter), words, process.stdout)} `;
}

function mark(ok: boolean): string {
  return ok ? paint('green', '✓', process.stdout) : paint('red', '✗', process.stdout);
}

function colourOf(letter: GradeLetter): 'green' | 'yellow' | 'red' {
  return letter.startsWith('A') ? 'green' : letter === 'F' ? 'red' : 'yellow';
}

/** On a terminal, of more than one target; it leaves nothing behind. */
function progressOf({ quiet }: Context, of: number): { readonly step: () => void; readonly end: () => void } {
  if (quiet || of < 2 || !process.stderr.isTTY) return { step: () => {}, end: () => {} };
  let done = 0;
  const show = (): void => void process.stderr.write(`\r${done} of ${of} targets`);
  show();
  return {
    step: () => {
      done++;
      show();
    },
    end: () => void process.stderr.write('\r\x1b[K'),
  };
}
