/** How a fault is shown: what happened, what to do, the next command. User mistakes never show a stack. */
import { styleText } from 'node:util';
import { OPERATOR_FAULTS, OperatorFault, remedyOf } from '../../core/faults/operator-faults.ts';
import { StoreFault } from '../../flow/ca/store-ports.ts';

/** Prints it and returns the exit status. @param state where the state is: faults of the disk do not know */
export function printFault(fault: unknown, json: boolean, state: string): number {
  const known = operatorFault(fault, state);
  if (!known) {
    process.stderr.write(
      `${paint('red', 'bug:')} ${fault instanceof Error ? fault.stack : String(fault)}\nPlease report this with the command that led to it.\n`,
    );
    return 1;
  }
  const { text, command } = remedyOf(known);
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ ok: false, error: { code: known.code, what: known.message, remedy: { text, command } }, findings: [] })}\n`,
    );
  } else {
    process.stderr.write(
      `${paint('red', 'error:')} ${known.message}  ${paint('dim', `(${known.code})`)}\n       ${text}\n${command ? `  ${paint('bold', 'next:')} ${command}\n` : ''}`,
    );
  }
  return OPERATOR_FAULTS[known.code].exit;
}

function operatorFault(fault: unknown, state: string): OperatorFault | null {
  if (fault instanceof OperatorFault) return fault;
  if (fault instanceof StoreFault) return new OperatorFault(fault.code, fault.message, { path: state }, fault);
  const code = fault instanceof Error && 'code' in fault ? fault.code : null;
  if (code === 'ENOSPC') return new OperatorFault('disk-full', (fault as Error).message, { path: state }, fault);
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    const path = 'path' in (fault as object) ? String((fault as { path: unknown }).path) : '';
    return new OperatorFault('state-unwritable', (fault as Error).message, { path }, fault);
  }
  return null;
}

export function paint(
  style: Parameters<typeof styleText>[0],
  text: string,
  stream: NodeJS.WriteStream = process.stderr,
): string {
  return styleText(style, text, { stream });
}
