/** Revocation along a path (RFC 5280 §6.1.3 (a)(3)), from the anchor down to the leaf. */
import { certificateStatus, type StatusContext } from '../revocation/certificate-status.ts';
import type { Crl } from '../revocation/crl.ts';
import { formatRfc3339 } from '../time/instant.ts';
import type { Certificate } from './certificate.ts';

export interface RevocationInputs {
  /** Given by the one who asks. */
  readonly lists: readonly Crl[];
  /** Whether an authority's status must be known as well where no list of its issuer was given. The leaf's always must. */
  readonly areAuthoritiesRequired: boolean;
}

export type RevocationResult =
  /** `unchecked`: authorities whose issuer gave no list. */
  | { readonly ok: true; readonly unchecked: readonly Certificate[] }
  | {
      readonly ok: false;
      readonly reason: 'revoked' | 'revocation-unknown';
      readonly detail: string;
      /** Index in the path of the certificate at fault. */
      readonly at: number;
    };

/** `contextAt`: how lists about the certificate at this index of the path are judged; all above it are good by then. */
export function pathRevocation(
  path: readonly Certificate[],
  { areAuthoritiesRequired }: RevocationInputs,
  contextAt: (at: number) => StatusContext,
): RevocationResult {
  const unchecked: Certificate[] = [];
  for (let at = path.length - 2; at >= 0; at--) {
    const certificate = path[at];
    if (!certificate) break;
    const status = certificateStatus(certificate, contextAt(at));
    if (status.kind === 'revoked') {
      const { revokedAt, reason } = status.entry;
      return { ok: false, reason: 'revoked', at, detail: `was revoked at ${formatRfc3339(revokedAt)} (${reason})` };
    }
    if (status.kind === 'good') continue;
    if (at === 0 || areAuthoritiesRequired || !status.isMissing) {
      const detail = `whether it is revoked cannot be told: ${status.detail}`;
      return { ok: false, reason: 'revocation-unknown', at, detail };
    }
    unchecked.push(certificate);
  }
  return { ok: true, unchecked };
}
