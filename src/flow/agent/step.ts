/** Steps of bringing a member to TLS, as the answers of `apply` and `rotate` name them. */

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
