/** The stack file of a command. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { SERVICE_KIND_TABLE } from '../../core/services/service-kinds.ts';
import type { Stack } from '../../core/stack/stack.ts';
import { formatStackProblems, parseStackFile } from '../../edge/stack-file/parse-stack-file.ts';

/** @throws OperatorFault input-unreadable, stack-file-invalid with every problem at its place */
export function readStack(file: string): Stack {
  const path = resolve(file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new OperatorFault(
      'input-unreadable',
      `the stack file ${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      { path },
      cause,
    );
  }
  const parsed = parseStackFile(text, path, SERVICE_KIND_TABLE);
  if (parsed.kind === 'stack') return parsed.stack;
  throw new OperatorFault('stack-file-invalid', `\n${formatStackProblems(parsed.problems, text, file)}`, { path });
}
