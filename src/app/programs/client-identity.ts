/** The pair that a client shows, from --client-cert and --client-key. */
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { readInput } from '../../edge/files/certificate-files.ts';
import type { ClientIdentity } from '../../flow/probe/attempt.ts';

/** null: none is shown. @throws OperatorFault usage, input-unreadable */
export function clientIdentity(certFile: string | undefined, keyFile: string | undefined): ClientIdentity | null {
  if (certFile === undefined && keyFile === undefined) return null;
  if (certFile === undefined || keyFile === undefined)
    throw new OperatorFault('usage', '--client-cert and --client-key go together');
  const text = (path: string): string => Buffer.from(readInput(path)).toString('latin1');
  return { certPem: text(certFile), keyPem: text(keyFile) };
}
