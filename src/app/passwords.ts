/** Where passwords come from: a file, the environment, a prompt, or, for the quick start, a generated file. */

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { OperatorFault } from '../core/faults/operator-faults.ts';
import { createFileAtomically } from '../edge/files/atomic-file.ts';

export interface PasswordSource {
  /** Given by option; must not be readable by others. */
  readonly file: string | undefined;
  readonly environment: string | undefined;
  /** Where a generated password lies or is to be put. */
  readonly generated: string;
}

/** @throws OperatorFault password-file-exposed, input-unreadable */
export function readPasswordFile(path: string): Uint8Array {
  let text: string;
  try {
    const { mode } = statSync(path);
    if (mode & 0o077)
      throw new OperatorFault(
        'password-file-exposed',
        `${path} has mode ${(mode & 0o777).toString(8)}: others may read the password`,
        { path },
      );
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof OperatorFault) throw cause;
    throw new OperatorFault(
      'input-unreadable',
      `the password file ${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      { path },
      cause,
    );
  }
  // A final newline is the editor's, not the password's: openssl -passin file: reads the first line likewise.
  const line = text.split(/\r?\n/, 1)[0] ?? '';
  if (line === '') throw new OperatorFault('password-missing', `the password file ${path} is empty`, { path });
  return Buffer.from(line);
}

/** The password of an existing key, or null when none was given and none was generated. */
export function findPassword({ file, environment, generated }: PasswordSource): Uint8Array | null {
  if (file !== undefined) return readPasswordFile(file);
  if (environment !== undefined && environment !== '') return Buffer.from(environment);
  return existsSync(generated) ? readPasswordFile(generated) : null;
}

/** The password for a new key: the given one, else a new random one in a file of mode 0600. */
export function newPassword(source: PasswordSource): {
  readonly password: Uint8Array;
  readonly generatedFile: string | null;
} {
  const given = findPassword(source);
  if (given) return { password: given, generatedFile: existsSync(source.generated) ? source.generated : null };
  const password = Buffer.from(randomBytes(24).toString('base64url'));
  createFileAtomically(source.generated, `${password}\n`, 0o600);
  return { password, generatedFile: source.generated };
}
