/** A server that could not be judged for want of a chain: that is a finding as well, in the same document as all others. */
import { CAUSES, type CauseId, causeFinding } from '../../core/diagnosis/causes.ts';
import { OPERATOR_FAULTS, OperatorFault } from '../../core/faults/operator-faults.ts';
import { withoutPassword } from '../../core/probe/target.ts';
import { printable } from '../../core/x509/describe.ts';
import { type Context, print } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';

/** @param document what else the command answers, empty; @throws what is not about the server */
export async function judgedTarget(
  context: Context,
  text: string,
  document: Readonly<Record<string, readonly unknown[]>>,
  judge: () => Promise<void>,
): Promise<void> {
  try {
    await judge();
  } catch (fault) {
    const cause = fault instanceof OperatorFault ? fault.facts.cause : undefined;
    if (!(fault instanceof OperatorFault) || !isCause(cause)) throw fault;
    const { host, port } = fault.facts;
    const finding = causeFinding(cause, {
      subject: `${fault.facts.target}`,
      where: { target: withoutPassword(text) },
      what: fault.message,
      words: { host: `${host}`, port: `${port}`, where: `${fault.facts.target}` },
    });
    print(context, { ok: false, ...document, findings: [finding] }, () => [
      `${paint('red', 'refused:', process.stdout)} ${printable(withoutPassword(text))}`,
      `  ${paint('red', 'error', process.stdout)}  ${printable(finding.what)}  ${paint('dim', `(${finding.id})`, process.stdout)}`,
      `         ${finding.remedy.text}`,
      ...(finding.remedy.command === undefined
        ? []
        : [`  ${paint('bold', 'next:', process.stdout)} ${finding.remedy.command}`]),
    ]);
    process.exitCode = OPERATOR_FAULTS[fault.code].exit;
  }
}

function isCause(id: unknown): id is CauseId {
  return typeof id === 'string' && Object.hasOwn(CAUSES, id);
}
