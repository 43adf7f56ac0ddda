/** Who signed a revocation list (RFC 5280 §6.3.3 (f), (g)). */
import { bytesEqual } from '../bytes/compare.ts';
import type { ListSigner } from '../revocation/certificate-status.ts';
import type { Crl } from '../revocation/crl.ts';
import type { Certificate } from './certificate.ts';
import { authorityKeyIdentifier, subjectKeyIdentifier } from './key-identifier.ts';
import { keyUsage } from './key-usage.ts';
import { namesEqual } from './name.ts';

export interface SignerSearch {
  /** The authorities above the certificate in question, all of them good by now. */
  readonly above: readonly Certificate[];
  /** Everybody else who is known. */
  readonly others: readonly Certificate[];
  readonly isSignedBy: (list: Crl, signer: Certificate) => boolean;
  /** Whether one of the others has a path to the same anchor, and is not revoked. */
  readonly pathOf: (
    signer: Certificate,
  ) => { readonly ok: true } | { readonly ok: false; readonly subject: string; readonly detail: string };
}

/**
 * An authority further up the path, or somebody of the list's issuer's name with a path of its own. Such a one must be
 * said to sign lists (cRLSign), not only not be denied it.
 */
export function findListSigner(list: Crl, { above, others, isSignedBy, pathOf }: SignerSearch): ListSigner {
  const near = above.filter((certificate) => isListIssuedBy(list, certificate));
  const allowed = near.filter((certificate) => keyUsage(certificate)?.includes('cRLSign') ?? true);
  for (const certificate of allowed) if (isSignedBy(list, certificate)) return { ok: true, certificate };
  for (const certificate of others) {
    if (!isListIssuedBy(list, certificate) || !keyUsage(certificate)?.includes('cRLSign')) continue;
    if (!isSignedBy(list, certificate)) continue;
    const path = pathOf(certificate);
    if (path.ok) return { ok: true, certificate };
    return { ok: false, detail: `is signed by ${JSON.stringify(path.subject)}, which ${path.detail}` };
  }
  if (near.length > allowed.length)
    return { ok: false, detail: 'is by an issuer whose key may not sign lists (cRLSign)' };
  return { ok: false, detail: 'is not signed by its issuer, as far as its certificates are known' };
}

function isListIssuedBy(list: Crl, issuer: Certificate): boolean {
  if (!namesEqual(list.issuer, issuer.subject)) return false;
  const wanted = authorityKeyIdentifier(list)?.keyIdentifier;
  const offered = subjectKeyIdentifier(issuer);
  return !wanted || !offered || bytesEqual(wanted, offered);
}
