/** What went wrong with an ACME server, as a fault for the operator. */
import { OperatorFault, type OperatorFaultCode } from '../../core/faults/operator-faults.ts';
import { AcmeRefused, AcmeUnreachable } from './signed-request.ts';

/**
 * Facts: `issuer`, and where they are known `identifier` and `retryAfterSeconds`. Anything else comes back as it is.
 *
 * @param issuer its name in the stack file
 */
export function acmeFault(cause: unknown, issuer: string, directoryUrl: string): unknown {
  if (cause instanceof AcmeUnreachable)
    return new OperatorFault(
      'authority-unreachable',
      `the issuer ${issuer} cannot be reached: ${cause.message}`,
      { issuer, url: new URL(directoryUrl).origin },
      cause,
    );
  if (!(cause instanceof AcmeRefused)) return cause;
  const facts = {
    issuer,
    ...(cause.identifier !== null && { identifier: cause.identifier }),
    ...(cause.retryAfterSeconds !== null && { retryAfterSeconds: cause.retryAfterSeconds }),
  };
  const when = cause.retryAfterSeconds === null ? '' : `; it asks to wait ${cause.retryAfterSeconds} s`;
  return new OperatorFault(codeOf(cause), `the issuer ${issuer} refused: ${cause.message}${when}`, facts, cause);
}

function codeOf({ type, identifier }: AcmeRefused): OperatorFaultCode {
  if (/(?::rateLimited|HTTP 429)$/.test(type)) return 'acme-rate-limited';
  return identifier === null ? 'acme-refused' : 'challenge-failed';
}
