/** Medians and percentiles. */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Nearest rank: the smallest value that at least this part of the values does not exceed. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

/** To three significant digits: more would pretend that runs agree so closely. NaN, where nothing was measured, is null. */
export function rounded(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : null;
}
