/** Durations as people write them: "24h", "90d", "10y", "1h30m", "3m". A year is 365 days, a week 7. */

const SECONDS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800, y: 31_536_000 } as const;

/** Text → whole seconds, or null. */
export function parseDurationSeconds(text: string): number | null {
  if (!/^(?:\d{1,9}[smhdwy])+$/.test(text)) return null;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhdwy])/g)) {
    total += Number(count) * SECONDS[unit as keyof typeof SECONDS];
  }
  return Number.isSafeInteger(total) && total > 0 ? total : null;
}

/** Seconds → the two largest units, "23h59m", for people. */
export function formatDuration(totalSeconds: number): string {
  if (totalSeconds < 1) return '0s';
  let rest = Math.floor(totalSeconds);
  const parts: string[] = [];
  for (const unit of ['y', 'd', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / SECONDS[unit]);
    rest -= count * SECONDS[unit];
    if (count > 0) parts.push(`${count}${unit}`);
    if (parts.length === 2) break;
  }
  return parts.join('');
}
