/**
 * What failed and when it is tried again, one small file a member of the stack: it outlives the agent, and `status` and the
 * agent read the same. There is no file where nothing is wrong.
 */
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatRfc3339, parseRfc3339 } from '../../core/time/instant.ts';
import type { FailureRecord } from '../../flow/agent/keep-stack.ts';
import { makeDirectories, writeFileAtomically } from './atomic-file.ts';

export interface FailureJournal {
  /** null: nothing failed, or what was written cannot be read, which is worth nothing. */
  readonly read: (member: string) => FailureRecord | null;
  /** null takes the record away. @throws disk-full, EACCES, EROFS as files do */
  readonly write: (member: string, record: FailureRecord | null) => void;
}

/** @param directory of one stack, made when there is something to write */
export function failureJournal(directory: string): FailureJournal {
  const pathOf = (member: string): string => join(directory, `${member}.json`);
  return {
    read(member) {
      let text: string;
      try {
        text = readFileSync(pathOf(member), 'utf8');
      } catch (cause) {
        if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
        throw cause;
      }
      return recordOf(text);
    },
    write(member, record) {
      const path = pathOf(member);
      if (record === null) return rmSync(path, { force: true });
      makeDirectories(dirname(path), 0o700);
      const { retryAt, ...rest } = record;
      writeFileAtomically(path, `${JSON.stringify({ ...rest, retryAt: formatRfc3339(retryAt) })}\n`, 0o600);
    },
  };
}

function recordOf(text: string): FailureRecord | null {
  try {
    const { failures, retryAt, error } = JSON.parse(text) ?? {};
    const at = parseRfc3339(String(retryAt));
    if (!Number.isSafeInteger(failures) || failures < 1 || at === null || typeof error?.detail !== 'string')
      return null;
    return {
      failures,
      retryAt: at,
      error: {
        step: String(error.step),
        detail: error.detail,
        remedy: typeof error.remedy === 'string' ? error.remedy : null,
      },
    };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return null;
  }
}
