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

/** @param at the step that was being done */
export function failedStep(fault: unknown, at: StepName): Step {
  if (fault instanceof StepFailed) return { step: fault.step, ok: false, detail: fault.message, remedy: fault.remedy };
  if (fault instanceof OperatorFault) {
    const { text, command } = remedyOf(fault);
    return { step: at, ok: false, detail: fault.message, remedy: command ? `${text} ${command}` : text };
  }
  return {
    step: at,
    ok: false,
    detail: fault instanceof Error ? fault.message : String(fault),
    remedy: 'See the cause; the next run tries again.',
  };
}
