/**
 * Validation of one given path (RFC 5280 §6.1), leaf first, anchor last; its signatures were verified when it was
 * built. Policies are processed in policy-tree.ts, revocation in path-revocation.ts.
 */
import { formatRfc3339, type Instant } from '../time/instant.ts';
import { contains } from '../time/validity-period.ts';
import { ACME_IDENTIFIER } from './acme-identifier.ts';
import { basicConstraints } from './basic-constraints.ts';
import { type Certificate, isSelfIssued } from './certificate.ts';
import { extendedKeyUsage } from './extended-key-usage.ts';
import { type KeyUsage, keyUsage } from './key-usage.ts';
import { KNOWN_EXTENSIONS } from './known-extensions.ts';
import { nameConstraints } from './name-constraints.ts';
import { nameConstraintViolation } from './name-constraints-check.ts';
import { describeKey } from './public-key.ts';
import { subjectAltNames } from './subject-alt-name.ts';

export type PathPurpose = 'server' | 'client' | 'any';

/** What can be wrong with a path whose signatures are right. */
export type PathFlawReason =
  | 'expired'
  | 'not-yet-valid'
  | 'not-an-authority'
  | 'path-length-exceeded'
  | 'key-usage'
  | 'extended-key-usage'
  | 'name-constraints'
  | 'unknown-critical-extension'
  | 'weak-key';

export interface PathFlaw {
  readonly reason: PathFlawReason;
  /** What was seen and what is needed. */
  readonly detail: string;
  /** Index in the path of the certificate at fault. */
  readonly at: number;
}

/** The flaw nearest to the anchor, or null. */
export function pathFlaw(path: readonly Certificate[], now: Instant, purpose: PathPurpose): PathFlaw | null {
  for (let at = path.length - 1; at >= 0; at--) {
    const certificate = path[at];
    if (!certificate) break;
    const flaw =
      validityFlaw(certificate, now) ??
      criticalExtensionFlaw(certificate) ??
      weakKeyFlaw(certificate) ??
      purposeFlaw(certificate, purpose) ??
      (at > 0 ? issuerFlaw(path, at) : leafUsageFlaw(certificate, purpose));
    if (flaw) return { ...flaw, at };
  }
  return null;
}

type Flaw = Omit<PathFlaw, 'at'>;

/** §6.1.3 (a)(2), also for the anchor, as OpenSSL and browsers do. */
function validityFlaw({ validity }: Certificate, now: Instant): Flaw | null {
  if (contains(validity, now)) return null;
  return now > validity.notAfter
    ? { reason: 'expired', detail: `expired at ${formatRfc3339(validity.notAfter)}; it is ${formatRfc3339(now)}` }
    : {
        reason: 'not-yet-valid',
        detail: `valid from ${formatRfc3339(validity.notBefore)}; it is ${formatRfc3339(now)}`,
      };
}

/** §6.1.5 (f). A validation certificate (RFC 8737 §3) must never pass for anything else, so its extension counts as unknown. */
function criticalExtensionFlaw({ extensions }: Certificate): Flaw | null {
  const unknown = extensions.find(
    ({ critical, oid }) => critical && (!KNOWN_EXTENSIONS.has(oid) || oid === ACME_IDENTIFIER.oid),
  );
  if (!unknown) return null;
  return {
    reason: 'unknown-critical-extension',
    detail: `has the critical extension ${unknown.oid}, which is not processed`,
  };
}

/** What every TLS library refuses; the other faults of keys are for those who certify them (key-check.ts). */
function weakKeyFlaw({ publicKey }: Certificate): Flaw | null {
  if (publicKey.kind !== 'rsa' || publicKey.bits >= 2048) return null;
  return { reason: 'weak-key', detail: `its key is ${describeKey(publicKey)}; RSA takes at least 2048 bits` };
}

/** §4.2.1.12, nested as all browsers do: an authority limited to purposes cannot certify others. */
function purposeFlaw(certificate: Certificate, purpose: PathPurpose): Flaw | null {
  const purposes = extendedKeyUsage(certificate);
  const wanted = purpose === 'server' ? 'serverAuth' : 'clientAuth';
  // OpenSSL, Go and browsers want the purpose itself of a leaf; of an authority "any" is enough.
  const isAny = purposes?.includes('anyExtendedKeyUsage') && basicConstraints(certificate)?.ca === true;
  if (purpose === 'any' || !purposes || purposes.includes(wanted) || isAny) return null;
  return { reason: 'extended-key-usage', detail: `is for ${purposes.join(', ') || 'no purpose'}, not for ${wanted}` };
}

const TLS_USAGES: Readonly<Record<PathPurpose, readonly KeyUsage[]>> = {
  server: ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
  client: ['digitalSignature', 'keyAgreement'],
  any: [],
};

function leafUsageFlaw(leaf: Certificate, purpose: PathPurpose): Flaw | null {
  const usages = keyUsage(leaf);
  const wanted = TLS_USAGES[purpose];
  if (usages === null || wanted.length === 0 || wanted.some((usage) => usages.includes(usage))) return null;
  return {
    reason: 'key-usage',
    detail: `its key may be used for ${usages.join(', ') || 'nothing'}, none of which TLS needs`,
  };
}

/** §6.1.4: what a certificate needs that issued another one, and what it demands of those below it. */
function issuerFlaw(path: readonly Certificate[], at: number): Flaw | null {
  const issuer = path[at];
  if (!issuer) return null;
  const isAnchor = at === path.length - 1;
  const constraints = basicConstraints(issuer);
  // (k). Roots of version 1 have no extensions and are trusted by decision.
  if (!constraints?.ca && !(isAnchor && issuer.version === 1)) {
    return { reason: 'not-an-authority', detail: 'issued a certificate without being an authority (CA:TRUE)' };
  }
  if (keyUsage(issuer)?.includes('keyCertSign') === false) {
    return { reason: 'key-usage', detail: 'issued a certificate although its key may not sign any (keyCertSign)' };
  }
  const below = path.slice(0, at);
  const intermediates = below.slice(1).filter((certificate) => !isSelfIssued(certificate)).length;
  const allowed = constraints?.pathLength ?? null;
  if (allowed !== null && intermediates > allowed) {
    return {
      reason: 'path-length-exceeded',
      detail: `allows ${allowed} authorities below itself; there are ${intermediates}`,
    };
  }
  return nameConstraintsFlaw(issuer, below);
}

/** §6.1.3 (b), (c): for all below, except self-issued authorities. */
function nameConstraintsFlaw(issuer: Certificate, below: readonly Certificate[]): Flaw | null {
  const constraints = nameConstraints(issuer);
  if (!constraints) return null;
  for (const [index, certificate] of below.entries()) {
    if (index > 0 && isSelfIssued(certificate)) continue;
    const violation = nameConstraintViolation(constraints, subjectAltNames(certificate), certificate.subject);
    if (violation) return { reason: 'name-constraints', detail: violation };
  }
  return null;
}
