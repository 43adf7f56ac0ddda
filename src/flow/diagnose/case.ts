/** One look at one address, and what is known of it: what the steps of a diagnosis hand to each other. */
import type { FindingPlace } from '../../core/diagnosis/finding.ts';
import type { Target } from '../../core/probe/target.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { Attempt, AttemptResult } from '../probe/attempt.ts';
import type { Identified } from '../probe/identify.ts';
import type { Endpoint } from '../probe/questions.ts';
import type { DiagnoseOptions, DiagnosePorts } from './diagnose-ports.ts';

export interface Case {
  readonly ports: DiagnosePorts;
  readonly target: Target;
  readonly dial: HostPort;
  readonly endpoint: Endpoint;
  readonly base: Attempt;
  readonly options: DiagnoseOptions;
  readonly where: FindingPlace;
  /** Asked once. */
  readonly identify: () => Promise<Identified | null>;
}

export type Refused = Extract<AttemptResult, { kind: 'refused' }>;
export type Established = Extract<AttemptResult, { kind: 'established' }>;
