/**
 * What revocation lists say of a certificate (RFC 5280 §6.3.3): complete lists, whole or by reasons, by the issuer or
 * by another (indirect), and deltas that add to them. Whatever is not understood makes a list unusable, never a
 * certificate good.
 */
import { bytesEqual } from '../bytes/compare.ts';
import { formatRfc3339, type Instant } from '../time/instant.ts';
import type { Certificate, TbsCertificate } from '../x509/certificate.ts';
import { crlUrls, distributionPoints } from '../x509/crl-distribution-points.ts';
import { type ExtensionKind, extensionValue, findExtension } from '../x509/extension.ts';
import { AUTHORITY_KEY_IDENTIFIER } from '../x509/key-identifier.ts';
import { formatName, type Name, namesEqual } from '../x509/name.ts';
import type { Crl } from './crl.ts';
import {
  CRL_EXTENSIONS,
  DELTA_CRL_INDICATOR,
  ISSUING_DISTRIBUTION_POINT,
  issuingDistributionPoint,
} from './crl-extensions.ts';
import { ALL_REASONS, isByIssuerOf, issuersOwnPoint, reasonsCovered, scopeMismatch } from './crl-scope.ts';
import type { RevokedEntry } from './revoked-entries.ts';

export type CertificateStatus =
  | { readonly kind: 'good' }
  | { readonly kind: 'revoked'; readonly entry: RevokedEntry }
  /** `detail`: why no list could tell; `isMissing`: none by the issuer was given. */
  | { readonly kind: 'undetermined'; readonly detail: string; readonly isMissing: boolean };

export type ListSigner =
  | { readonly ok: true; readonly certificate: Certificate }
  /** Why nobody is believed to have signed it, as the end of a sentence about the list. */
  | { readonly ok: false; readonly detail: string };

export interface StatusContext {
  readonly lists: readonly Crl[];
  readonly now: Instant;
  /** Who signed the list, if that is somebody whose lists count (§6.3.3 (f), (g)). */
  readonly signerOf: (list: Crl) => ListSigner;
  /** Whether this certificate's key signed this list (§6.3.3 (h)). */
  readonly isSignedBy: (list: Crl, signer: Certificate) => boolean;
}

export function certificateStatus(certificate: Certificate, context: StatusContext): CertificateStatus {
  const lists = freshestFirst(context.lists);
  const complete = lists.filter((list) => deltaBase(list) === null);
  const judged = new Map<Crl, ListSigner>();
  const judge = (list: Crl): ListSigner => {
    const known = judged.get(list) ?? judgeList(list, context);
    judged.set(list, known);
    return known;
  };
  const covered = new Set<number>();
  const faults = new Map<Crl, string>();
  for (const point of [...distributionPoints(certificate), issuersOwnPoint(certificate)]) {
    for (const list of complete.filter((candidate) => isByIssuerOf(candidate, certificate, point))) {
      const mismatch = scopeMismatch(list, certificate, point);
      const reasons = [...reasonsCovered(list, point)].filter((reason) => !covered.has(reason));
      if (mismatch !== null) faults.set(list, mismatch);
      // (e): it would add nothing.
      if (mismatch !== null || reasons.length === 0) continue;
      const signer = judge(list);
      if (!signer.ok) {
        faults.set(list, signer.detail);
        continue;
      }
      const delta = deltaOf(list, lists, signer.certificate, context);
      const entry = (delta && entryOf(certificate, delta)) ?? entryOf(certificate, list);
      // (k): what was on hold and was taken off again.
      if (entry && entry.reason !== 'removeFromCRL') return { kind: 'revoked', entry };
      for (const reason of reasons) covered.add(reason);
      if (covered.size === ALL_REASONS.size) return { kind: 'good' };
    }
  }
  return undetermined(certificate, covered.size > 0, faults);
}

/** Two lists may both be current: the later one knows more. */
function freshestFirst(lists: readonly Crl[]): readonly Crl[] {
  return [...lists].sort((a, b) => b.thisUpdate - a.thisUpdate || Number((b.number ?? 0n) - (a.number ?? 0n)));
}

function deltaBase(list: Crl): bigint | null {
  return extensionValue(list, DELTA_CRL_INDICATOR);
}

function judgeList(list: Crl, { now, signerOf }: StatusContext): ListSigner {
  const detail = listFault(list, now);
  return detail === null ? signerOf(list) : { ok: false, detail };
}

/** (a) and §5.2, §5.3: why a list says nothing, whoever signed it. */
function listFault(list: Crl, now: Instant): string | null {
  const { nextUpdate, thisUpdate, entries, extensions } = list;
  if (now < thisUpdate) return `is of ${formatRfc3339(thisUpdate)}, which is still to come`;
  if (nextUpdate === null) return 'does not say until when it holds (nextUpdate)';
  if (now > nextUpdate) return `is stale: the next one was due at ${formatRfc3339(nextUpdate)}`;
  const unknown = extensions.find(({ critical, oid }) => critical && !CRL_EXTENSIONS.has(oid));
  if (unknown) return `has the critical extension ${unknown.oid}, which is not processed`;
  const odd = entries.find(({ unknownCriticalExtension }) => unknownCriticalExtension !== undefined);
  if (odd) return `has entries with the critical extension ${odd.unknownCriticalExtension}, which is not processed`;
  const isIndirect = issuingDistributionPoint(list)?.indirectCrl === true;
  if (!isIndirect && entries.some(({ certificateIssuer }) => certificateIssuer !== undefined))
    return 'has entries of other issuers without being an indirect list';
  return null;
}

/** (c): the latest delta that adds to this list. */
function deltaOf(list: Crl, lists: readonly Crl[], signer: Certificate, context: StatusContext): Crl | null {
  const delta = lists.find((candidate) => {
    const base = deltaBase(candidate);
    if (base === null || list.number === null || candidate.number === null) return false;
    return (
      base <= list.number &&
      list.number < candidate.number &&
      namesEqual(candidate.issuer, list.issuer) &&
      hasSameValue(candidate, list, ISSUING_DISTRIBUTION_POINT) &&
      hasSameValue(candidate, list, AUTHORITY_KEY_IDENTIFIER) &&
      listFault(candidate, context.now) === null &&
      context.isSignedBy(candidate, signer)
    );
  });
  return delta ?? null;
}

function hasSameValue(a: Crl, b: Crl, kind: ExtensionKind<unknown>): boolean {
  const [one, other] = [findExtension(a, kind), findExtension(b, kind)];
  return one === null || other === null ? one === other : bytesEqual(one.value, other.value);
}

/** (i), (j), with §5.3.3: whose an entry of an indirect list is, the last one says that said it. */
function entryOf(certificate: TbsCertificate, list: Crl): RevokedEntry | null {
  let issuers: readonly Name[] = [list.issuer];
  for (const entry of list.entries) {
    if (entry.certificateIssuer)
      issuers = entry.certificateIssuer.flatMap((name) => (name.kind === 'directory' ? [name.name] : []));
    if (entry.serial === certificate.serial && issuers.some((issuer) => namesEqual(issuer, certificate.issuer)))
      return entry;
  }
  return null;
}

function undetermined(
  certificate: TbsCertificate,
  isPartly: boolean,
  faults: ReadonlyMap<Crl, string>,
): CertificateStatus {
  const reasons = [...faults].map(([list, fault]) => `the list of ${JSON.stringify(formatName(list.issuer))} ${fault}`);
  if (isPartly) reasons.unshift('the lists that were given cover only some of the reasons for revocation');
  const isMissing = reasons.length === 0;
  const [url] = crlUrls(certificate);
  const offer = url === undefined ? '' : `; it is offered at ${url}`;
  const detail = isMissing
    ? `no revocation list of its issuer ${JSON.stringify(formatName(certificate.issuer))} was given${offer}`
    : [...new Set(reasons)].slice(0, 5).join('; ');
  return { kind: 'undetermined', detail, isMissing };
}
