/**
 * The difference of two texts as `diff -u` shows it: the fewest lines taken out and put in (Myers, "An O(ND) Difference
 * Algorithm", 1986), with three lines of context. For configuration files, which differ in few lines.
 */

const CONTEXT_LINES = 3;

/** Texts that differ in more lines than a person reads are shown as one replaced by the other. */
const MAX_EDITS = 2500;

/** Empty when the texts are equal. The same path stands on both sides: it is one file, before and after. */
export function unifiedDiff(before: string, after: string, path: string): string {
  if (before === after) return '';
  const edits = editsBetween(linesOf(before), linesOf(after));
  return `--- ${path}\n+++ ${path}\n${hunksOf(edits).map(formatHunk).join('')}`;
}

interface Edit {
  readonly kind: ' ' | '-' | '+';
  readonly line: string;
}

/** With their endings, so that a last line without one differs from one with it. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function editsBetween(before: readonly string[], after: readonly string[]): Edit[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const same = (lines: readonly string[]): Edit[] => lines.map((line) => ({ kind: ' ', line }));
  return [
    ...same(before.slice(0, head)),
    ...shortestEdits(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...same(before.slice(before.length - tail)),
  ];
}

/**
 * `reach[k]`: how far into `before` one gets on diagonal k (position in `before` minus position in `after`) with so many
 * edits. All of them are kept, to walk back.
 */
function shortestEdits(before: readonly string[], after: readonly string[]): Edit[] {
  const trail: Reach[] = [];
  let reach: Reach = new Map([[1, 0]]);
  for (let edits = 0; edits <= MAX_EDITS; edits++) {
    const next = new Map<number, number>();
    trail.push(reach);
    for (let k = -edits; k <= edits; k += 2) {
      let x = startOn(k, edits, reach);
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x++;
      next.set(k, x);
      if (x >= before.length && x - k >= after.length) return walkBack(before, after, trail);
    }
    reach = next;
  }
  return [...before.map((line): Edit => ({ kind: '-', line })), ...after.map((line): Edit => ({ kind: '+', line }))];
}

type Reach = ReadonlyMap<number, number>;

const NOWHERE: Reach = new Map();

function startOn(k: number, edits: number, reach: Reach): number {
  return fromAbove(k, edits, reach) ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
}

/** Down from diagonal k+1, a line put in, or right from k-1, a line taken out: whichever has got further. */
function fromAbove(k: number, edits: number, reach: Reach): boolean {
  return k === -edits || (k !== edits && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
}

function walkBack(before: readonly string[], after: readonly string[], trail: readonly Reach[]): Edit[] {
  const reversed: Edit[] = [];
  let [x, y] = [before.length, after.length];
  for (let edits = trail.length - 1; edits >= 0; edits--) {
    const k = x - y;
    const start = startOn(k, edits, trail[edits] ?? NOWHERE);
    for (; x > start; x--, y--) reversed.push({ kind: ' ', line: before[x - 1] ?? '' });
    if (edits === 0) break;
    if (fromAbove(k, edits, trail[edits] ?? NOWHERE)) reversed.push({ kind: '+', line: after[--y] ?? '' });
    else reversed.push({ kind: '-', line: before[--x] ?? '' });
  }
  return reversed.reverse();
}

interface Hunk {
  readonly edits: readonly Edit[];
  /** Lines of each side before the hunk. */
  readonly beforeAt: number;
  readonly afterAt: number;
}

/** Changes closer than twice the context share a hunk. */
function hunksOf(edits: readonly Edit[]): Hunk[] {
  const changes = edits.flatMap(({ kind }, index) => (kind === ' ' ? [] : [index]));
  const spans: { start: number; end: number }[] = [];
  for (const index of changes) {
    const last = spans.at(-1);
    if (last && index - last.end <= 2 * CONTEXT_LINES) last.end = index + 1;
    else spans.push({ start: index, end: index + 1 });
  }
  return spans.map(({ start, end }) => {
    const from = Math.max(0, start - CONTEXT_LINES);
    const earlier = edits.slice(0, from);
    return {
      edits: edits.slice(from, end + CONTEXT_LINES),
      beforeAt: earlier.filter(({ kind }) => kind !== '+').length,
      afterAt: earlier.filter(({ kind }) => kind !== '-').length,
    };
  });
}

function formatHunk({ edits, beforeAt, afterAt }: Hunk): string {
  const before = range(beforeAt, edits.filter(({ kind }) => kind !== '+').length);
  const after = range(afterAt, edits.filter(({ kind }) => kind !== '-').length);
  const lines = takenOutFirst(edits).map(({ kind, line }) =>
    line.endsWith('\n') ? `${kind}${line}` : `${kind}${line}\n\\ No newline at end of file\n`,
  );
  return `@@ -${before} +${after} @@\n${lines.join('')}`;
}

/** An empty side is named by the line before it; the count of one line is left out. */
function range(linesBefore: number, count: number): string {
  const first = count === 0 ? linesBefore : linesBefore + 1;
  return count === 1 ? `${first}` : `${first},${count}`;
}

/** Within one change, what goes stands before what comes. */
function takenOutFirst(edits: readonly Edit[]): Edit[] {
  const result: Edit[] = [];
  let comes: Edit[] = [];
  for (const edit of edits) {
    if (edit.kind === ' ') {
      result.push(...comes, edit);
      comes = [];
    } else if (edit.kind === '+') comes.push(edit);
    else result.push(edit);
  }
  return [...result, ...comes];
}
