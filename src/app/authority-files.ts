/** What the files of a state directory say without its keys or its database. */
import { readFileSync } from 'node:fs';
import { OperatorFault } from '../core/faults/operator-faults.ts';
import type { Certificate } from '../core/x509/certificate.ts';
import { isInitialised, type StatePaths } from '../edge/files/state-directory.ts';
import { issuingCertificate, rootsAbove } from './trusted-roots.ts';

/** The active root and what issues. @throws OperatorFault not-initialised, state-incomplete, key-mismatch */
export function authorityCertificates(paths: StatePaths): {
  readonly root: Certificate;
  readonly intermediate: Certificate;
} {
  requireInitialised(paths);
  const intermediate = issuingCertificate(paths);
  return { root: rootsAbove(intermediate, paths).active, intermediate };
}

/** @throws OperatorFault not-initialised */
export function requireInitialised(paths: StatePaths): void {
  if (!isInitialised(paths))
    throw new OperatorFault('not-initialised', `${paths.root} holds no authority`, { path: paths.root });
}

/** What the running authority wrote when it was ready; null when its process is gone. */
export function readReady(
  paths: StatePaths,
): { readonly url: string; readonly plainUrl: string; readonly pid: number } | null {
  try {
    const { url, plainUrl, pid } = JSON.parse(readFileSync(paths.ready, 'utf8')) as {
      url: string;
      plainUrl: string;
      pid: number;
    };
    process.kill(pid, 0);
    return { url, plainUrl, pid };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    // EPERM: the number has gone to a process of another user.
    if (['ENOENT', 'ESRCH', 'EPERM'].includes(code) || cause instanceof SyntaxError) return null;
    throw cause;
  }
}
