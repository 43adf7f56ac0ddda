/** How long to wait after failures in a row: soon at first, never longer than an hour, so that a repaired service is not forgotten. */
const FIRST_SECONDS = 5;
const LONGEST_SECONDS = 3600;

/** @param failures in a row, 1 or more */
export function backOffSeconds(failures: number): number {
  return Math.min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** Math.min(failures - 1, 20));
}
