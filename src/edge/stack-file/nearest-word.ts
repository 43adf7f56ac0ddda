/** What was probably meant: the known word within a few slips of the one that was written. */

const LONGEST = 64;

/** null when nothing is near: at most one slip in three letters. Case, "-" and "_" do not count. */
export function nearestWord(written: string, known: readonly string[]): string | null {
  if (written.length > LONGEST) return null;
  const plain = plainForm(written);
  let best: string | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  for (const word of known) {
    const other = plainForm(word);
    const slips = slipsBetween(plain, other);
    if (slips < fewest && slips <= Math.max(1, Math.floor(Math.max(plain.length, other.length) / 3))) {
      best = word;
      fewest = slips;
    }
  }
  return best;
}

function plainForm(word: string): string {
  return word.toLowerCase().replace(/[-_\s]/g, '');
}

/** Letters added, left out, replaced, or swapped with their neighbour (optimal string alignment). */
function slipsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (last[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const edited = Math.min(replaced, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(isSwap ? Math.min(edited, (beforeLast[column - 2] ?? 0) + 1) : edited);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
