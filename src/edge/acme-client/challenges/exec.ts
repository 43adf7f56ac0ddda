/** dns-01 by a program of the operator's: `PROGRAM present NAME VALUE`, `PROGRAM cleanup NAME VALUE`. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { OperatorFault } from '../../../core/faults/operator-faults.ts';
import type { ChallengeHandler } from '../challenge-handler.ts';
import { challengeRecord, type TxtRecord } from './txt-record.ts';

const TIMEOUT_MS = 120_000;
const SHOWN_LENGTH = 300;

export function execChallenge(command: string): ChallengeHandler {
  return {
    type: 'dns-01',
    present: (identifier, _token, keyAuthorization) =>
      runHook(command, 'present', challengeRecord(identifier, keyAuthorization)),
    cleanUp: (identifier, _token, keyAuthorization) =>
      runHook(command, 'cleanup', challengeRecord(identifier, keyAuthorization)),
  };
}

/** @throws OperatorFault dns-record-failed with what the program said */
async function runHook(command: string, action: string, { name, value }: TxtRecord): Promise<void> {
  try {
    await promisify(execFile)(command, [action, name, value], { timeout: TIMEOUT_MS, maxBuffer: 1 << 20 });
  } catch (cause) {
    const { stderr = '', message } = cause as Error & { stderr?: string };
    const said = (stderr.trim() || message).slice(0, SHOWN_LENGTH);
    throw new OperatorFault(
      'dns-record-failed',
      `the DNS hook ${command} ${action} ${name} failed: ${said}`,
      { name },
      cause,
    );
  }
}
