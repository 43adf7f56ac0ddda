/**
 * A new authority (root and intermediate), each certificate recorded before it is signed. What is written where,
 * and with which password, is the caller's: this flow returns certificates for keys it was given.
 */

import { hexFromBytes } from '../../core/bytes/hex.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { decideIssuance, decideRoot, type IssuanceLimits } from '../../core/issuance/decide-issuance.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { keyIdentifierOf } from '../../core/x509/key-identifier.ts';
import type { NameAttributes } from '../../core/x509/name.ts';
import { parseSubjectPublicKeyInfo } from '../../core/x509/public-key.ts';
import { SERIAL_BYTE_LENGTH, serialFromRandom } from '../../core/x509/serial-number.ts';
import { type CertificateSigner, recordAndSign } from './issue-certificate.ts';
import type { IssuanceStore } from './store-ports.ts';

/** A key that can sign, and its public half. */
export interface SigningKey {
  readonly algorithm: KeyAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly sign: (data: Uint8Array) => Promise<Uint8Array>;
}

export interface AuthorityPlan {
  readonly root: { readonly subject: NameAttributes; readonly lifetimeSeconds: number; readonly pathLength?: number };
  readonly intermediate: {
    readonly subject: NameAttributes;
    readonly lifetimeSeconds: number;
    readonly pathLength: number;
  };
}

/** Nobody asks for these certificates but the authority itself. */
const CONTEXT = { origin: { kind: 'authority' }, provisioner: 'authority', accountId: null } as const;

/** @throws OperatorFault issuance-refused when the plan contradicts itself (an intermediate that outlives its root) */
export async function initialiseAuthority(
  store: IssuanceStore,
  keys: { readonly root: SigningKey; readonly intermediate: SigningKey },
  plan: AuthorityPlan,
  random: (byteLength: number) => Uint8Array,
  now: Instant,
): Promise<{ readonly root: Uint8Array; readonly intermediate: Uint8Array }> {
  const serial = () => serialFromRandom(random(SERIAL_BYTE_LENGTH));
  const rootDecision = decideRoot(
    { ...plan.root, publicKey: keys.root.publicKey, keyAlgorithm: keys.root.algorithm },
    now,
    serial(),
  );
  if (rootDecision.kind === 'refused') throw new OperatorFault('issuance-refused', `the root: ${rootDecision.detail}`);
  const rootSigner = certificateSigner(keys.root);
  const root = await recordAndSign(store, rootSigner, rootDecision.tbs, { profile: 'root' }, CONTEXT, now);
  if (root.kind !== 'issued') throw new Error('a root cannot be issued already');

  const limits: IssuanceLimits = {
    defaultLifetimeSeconds: plan.intermediate.lifetimeSeconds,
    maxLifetimeSeconds: plan.intermediate.lifetimeSeconds,
    // As the root: clocks of the hosts that will verify it lag, and its first leaf is backdated too.
    backdateSeconds: 3600,
  };
  const issuer = { ...rootSigner, certificate: parseCertificate(root.der), keyAlgorithm: keys.root.algorithm };
  const decision = decideIssuance(
    { profile: 'intermediate', names: [], publicKey: keys.intermediate.publicKey, ...plan.intermediate },
    issuer,
    limits,
    now,
    serial(),
  );
  if (decision.kind === 'refused') throw new OperatorFault('issuance-refused', `the intermediate: ${decision.detail}`);
  const intermediate = await recordAndSign(store, issuer, decision.tbs, { profile: 'intermediate' }, CONTEXT, now);
  if (intermediate.kind !== 'issued') throw new Error('an intermediate cannot be issued already');
  return { root: root.der, intermediate: intermediate.der };
}

function certificateSigner(key: SigningKey): CertificateSigner {
  const publicKey = parseSubjectPublicKeyInfo(key.publicKey, 'subjectPublicKeyInfo');
  return { publicKey, keyId: hexFromBytes(keyIdentifierOf(publicKey)), sign: (tbs) => key.sign(tbs.bytes) };
}
