/** Finalize (RFC 8555 §7.4): gather order, authorizations and key; decide; record, sign, record. */

import { generalNameOf } from '../../core/acme/identifier.ts';
import { issuanceProblem } from '../../core/acme/issuance-problem.ts';
import { decideFinalize } from '../../core/acme/order.ts';
import { parseObjectPayload } from '../../core/acme/payload.ts';
import { DerError } from '../../core/asn1/der-reader.ts';
import { bytesFromBase64Url } from '../../core/bytes/base64url.ts';
import { type Refused, refused } from '../../core/faults/acme-problems.ts';
import { jwkThumbprint } from '../../core/jose/jwk.ts';
import { jwkOfPublicKey } from '../../core/jose/jwk-of-public-key.ts';
import type { Instant } from '../../core/time/instant.ts';
import { type Csr, parseCsr, verifyCsrSignature } from '../../core/x509/csr.ts';
import { checkPublicKey } from '../../core/x509/key-check.ts';
import type { Authenticated, ByAccount } from './authenticate-request.ts';
import { type IssuePorts, issueCertificate } from './issue-certificate.ts';
import { type OrderResult, ownOrder } from './orders.ts';
import { issuanceLimits } from './provisioner-limits.ts';
import type { AccountStore, IssuanceStore, OrderStore, ProvisionerRecord } from './store-ports.ts';

export interface FinalizePorts extends IssuePorts {
  readonly store: IssuanceStore & Pick<OrderStore, 'loadOrder'> & Pick<AccountStore, 'findAccount'>;
}

/** The order as it stands afterwards: valid, or processing when another request is signing it right now. */
export async function finalizeOrder(
  ports: FinalizePorts,
  request: Authenticated<ByAccount>,
  orderId: number,
  provisioner: ProvisionerRecord,
  now: Instant,
): Promise<OrderResult> {
  const found = await ownOrder(ports.store, request, orderId);
  if (found.kind === 'refused') return found;
  const csr = csrOfPayload(request.payload);
  if ('kind' in csr) return csr;
  const decision = decideFinalize(found.snapshot, csr, await isAccountKey(ports, csr, provisioner.name), now);
  if (decision.kind === 'refused') return decision;
  if (decision.kind === 'issue') {
    const { notBefore, notAfter } = found.snapshot.order;
    const result = await issueCertificate(
      ports,
      {
        profile: 'server',
        names: decision.identifiers.map(generalNameOf),
        publicKey: csr.publicKey.raw,
        ...(notBefore !== null && { notBefore }),
        ...(notAfter !== null && { notAfter }),
      },
      issuanceLimits(provisioner),
      { origin: { kind: 'order', orderId }, provisioner: provisioner.name, accountId: request.by.account.id },
      now,
    );
    if (result.kind === 'refused') return issuanceProblem(result);
  }
  return ownOrder(ports.store, request, orderId);
}

function csrOfPayload(payload: Uint8Array): Csr | Refused {
  const parsed = parseObjectPayload(payload);
  if (parsed.kind === 'refused') return parsed;
  const { csr: text } = parsed.value;
  if (typeof text !== 'string') return refused('malformed', 'the payload has no csr');
  // Synology's client pads its base64url; the padding changes nothing about what is signed.
  const der = bytesFromBase64Url(text.replace(/={1,2}$/, ''));
  if (der === null) return refused('malformed', 'the csr is not base64url');
  return checkedCsr(der);
}

/** A CSR whose structure, key and signature are acceptable, whatever it asks for. */
export function checkedCsr(der: Uint8Array): Csr | Refused {
  let csr: Csr;
  try {
    csr = parseCsr(der);
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    return refused('badCSR', `the csr is not well formed: ${cause.message}`);
  }
  const weakness = checkPublicKey(csr.publicKey);
  if (weakness) return refused('badPublicKey', weakness.detail);
  return verifyCsrSignature(csr)
    ? csr
    : refused(
        'badCSR',
        'the signature of the CSR does not verify with its key, or uses an algorithm weaker than SHA-256',
      );
}

async function isAccountKey(ports: FinalizePorts, csr: Csr, provisioner: string): Promise<boolean> {
  const jwk = jwkOfPublicKey(csr.publicKey);
  return jwk !== null && (await ports.store.findAccount(provisioner, jwkThumbprint(jwk))) !== null;
}
