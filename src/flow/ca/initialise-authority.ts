/**
 * A new authority (root and intermediate), each certificate recorded before it is signed, and their first revocation lists. What is written where,
 * and with which password, is the caller's: this flow returns certificates for keys it was given.
 */
import type { Instant } from '../../core/time/instant.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { SERIAL_BYTE_LENGTH, serialFromRandom } from '../../core/x509/serial-number.ts';
import {
  type IntermediatePlan,
  issueIntermediate,
  issueRoot,
  listSigner,
  type RootPlan,
  type SigningKey,
} from './authority-certificates.ts';
import { storeFirstCrls } from './publish-crl.ts';
import type { CrlStore, IssuanceStore } from './store-ports.ts';

export interface AuthorityPlan {
  readonly root: RootPlan;
  readonly intermediate: IntermediatePlan;
}

/** @throws OperatorFault issuance-refused when the plan contradicts itself (an intermediate that outlives its root) */
export async function initialiseAuthority(
  store: IssuanceStore & CrlStore,
  keys: { readonly root: SigningKey; readonly intermediate: SigningKey },
  plan: AuthorityPlan,
  random: (byteLength: number) => Uint8Array,
  now: Instant,
): Promise<{ readonly root: Uint8Array; readonly intermediate: Uint8Array }> {
  const serial = () => serialFromRandom(random(SERIAL_BYTE_LENGTH));
  const root = await issueRoot(store, keys.root, plan.root, serial(), now);
  const intermediate = await issueIntermediate(
    store,
    { certificate: parseCertificate(root), key: keys.root },
    keys.intermediate.publicKey,
    plan.intermediate,
    serial(),
    now,
  );
  await storeFirstCrls(
    store,
    listSigner(parseCertificate(root), keys.root),
    listSigner(parseCertificate(intermediate), keys.intermediate),
    now,
  );
  return { root, intermediate };
}
