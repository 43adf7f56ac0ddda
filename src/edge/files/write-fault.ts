/** What keeps a file from being written, as a fault that names the place and the next command. */
import { OperatorFault } from '../../core/faults/operator-faults.ts';

/**
 * Runs `work`, which writes at or below `path`.
 *
 * @throws OperatorFault disk-full, file-unwritable; everything else as it came
 */
export function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (isErrno(cause, 'ENOSPC', 'EDQUOT'))
      throw new OperatorFault('disk-full', `no room for ${path}`, { path }, cause);
    if (isErrno(cause, 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EISDIR'))
      throw new OperatorFault('file-unwritable', `${path} cannot be written: ${cause.message}`, { path }, cause);
    throw cause;
  }
}

export function isErrno(cause: unknown, ...codes: readonly string[]): cause is NodeJS.ErrnoException {
  return cause instanceof Error && 'code' in cause && codes.includes(String(cause.code));
}
