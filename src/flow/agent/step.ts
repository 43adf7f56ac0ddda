/** Steps of bringing a member to TLS, as the answers of `apply` and `rotate` name them. */
import { OperatorFault, remedyOf } from '../../core/faults/operator-faults.ts';

export type StepName = 'issue' | 'stage' | 'check' | 'install' | 'configure' | 'reload' | 'confirm';

export interface Step {
  readonly step: StepName;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy: string | null;
}

/** A step failed: the message is for the report, the remedy too. */
export class StepFailed extends Error {
  readonly step: StepName;
  readonly remedy: string;
  constructor(step: StepName, message: string, remedy: string) {
    super(message);
    this.step = step;
    this.remedy = remedy;
  }
}

export function failedStep(fault: unknown, at: StepName): Step {
  return { step: fault instanceof StepFailed ? fault.step : at, ok: false, ...wordsOf(fault) };
}

/** What happened, and what to do next. */
export function wordsOf(fault: unknown): { readonly detail: string; readonly remedy: string } {
  const detail = fault instanceof Error ? fault.message : String(fault);
  if (fault instanceof StepFailed) return { detail, remedy: fault.remedy };
  if (!(fault instanceof OperatorFault)) return { detail, remedy: 'See the cause; the next run tries again.' };
  const { text, command } = remedyOf(fault);
  return { detail, remedy: command ? `${text} ${command}` : text };
}
