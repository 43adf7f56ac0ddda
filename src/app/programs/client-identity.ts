/** The pair that a client shows, from --client-cert and --client-key. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { OperatorFault, type OperatorFaultCode } from '../../core/faults/operator-faults.ts';
import { readInput } from '../../edge/files/certificate-files.ts';
import type { ClientIdentity } from '../../flow/probe/attempt.ts';

/** null: none is shown. @throws OperatorFault usage, input-unreadable, input-invalid, key-unusable, key-mismatch */
export function clientIdentity(certFile: string | undefined, keyFile: string | undefined): ClientIdentity | null {
  if (certFile === undefined && keyFile === undefined) return null;
  if (certFile === undefined || keyFile === undefined)
    throw new OperatorFault('usage', '--client-cert and --client-key go together');
  const text = (path: string): string => Buffer.from(readInput(path)).toString('latin1');
  const identity = { certPem: text(certFile), keyPem: text(keyFile) };
  const key = loaded(
    () => createPrivateKey(identity.keyPem),
    'key-unusable',
    `${keyFile} is no private key without a password`,
    keyFile,
  );
  const leaf = loaded(
    () => new X509Certificate(identity.certPem),
    'input-invalid',
    `${certFile} holds no certificate`,
    certFile,
  );
  if (!leaf.checkPrivateKey(key))
    throw new OperatorFault('key-mismatch', `${keyFile} is not the key of ${certFile}`, { path: certFile });
  return identity;
}

function loaded<T>(load: () => T, code: OperatorFaultCode, what: string, path: string): T {
  try {
    return load();
  } catch (cause) {
    throw new OperatorFault(code, what, { path }, cause);
  }
}
