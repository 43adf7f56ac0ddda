/** Where a quote or bracket was opened that is never closed: the YAML parser only says where it looked for the end. */
import { isMap, isPair, isScalar, isSeq, type Node } from 'yaml';

const CLOSING = { '"': '"', "'": "'", '[': ']', '{': '}' } as const;

/** The offset of the innermost opening whose end was missed at `end`; null when nothing is open there. */
export function openingOf(contents: Node | null, text: string, end: number): number | null {
  let innermost: number | null = null;
  // No recursion: the text may be nested as deeply as the parser could bear.
  const waiting: unknown[] = [contents];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (isPair(node)) waiting.push(node.key, node.value);
    if (isMap(node) || isSeq(node)) for (const item of node.items) waiting.push(item);
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) continue;
    const [start, itsEnd] = node.range ?? [0, 0];
    if (itsEnd === end && isOpen(text.slice(start, itsEnd).trimEnd())) innermost = Math.max(innermost ?? 0, start);
  }
  return innermost;
}

function isOpen(source: string): boolean {
  const closing = Object.entries(CLOSING).find(([opening]) => source.startsWith(opening))?.[1];
  return closing !== undefined && (source.length < 2 || !source.endsWith(closing));
}
