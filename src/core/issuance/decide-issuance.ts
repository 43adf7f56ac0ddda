/**
 * A request, the issuer, the limits, the time and a serial → bytes that may be signed, or why not.
 *
 * Who may ask for which names was decided before; here it is decided whether such a certificate may exist.
 */
import { DerError } from '../asn1/der-reader.ts';
import { bytesEqual } from '../bytes/compare.ts';
import type { Instant } from '../time/instant.ts';
import type { ValidityPeriod } from '../time/validity-period.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../x509/algorithm.ts';
import { parseTbsCertificate, type TbsCertificate } from '../x509/certificate.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { issuerKeyIdentifier, keyIdentifierOf } from '../x509/key-identifier.ts';
import { lintKindOf } from '../x509/lint.ts';
import type { LintContext } from '../x509/lint-rule.ts';
import { encodeName, type NameAttributes } from '../x509/name.ts';
import type { NameConstraints } from '../x509/name-constraints.ts';
import { keyAlgorithmOf, type PublicKeyInfo, parseSubjectPublicKeyInfo } from '../x509/public-key.ts';
import type { SerialNumber } from '../x509/serial-number.ts';
import { certifiedNames } from './certified-names.ts';
import { certifiedValidity } from './certified-validity.ts';
import { type LintedTbs, lintTbs } from './linted-tbs.ts';
import type { ProfileName } from './profile.ts';
import { type IssuanceRefusal, type IssuanceRefusalReason, refuse } from './refusal.ts';
import { type CertificateContent, encodeTbsCertificate } from './tbs-certificate.ts';

export type { LintedTbs } from './linted-tbs.ts';
export type { IssuanceRefusalReason } from './refusal.ts';

export interface IssuanceRequest {
  readonly profile: ProfileName;
  readonly names: readonly GeneralName[];
  readonly subject?: NameAttributes;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly lifetimeSeconds?: number;
  readonly notBefore?: Instant;
  readonly notAfter?: Instant;
  /** For authorities; not limited when absent or null. */
  readonly pathLength?: number | null;
  readonly nameConstraints?: NameConstraints | null;
}

export interface RootRequest extends Pick<IssuanceRequest, 'publicKey' | 'pathLength' | 'nameConstraints'> {
  readonly subject: NameAttributes;
  readonly keyAlgorithm: KeyAlgorithm;
  readonly lifetimeSeconds: number;
}

export interface IssuanceLimits {
  readonly defaultLifetimeSeconds: number;
  readonly maxLifetimeSeconds: number;
  /** Certificates start that much in the past, because clocks of clients lag; it comes on top of the lifetime. */
  readonly backdateSeconds: number;
}

/** The signature of the issuer's certificate plays no part, so a root that is being made can be one. */
export interface Issuer {
  readonly certificate: TbsCertificate;
  readonly keyAlgorithm: KeyAlgorithm;
  readonly crlUrl?: string;
  readonly caIssuersUrl?: string;
  readonly ocspUrl?: string;
}

export type IssuanceDecision =
  | { readonly kind: 'accepted'; readonly tbs: LintedTbs; readonly validity: ValidityPeriod }
  | IssuanceRefusal;

/** Weak keys, and what the issuer may not do (path length, name constraints, purposes), are found by lint. */
export function decideIssuance(
  request: IssuanceRequest,
  issuer: Issuer,
  limits: IssuanceLimits,
  now: Instant,
  serial: SerialNumber,
): IssuanceDecision {
  const { profile, pathLength = null, nameConstraints = null } = request;
  const { certificate, keyAlgorithm, crlUrl, caIssuersUrl, ocspUrl } = issuer;
  const publicKey = readKey(request.publicKey);
  if (publicKey.kind === 'refused') return publicKey;
  const certified = certifiedNames(profile, request.names, request.subject ?? {});
  if (certified.kind === 'refused') return certified;
  const dates = certifiedValidity(request, certificate.validity, limits, now);
  if (dates.kind === 'refused') return dates;
  return acceptLinted(
    {
      profile,
      serial,
      // The issuer's subject as it is encoded, so that chains match byte for byte.
      issuer: certificate.subject.raw,
      subject: encodeName(certified.subject),
      validity: dates.validity,
      publicKey,
      names: certified.names,
      pathLength,
      nameConstraints,
      authorityKeyIdentifier: issuerKeyIdentifier(certificate),
      crlUrl,
      caIssuersUrl,
      ocspUrl,
      keyAlgorithm,
    },
    { kind: profile, issuer: certificate },
  );
}

/** Roots start an hour in the past: they are carried to hosts whose clocks nobody has looked at yet. */
const ROOT_BACKDATE_SECONDS = 3600;

/** A root: what its own key is to sign. */
export function decideRoot(request: RootRequest, now: Instant, serial: SerialNumber): IssuanceDecision {
  const { lifetimeSeconds, keyAlgorithm, pathLength = null, nameConstraints = null } = request;
  const publicKey = readKey(request.publicKey);
  if (publicKey.kind === 'refused') return publicKey;
  if (keyAlgorithmOf(publicKey) !== keyAlgorithm)
    return refuse('key-weak', `the key of the root is not ${keyAlgorithm}`);
  const certified = certifiedNames('root', [], request.subject);
  if (certified.kind === 'refused') return certified;
  const limits: IssuanceLimits = {
    defaultLifetimeSeconds: lifetimeSeconds,
    maxLifetimeSeconds: lifetimeSeconds,
    backdateSeconds: ROOT_BACKDATE_SECONDS,
  };
  const dates = certifiedValidity({ lifetimeSeconds }, null, limits, now);
  if (dates.kind === 'refused') return dates;
  const subject = encodeName(certified.subject);
  return acceptLinted(
    {
      profile: 'root',
      serial,
      issuer: subject,
      subject,
      validity: dates.validity,
      publicKey,
      names: [],
      pathLength,
      nameConstraints,
      authorityKeyIdentifier: keyIdentifierOf(publicKey),
      keyAlgorithm,
    },
    { kind: 'root' },
  );
}

/**
 * Bytes that were recorded before a crash → the permission to sign them, or null when this issuer may not
 * (it has been replaced, or the rules have become stricter).
 */
export function relint(tbs: Uint8Array, issuer: Issuer): LintedTbs | null {
  const certificate = parseTbsCertificate(tbs);
  const { raw } = KEY_ALGORITHMS[issuer.keyAlgorithm].signatureAlgorithm;
  if (!bytesEqual(certificate.signatureAlgorithm.raw, raw)) return null;
  const linted = lintTbs(tbs, issuer.keyAlgorithm, { kind: lintKindOf(certificate), issuer: issuer.certificate });
  return 'bytes' in linted ? linted : null;
}

/** Whether the key is good is found by lint, like everything else that is wrong with the finished bytes. */
function readKey(der: Uint8Array): PublicKeyInfo | IssuanceRefusal {
  try {
    return parseSubjectPublicKeyInfo(der);
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    return refuse('key-malformed', `the public key cannot be read: ${cause.message}`);
  }
}

/** Findings that have a reason of their own; every other one is `lint-failed`. */
const REASON_OF_FINDING: Readonly<Record<string, IssuanceRefusalReason>> = {
  'weak-key': 'key-weak',
  'key-of-issuer': 'key-of-issuer',
  'issuer-not-an-authority': 'issuer-not-an-authority',
  'path-length-exhausted': 'path-length-exceeded',
  'path-length-over-issuer': 'path-length-exceeded',
  'name-outside-constraints': 'outside-name-constraints',
  'purpose-not-of-issuer': 'purpose-not-of-issuer',
  'other-purpose-not-of-issuer': 'purpose-not-of-issuer',
};

/** Encoded, read back, linted: then it may be signed. */
function acceptLinted(content: CertificateContent, context: LintContext): IssuanceDecision {
  const tbs = lintTbs(encodeTbsCertificate(content), content.keyAlgorithm, context);
  if ('bytes' in tbs) return { kind: 'accepted', tbs, validity: content.validity };
  const [first] = tbs.errors;
  const reason = (first && REASON_OF_FINDING[first.id]) ?? 'lint-failed';
  return refuse(reason, tbs.errors.map(({ what, section }) => `${what} (${section})`).join('; '));
}
