/** Which of the certificates of a tree are an authority's, and which it has issued. */

import type { Instant } from '../time/instant.ts';
import { formatRfc3339 } from '../time/instant.ts';
import { basicConstraints } from '../x509/basic-constraints.ts';
import { type Certificate, isIssuedBy, isSelfIssued, verifyCertificateSignature } from '../x509/certificate.ts';
import { checkPublicKey } from '../x509/key-check.ts';
import { keyUsage } from '../x509/key-usage.ts';

export interface FoundAuthorities<T> {
  /** Self-signed authorities with their keys, whoever issued most first. */
  readonly roots: readonly T[];
  /** Authorities below the first of them, with their keys. */
  readonly intermediates: readonly T[];
  /** Certificates of hosts that the first of them stands above, the earliest expiry first. */
  readonly leaves: readonly Certificate[];
}

/**
 * @param certificates of the tree; the same one may be there many times
 * @param withKeys those of them whose private key is in the tree too
 */
export function findAuthorities<T extends { readonly certificate: Certificate }>(
  certificates: readonly Certificate[],
  withKeys: readonly T[],
): FoundAuthorities<T> {
  const all = unique(certificates);
  const below = (issuer: Certificate): readonly Certificate[] =>
    all.filter(
      (one) =>
        one.fingerprint !== issuer.fingerprint && isIssuedBy(one, issuer) && verifyCertificateSignature(one, issuer),
    );
  const roots = withKeys
    .filter(({ certificate }) => isSelfIssued(certificate) && isAuthority(certificate))
    .sort((a, b) => below(b.certificate).length - below(a.certificate).length);
  const [root] = roots;
  if (!root) return { roots: [], intermediates: [], leaves: [] };
  const issued = below(root.certificate);
  const authorities = issued.filter(isAuthority);
  const leaves = [...issued, ...authorities.flatMap(below)].filter((one) => !isAuthority(one));
  return {
    roots,
    intermediates: withKeys.filter(({ certificate }) =>
      authorities.some(({ fingerprint }) => fingerprint === certificate.fingerprint),
    ),
    leaves: unique(leaves).sort((a, b) => a.validity.notAfter - b.validity.notAfter),
  };
}

function isAuthority(certificate: Certificate): boolean {
  return basicConstraints(certificate)?.ca === true;
}

function unique(certificates: readonly Certificate[]): Certificate[] {
  return [...new Map(certificates.map((one) => [one.fingerprint, one])).values()];
}

/** Why a certificate cannot be the root of an authority that issues through an intermediate; null: it can. */
export function rootFlaw(certificate: Certificate, now: Instant): string | null {
  const constraints = basicConstraints(certificate);
  if (constraints?.ca !== true) return 'it is not marked as an authority (basicConstraints CA:TRUE)';
  if (constraints.pathLength === 0) return 'it allows no intermediate below it (path length 0)';
  const usages = keyUsage(certificate);
  if (usages !== null && !usages.includes('keyCertSign')) return 'its key usage does not allow it to sign certificates';
  if (now > certificate.validity.notAfter) return `it expired at ${formatRfc3339(certificate.validity.notAfter)}`;
  if (now < certificate.validity.notBefore)
    return `it is valid only from ${formatRfc3339(certificate.validity.notBefore)}`;
  if (!verifyCertificateSignature(certificate, certificate)) return 'it is not signed by its own key';
  const weakness = checkPublicKey(certificate.publicKey);
  return weakness === null ? null : `its key is too weak: ${weakness.detail}`;
}
