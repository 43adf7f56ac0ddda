/** What an authority answers to sign, renew and rekey. */
import { pemBlocksLabelled } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { Answer } from './authority-client.ts';

/** Leaf and intermediates, DER. @throws OperatorFault token-refused, issuance-refused */
export function chainOf({ status, body }: Answer): Uint8Array[] {
  if (status !== 201 || !Array.isArray(body.certChain)) {
    throw new OperatorFault(
      status === 401 ? 'token-refused' : 'issuance-refused',
      `the authority answered ${status}: ${String(body.message ?? 'no reason given')}`,
    );
  }
  return pemBlocksLabelled(body.certChain.join('\n'), 'CERTIFICATE').map(({ der }) => der);
}
