/**
 * The one way in which a certificate comes into being: decide → record → sign → parse back and compare → record.
 *
 * A crash before the first record: nothing happened. Between the records: the recovery finds the intent and
 * signs the same bytes again, or abandons it; nobody has seen a signature. After the second: it is issued.
 */
import { bytesEqual } from '../../core/bytes/compare.ts';
import type { Hex } from '../../core/bytes/hex.ts';
import { verifySignatureByIssuer } from '../../core/crypto/verify-signature.ts';
import {
  decideIssuance,
  type IssuanceLimits,
  type IssuanceRequest,
  type Issuer,
} from '../../core/issuance/decide-issuance.ts';
import type { LintedTbs } from '../../core/issuance/linted-tbs.ts';
import type { IssuanceRefusal } from '../../core/issuance/refusal.ts';
import type { Instant } from '../../core/time/instant.ts';
import { assembleCertificate, parseCertificate } from '../../core/x509/certificate.ts';
import { formatGeneralName } from '../../core/x509/general-name.ts';
import { formatName } from '../../core/x509/name.ts';
import type { PublicKeyInfo } from '../../core/x509/public-key.ts';
import { SERIAL_BYTE_LENGTH, serialFromRandom } from '../../core/x509/serial-number.ts';
import type { CertificateRecord, IssuanceOrigin, IssuanceStore } from './store-ports.ts';

/** A key that makes certificates. Only linted bytes are signed. */
export interface CertificateSigner {
  readonly publicKey: PublicKeyInfo;
  /** Hex of the subject key identifier: what certificates name their issuer by. */
  readonly keyId: Hex;
  readonly sign: (tbs: LintedTbs) => Promise<Uint8Array>;
}

/** An issuer with its key at hand. */
export interface SigningIssuer extends Issuer, CertificateSigner {}

export interface IssuePorts {
  readonly store: IssuanceStore;
  /** The issuer in use; read once for each certificate, because it may be replaced. */
  readonly issuer: () => SigningIssuer;
  readonly random: (byteLength: number) => Uint8Array;
}

/** Who asked, and on what ground: what is recorded beside the certificate. */
export interface IssueContext {
  readonly origin: IssuanceOrigin;
  readonly provisioner: string;
  readonly accountId: number | null;
}

export type IssueResult =
  | { readonly kind: 'issued'; readonly record: CertificateRecord; readonly der: Uint8Array }
  /** The order or token has an issuance already. */
  | { readonly kind: 'already' }
  | IssuanceRefusal;

/** @throws StoreFault; Error when the signer fails or returns what was not asked for (the intent is abandoned then) */
export async function issueCertificate(
  ports: IssuePorts,
  request: IssuanceRequest,
  limits: IssuanceLimits,
  context: IssueContext,
  now: Instant,
): Promise<IssueResult> {
  const issuer = ports.issuer();
  const serial = serialFromRandom(ports.random(SERIAL_BYTE_LENGTH));
  const decision = decideIssuance(request, issuer, limits, now, serial);
  if (decision.kind === 'refused') return decision;
  return recordAndSign(ports.store, issuer, decision.tbs, request, context, now);
}

/** What follows every decision to issue, for leaves and for the authority's own certificates alike. */
export async function recordAndSign(
  store: IssuanceStore,
  signer: CertificateSigner,
  tbs: LintedTbs,
  request: Pick<IssuanceRequest, 'profile'>,
  context: IssueContext,
  now: Instant,
): Promise<Exclude<IssueResult, { kind: 'refused' }>> {
  const { serial, subject, names, validity } = tbs.summary;
  const intent = await store.recordIntent({
    ...context,
    serial,
    tbs: tbs.bytes,
    issuerKeyId: signer.keyId,
    subject: formatName(subject),
    names: names.map(formatGeneralName),
    notBefore: validity.notBefore,
    notAfter: validity.notAfter,
    profile: request.profile,
    createdAt: now,
  });
  if (intent.kind === 'already') return intent;
  let der: Uint8Array;
  try {
    der = await signAndCompare(signer, tbs);
  } catch (cause) {
    await store.abandonIntent(intent.id, 'the signer failed');
    throw cause;
  }
  const record = await store.recordCertificate(intent.id, der, parseCertificate(der).fingerprint);
  // The recovery may have signed the same intent meanwhile: what is handed out is what was recorded first.
  return { kind: 'issued', record, der: record.der ?? der };
}

/** What the signer returned must be a certificate over exactly the recorded bytes, by the issuer's key. */
export async function signAndCompare(signer: CertificateSigner, tbs: LintedTbs): Promise<Uint8Array> {
  const der = assembleCertificate(tbs.bytes, tbs.keyAlgorithm, await signer.sign(tbs));
  const certificate = parseCertificate(der);
  if (!bytesEqual(certificate.tbs, tbs.bytes)) throw new Error('the signed certificate differs from what was recorded');
  if (
    !verifySignatureByIssuer(signer.publicKey, certificate.signatureAlgorithm, certificate.tbs, certificate.signature)
  ) {
    throw new Error('the signature does not verify with the key of the issuer');
  }
  return der;
}
