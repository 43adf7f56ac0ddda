/**
 * How long to wait after failures in a row: soon at first, never longer than an hour, so that a repaired service is not
 * forgotten. What an issuer asks for (Retry-After) is a floor; the end of the certificate in use is a ceiling for everything else.
 */
const FIRST_SECONDS = 5;
const LONGEST_SECONDS = 3600;

/** Near the end: at least so many tries fit into what is left. */
const TRIES_BEFORE_THE_END = 8;

export interface Failure {
  /** In a row, 1 or more. */
  readonly failures: number;
  /** Until the certificate in use ends; null when there is none. */
  readonly remainingSeconds: number | null;
  /** What the issuer asked for; null: nothing. */
  readonly retryAfterSeconds: number | null;
}

/** @param draw 0 to 1, random: those that failed together do not come back together */
export function backOffSeconds({ failures, remainingSeconds, retryAfterSeconds }: Failure, draw: number): number {
  const full = Math.min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** Math.min(failures - 1, 20));
  const jittered = full * (0.5 + 0.5 * draw);
  const urgent =
    remainingSeconds === null || remainingSeconds <= 0
      ? jittered
      : Math.min(jittered, remainingSeconds / TRIES_BEFORE_THE_END);
  return Math.max(1, Math.round(urgent), retryAfterSeconds ?? 0);
}
