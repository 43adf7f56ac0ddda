/**
 * What `probe`, `diagnose`, `audit` and `monitor` answer, in one shape: what was seen, why it matters, what to do next.
 * Nothing right is ever an error, and one cause is one finding: what merely follows from it is evidence.
 */

/** error: refused, unencrypted, not authenticated, or certain to break untouched. warning: works, and weaker than it should be. */
export const SEVERITIES = ['error', 'warning', 'info'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** Where the evidence cannot tell two causes apart, both are "likely". */
export const CONFIDENCES = ['certain', 'likely', 'possible'] as const;

export type Confidence = (typeof CONFIDENCES)[number];

/** A target as it was given, or a place in a file: the physical line to edit, from 1. */
export type FindingPlace = { readonly target: string } | { readonly file: string; readonly line: number };

export interface Remedy {
  /** What to do next, in words. */
  readonly text: string;
  /** A line that can be pasted; absent where no one line can help. */
  readonly command?: string;
}

/** As JSON; never a secret. */
export interface Evidence {
  readonly [name: string]: EvidenceValue;
}

export type EvidenceValue = string | number | boolean | null | readonly EvidenceValue[] | Evidence;

export interface Finding {
  /** Of a cause or a rule; once released it never changes its meaning. */
  readonly id: string;
  readonly severity: Severity;
  /** Absent: certain. */
  readonly confidence?: Confidence;
  /** The certificate, directive or series that it is about. */
  readonly subject: string;
  readonly where: FindingPlace;
  /** One sentence: what was seen. */
  readonly what: string;
  /** One sentence: what comes of it. */
  readonly why: string;
  readonly remedy: Remedy;
  readonly evidence: Evidence;
}

/** Errors first, then by confidence; equals stay in the order given. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return findings.toSorted(
    (a, b) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      CONFIDENCES.indexOf(confidenceOf(a)) - CONFIDENCES.indexOf(confidenceOf(b)),
  );
}

export function confidenceOf({ confidence = 'certain' }: Finding): Confidence {
  return confidence;
}

/** Whether something is refused, unencrypted, not authenticated or about to break. */
export function hasError(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === 'error');
}
