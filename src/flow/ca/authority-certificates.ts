/** The certificates of an authority itself: a root, and an intermediate below one. Each is recorded before it is signed. */
import { type Hex, hexFromBytes } from '../../core/bytes/hex.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { decideIssuance, decideRoot, type IssuanceDecision } from '../../core/issuance/decide-issuance.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import type { TbsCertificate } from '../../core/x509/certificate.ts';
import { issuerKeyIdentifier, keyIdentifierOf } from '../../core/x509/key-identifier.ts';
import type { NameAttributes } from '../../core/x509/name.ts';
import { type PublicKeyInfo, parseSubjectPublicKeyInfo } from '../../core/x509/public-key.ts';
import type { SerialNumber } from '../../core/x509/serial-number.ts';
import { type CertificateSigner, recordAndSign } from './issue-certificate.ts';
import type { CrlIssuer } from './publish-crl.ts';
import type { CertificateStore, IssuanceStore } from './store-ports.ts';

/** A key that can sign, and its public half. */
export interface SigningKey {
  readonly algorithm: KeyAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly sign: (data: Uint8Array) => Promise<Uint8Array>;
}

export interface RootPlan {
  readonly subject: NameAttributes;
  readonly lifetimeSeconds: number;
  readonly pathLength?: number;
}

export interface IntermediatePlan {
  readonly subject: NameAttributes;
  readonly lifetimeSeconds: number;
  readonly pathLength: number;
}

/** Nobody asks for these certificates but the authority itself. */
const CONTEXT = { origin: { kind: 'authority' }, provisioner: 'authority', accountId: null } as const;

/** As the root: clocks of the hosts that will verify it lag, and its first leaf is backdated too. */
const BACKDATE_SECONDS = 3600;

/** @returns DER @throws OperatorFault issuance-refused; StoreFault */
export async function issueRoot(
  store: IssuanceStore,
  key: SigningKey,
  plan: RootPlan,
  serial: SerialNumber,
  now: Instant,
): Promise<Uint8Array> {
  const decision = decideRoot({ ...plan, publicKey: key.publicKey, keyAlgorithm: key.algorithm }, now, serial);
  const publicKey = parseSubjectPublicKeyInfo(key.publicKey, 'subjectPublicKeyInfo');
  return signed(store, signer(key, publicKey, keyIdentifierOf(publicKey)), decision, 'root', now);
}

/**
 * @param publicKey of the intermediate, DER
 * @returns DER
 * @throws OperatorFault issuance-refused when the plan contradicts the root (it would outlive it); StoreFault
 */
export async function issueIntermediate(
  store: IssuanceStore,
  root: { readonly certificate: TbsCertificate; readonly key: SigningKey },
  publicKey: Uint8Array,
  plan: IntermediatePlan,
  serial: SerialNumber,
  now: Instant,
): Promise<Uint8Array> {
  const { certificate, key } = root;
  const decision = decideIssuance(
    { profile: 'intermediate', names: [], publicKey, ...plan },
    { certificate, keyAlgorithm: key.algorithm },
    {
      defaultLifetimeSeconds: plan.lifetimeSeconds,
      maxLifetimeSeconds: plan.lifetimeSeconds,
      backdateSeconds: BACKDATE_SECONDS,
    },
    now,
    serial,
  );
  const signing = signer(key, certificate.publicKey, issuerKeyIdentifier(certificate));
  return signed(store, signing, decision, 'intermediate', now);
}

/**
 * What a rotation that was cut short left under a serial number that it had chosen: the certificate, nothing yet, or a
 * record that was given up, whose number is spent.
 */
export async function findBegun(
  store: Pick<CertificateStore, 'findCertificate'>,
  serial: SerialNumber,
): Promise<{ readonly kind: 'issued'; readonly der: Uint8Array } | { readonly kind: 'free' | 'spent' }> {
  const record = await store.findCertificate(serial);
  if (record?.der) return { kind: 'issued', der: record.der };
  return { kind: record ? 'spent' : 'free' };
}

/** Signs the revocation list of an authority. */
export function listSigner(certificate: TbsCertificate, key: SigningKey): CrlIssuer {
  return {
    certificate,
    keyAlgorithm: key.algorithm,
    keyId: hexFromBytes(issuerKeyIdentifier(certificate)),
    signCrl: (tbs) => key.sign(tbs.bytes),
  };
}

function signer(key: SigningKey, publicKey: PublicKeyInfo, keyIdentifier: Uint8Array): CertificateSigner {
  const keyId: Hex = hexFromBytes(keyIdentifier);
  return { publicKey, keyId, sign: (tbs) => key.sign(tbs.bytes) };
}

async function signed(
  store: IssuanceStore,
  signing: CertificateSigner,
  decision: IssuanceDecision,
  profile: 'root' | 'intermediate',
  now: Instant,
): Promise<Uint8Array> {
  if (decision.kind === 'refused') throw new OperatorFault('issuance-refused', `the ${profile}: ${decision.detail}`);
  const result = await recordAndSign(store, signing, decision.tbs, { profile }, CONTEXT, now);
  if (result.kind !== 'issued') throw new Error(`the ${profile} cannot be issued already`);
  return result.der;
}
