/**
 * The line of a problem, with a caret. Only what is at fault is shown, and the key before it: whatever else stands on
 * the line may be a secret, even under a key that nobody knows.
 */
import { type StackProblem, UNPRINTABLE } from './stack-problem.ts';

const LONGEST_PART = 80;

/** Keys and dashes of block style at the beginning of a line. */
const BEFORE = /^\s*(?:- +)*(?:["']?[\w.-]+["']?:(?:\s+|$))?/;

/** Two lines; empty where there is nothing to show. */
export function sourceExcerpt(lines: readonly string[], { line, column, length }: StackProblem): readonly string[] {
  const source = lines[line - 1] ?? '';
  const ahead = source.slice(0, column - 1);
  const [keys = ''] = BEFORE.exec(ahead) ?? [];
  const before = keys.length < ahead.length ? `${keys}… ` : keys;
  const fault = source.slice(column - 1, column - 1 + length);
  const rest = source.slice(column - 1 + length).trim();
  const shown = cut(before) + cut(fault);
  if (shown.trim() === '') return [];
  const caret = ' '.repeat(cut(before).length) + '^'.repeat(Math.max(1, cut(fault).length));
  return [`${shown.trimEnd()}${afterFault(rest)}`, caret];
}

/** That there is more, and not what. */
function afterFault(rest: string): string {
  if (rest === '' || rest.startsWith('#')) return '';
  if (rest === ':') return ':';
  return rest.startsWith(':') ? ': …' : ' …';
}

/** Tabs and what commands a terminal become one space each, so that the caret stays below. */
function cut(part: string): string {
  const plain = part.replace(UNPRINTABLE, ' ');
  return plain.length > LONGEST_PART ? `${plain.slice(0, LONGEST_PART)}…` : plain;
}
