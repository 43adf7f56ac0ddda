/**
 * Path building (RFC 4158) and validation (RFC 5280 §6): from a certificate over candidates to a trust anchor.
 *
 * Candidates come from strangers, so the work is bounded: paths of at most eight certificates, and a budget of
 * signatures that no honest chain comes near.
 */
import { bytesEqual } from '../bytes/compare.ts';
import type { ListSigner, StatusContext } from '../revocation/certificate-status.ts';
import { type Crl, verifyCrlSignature } from '../revocation/crl.ts';
import type { Instant } from '../time/instant.ts';
import { describeSignatureAlgorithm, signatureScheme } from './algorithm.ts';
import { type Certificate, isIssuedBy, isSelfIssued, verifyCertificateSignature } from './certificate.ts';
import { formatGeneralName } from './general-name.ts';
import { findListSigner } from './list-signer.ts';
import { formatName, isEmptyName } from './name.ts';
import { nameMismatch } from './name-match.ts';
import { type PathFlawReason, type PathPurpose, pathFlaw } from './path-check.ts';
import { pathRevocation, type RevocationInputs } from './path-revocation.ts';
import { ANY_POLICY_INPUTS, type PolicyInputs, processPolicies } from './policy-tree.ts';
import { subjectAltNames } from './subject-alt-name.ts';

export interface PathRequest {
  readonly leaf: Certificate;
  /** What came with the leaf, in any order. */
  readonly intermediates: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  readonly now: Instant;
  readonly purpose: PathPurpose;
  /** DNS name or IP address that was connected to. */
  readonly name?: string;
  /** Policies that are wanted; absent: any, and none is fine unless an authority demands one. */
  readonly policies?: PolicyInputs;
  /** Absent: revocation is not looked at. */
  readonly revocation?: RevocationInputs;
}

export type PathFailureReason =
  | PathFlawReason
  | 'policy'
  | 'revoked'
  | 'revocation-unknown'
  | 'issuer-unknown'
  | 'self-signed'
  | 'signature-invalid'
  | 'signature-weak'
  | 'path-too-long'
  | 'too-many-candidates'
  | 'name-mismatch';

export type PathResult =
  | {
      readonly ok: true;
      /** Leaf first, anchor last. */
      readonly path: readonly Certificate[];
      /** Certificate policies that it is valid under; anyPolicy among them when every one is. */
      readonly policies: readonly string[];
      /** Authorities of which nobody said whether they are revoked; empty where revocation was not asked for. */
      readonly unchecked: readonly Certificate[];
    }
  | {
      readonly ok: false;
      readonly reason: PathFailureReason;
      /** What was seen and what is needed. */
      readonly detail: string;
      /** The certificate at fault, by its subject or first name. */
      readonly subject: string;
      /** As far as it could be built. */
      readonly path: readonly Certificate[];
    };

type PathFailure = Extract<PathResult, { ok: false }>;

const MAX_PATH_LENGTH = 8;
const MAX_SIGNATURES = 100;

/** What the search for one path, and for those of the signers of lists, shares. */
interface Search {
  readonly request: PathRequest;
  readonly budget: { signatures: number };
  /** What is being judged: whoever signs a list about one of these cannot be one of them. */
  readonly pending: readonly Certificate[];
}

/** The first valid path, or the failure that came nearest to one. */
export function validatePath(request: PathRequest): PathResult {
  const search = { request, budget: { signatures: MAX_SIGNATURES }, pending: [request.leaf] };
  const result = extend(search, [request.leaf]);
  const mismatch = result.ok && request.name !== undefined ? nameMismatch(request.leaf, request.name) : null;
  return mismatch === null ? result : fail('name-mismatch', mismatch, request.leaf, result.path);
}

/** Depth first; anchors before intermediates, so that the shortest way out is tried first. */
function extend(search: Search, path: readonly Certificate[]): PathResult {
  const { request, budget } = search;
  const last = path.at(-1) ?? request.leaf;
  if (request.anchors.some((anchor) => bytesEqual(anchor.raw, last.raw))) return judge(search, path);
  const candidates = [...request.anchors, ...request.intermediates].filter(
    (candidate) => isIssuedBy(last, candidate) && !path.some((used) => sameEntity(used, candidate)),
  );
  if (candidates.length === 0) return unknownIssuer(last, path);
  if (path.length >= MAX_PATH_LENGTH) {
    return fail('path-too-long', `the path has more than ${MAX_PATH_LENGTH} certificates`, last, path);
  }
  let best: PathFailure | null = null;
  for (const candidate of candidates) {
    if (--budget.signatures < 0) {
      return fail('too-many-candidates', `more than ${MAX_SIGNATURES} signatures would have to be checked`, last, path);
    }
    const result = verifyCertificateSignature(last, candidate)
      ? extend(search, [...path, candidate])
      : badSignature(last, candidate, path);
    if (result.ok) return result;
    if (best === null || progress(request, result) > progress(request, best)) best = result;
  }
  return best ?? unknownIssuer(last, path);
}

function judge(search: Search, path: readonly Certificate[]): PathResult {
  const { request } = search;
  const flaw = pathFlaw(path, request.now, request.purpose);
  if (flaw) return fail(flaw.reason, flaw.detail, path[flaw.at] ?? request.leaf, path);
  const processed = processPolicies(path, request.policies ?? ANY_POLICY_INPUTS);
  if (!processed.ok) return fail('policy', processed.detail, path[processed.at] ?? request.leaf, path);
  const { policies } = processed;
  const { revocation } = request;
  if (!revocation) return { ok: true, path, policies, unchecked: [] };
  const status = pathRevocation(path, revocation, (at) => statusContext(search, revocation, path, at));
  if (!status.ok) return fail(status.reason, status.detail, path[status.at] ?? request.leaf, path);
  return { ok: true, path, policies, unchecked: status.unchecked };
}

/** How lists about the certificate at this index are judged: their signatures are of the same budget. */
function statusContext(
  search: Search,
  { lists }: RevocationInputs,
  path: readonly Certificate[],
  at: number,
): StatusContext {
  const { request, budget, pending } = search;
  const isSignedBy = (list: Crl, signer: Certificate): boolean =>
    --budget.signatures >= 0 && verifyCrlSignature(list, signer);
  const above = path.slice(at + 1);
  const others = [...request.anchors, ...request.intermediates].filter(
    (certificate) => ![...above, ...pending].some(({ raw }) => bytesEqual(raw, certificate.raw)),
  );
  const signerOf = (list: Crl): ListSigner => {
    const signer = findListSigner(list, {
      above,
      others,
      isSignedBy,
      pathOf: (one) => pathOfSigner(search, one, path),
    });
    if (signer.ok || budget.signatures >= 0) return signer;
    return { ok: false, detail: `is one too many: more than ${MAX_SIGNATURES} signatures would have to be checked` };
  };
  return { lists, now: request.now, signerOf, isSignedBy };
}

/** RFC 5280 §6.3.3 (f): "The trust anchor for the certification path MUST be the same". */
function pathOfSigner(search: Search, signer: Certificate, path: readonly Certificate[]): PathResult {
  const { intermediates, now, revocation } = search.request;
  const request: PathRequest = {
    ...{ leaf: signer, intermediates, anchors: path.slice(-1), now, purpose: 'any' },
    ...(revocation && { revocation }),
  };
  return extend({ request, budget: search.budget, pending: [...search.pending, signer] }, [signer]);
}

/** The same subject and key: going through it twice never helps (RFC 4158 §5.2). */
function sameEntity(a: Certificate, b: Certificate): boolean {
  return bytesEqual(a.subject.raw, b.subject.raw) && bytesEqual(a.publicKey.raw, b.publicKey.raw);
}

/** A failure at an anchor says more than one on the way there. */
function progress({ anchors }: PathRequest, { path }: PathFailure): number {
  const last = path.at(-1);
  const arrived = last !== undefined && anchors.some((anchor) => bytesEqual(anchor.raw, last.raw));
  return path.length + (arrived ? MAX_PATH_LENGTH : 0);
}

function unknownIssuer(last: Certificate, path: readonly Certificate[]): PathFailure {
  if (isSelfIssued(last)) {
    const what = path.length === 1 ? 'is self-signed and not trusted' : 'is the root of the chain and not trusted';
    return fail('self-signed', what, last, path);
  }
  return fail(
    'issuer-unknown',
    `its issuer ${JSON.stringify(formatName(last.issuer))} was neither sent nor is it trusted`,
    last,
    path,
  );
}

function badSignature(last: Certificate, issuer: Certificate, path: readonly Certificate[]): PathFailure {
  if (signatureScheme(last.signatureAlgorithm)?.weak) {
    const seen = describeSignatureAlgorithm(last.signatureAlgorithm);
    return fail('signature-weak', `is signed with ${seen}; SHA-256 or better is needed`, last, path);
  }
  return fail(
    'signature-invalid',
    `its signature does not verify with the key of ${JSON.stringify(describeSubject(issuer))}`,
    last,
    path,
  );
}

function fail(
  reason: PathFailureReason,
  detail: string,
  culprit: Certificate,
  path: readonly Certificate[],
): PathFailure {
  return { ok: false, reason, detail, subject: describeSubject(culprit), path };
}

function describeSubject(certificate: Certificate): string {
  if (!isEmptyName(certificate.subject)) return formatName(certificate.subject);
  const [first] = subjectAltNames(certificate);
  return first ? formatGeneralName(first) : `serial ${certificate.serial}`;
}
