/** Where passwords come from: a file, the environment, a prompt on a terminal, or, for the quick start, a generated file. */

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { bytesEqual } from '../core/bytes/compare.ts';
import { OperatorFault } from '../core/faults/operator-faults.ts';
import { createFileAtomically } from '../edge/files/atomic-file.ts';

export interface PasswordSource {
  /** Given by option; must not be readable by others. */
  readonly file: string | undefined;
  readonly environment: string | undefined;
  /** Ask on the terminal. */
  readonly ask: boolean;
  /** Where a generated password lies or is to be put. */
  readonly generated: string;
}

/** The source without the place of the state, as options give it. */
export type PasswordOptions = Omit<PasswordSource, 'generated'>;

/** OpenSSL's tools read no more of a password, and a key that they cannot open is of no use. */
const MAX_PASSWORD_BYTES = 1023;

/** @throws OperatorFault password-file-exposed, input-unreadable, usage */
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
  return passwordOf(line, `the password in ${path}`);
}

function passwordOf(text: string, what: string): Uint8Array {
  const password = Buffer.from(text);
  if (password.byteLength > MAX_PASSWORD_BYTES)
    throw new OperatorFault(
      'usage',
      `${what} has ${password.byteLength} bytes; at most ${MAX_PASSWORD_BYTES} are used`,
    );
  return password;
}

/**
 * The password of an existing key: given, generated earlier, or asked for when there is a terminal to ask on;
 * null when there is none of these.
 *
 * @param what as the prompt names it, such as "the issuing key"
 */
export async function findPassword(source: PasswordSource, what: string): Promise<Uint8Array | null> {
  const { file, environment, ask, generated } = source;
  if (file !== undefined) return readPasswordFile(file);
  if (environment !== undefined && environment !== '') return passwordOf(environment, `the given password of ${what}`);
  if (!ask && existsSync(generated)) return readPasswordFile(generated);
  return ask || process.stdin.isTTY ? askPassword(`Password of ${what}`) : null;
}

/** The password for a new key: the given one, one that is typed twice, else a new random one in a file of mode 0600. */
export async function newPassword(
  source: PasswordSource,
  what: string,
): Promise<{ readonly password: Uint8Array; readonly generatedFile: string | null }> {
  const { file, environment, ask, generated } = source;
  if (file !== undefined || environment)
    return { password: (await findPassword(source, what)) ?? new Uint8Array(), generatedFile: null };
  if (ask) {
    const password = await askPassword(`New password of ${what}`);
    const again = await askPassword('The same again');
    if (!bytesEqual(password, again))
      throw new OperatorFault('password-wrong', 'the two passwords differ', { path: generated });
    return { password, generatedFile: null };
  }
  // Left by an initialisation that was cut short.
  if (existsSync(generated)) return { password: readPasswordFile(generated), generatedFile: generated };
  const password = Buffer.from(randomBytes(24).toString('base64url'));
  createFileAtomically(generated, `${password}\n`, 0o600);
  return { password, generatedFile: generated };
}

/** @throws OperatorFault password-missing when there is no terminal, or the person gives up */
async function askPassword(message: string): Promise<Uint8Array> {
  if (!process.stdin.isTTY)
    throw new OperatorFault('password-missing', 'there is no terminal to ask for the password on');
  const { isCancel, password } = await import('@clack/prompts');
  const answer = await password({ message, output: process.stderr });
  if (isCancel(answer) || !answer) throw new OperatorFault('password-missing', 'no password was typed');
  return passwordOf(answer, 'the password');
}
