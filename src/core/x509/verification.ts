/**
 * `cert verify`: would a client accept this certificate with what was sent along, and if not, why, and what then?
 * The path is path.ts's judgement; here it gets company (name, key, order) and words. Ids are causes of `diagnose`.
 */
import { bytesEqual } from '../bytes/compare.ts';
import { formatRfc3339, type Instant } from '../time/instant.ts';
import { contains } from '../time/validity-period.ts';
import { authorityInformationAccess } from './authority-information-access.ts';
import { basicConstraints } from './basic-constraints.ts';
import { type Certificate, isSelfIssued } from './certificate.ts';
import { describeCertificate } from './describe.ts';
import { parseIpAddress } from './ip-address.ts';
import { namesEqual } from './name.ts';
import { nameMismatch } from './name-match.ts';
import { type PathFailureReason, type PathResult, validatePath } from './path.ts';
import type { PathPurpose } from './path-check.ts';
import type { RevocationInputs } from './path-revocation.ts';
import type { PolicyInputs } from './policy-tree.ts';
import { describeKey, type PublicKeyInfo } from './public-key.ts';
import { subjectAltNames } from './subject-alt-name.ts';

export interface VerificationRequest {
  /** As in the file or on the wire: the leaf first. */
  readonly chain: readonly [Certificate, ...Certificate[]];
  /** Given as helpers for building the path, though not sent. */
  readonly intermediates: readonly Certificate[];
  /** Known here, but given by nobody: they only explain a gap. */
  readonly known: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  readonly now: Instant;
  readonly purpose: PathPurpose;
  /** DNS name or IP address; null when none is asked for. */
  readonly name: string | null;
  /** Of the key that should belong to the leaf; null when none was given. */
  readonly key: PublicKeyInfo | null;
  /** Absent: whether anything is revoked is not asked. */
  readonly revocation?: RevocationInputs;
  /** Absent: any policy, and none is fine unless an authority demands one. */
  readonly policies?: PolicyInputs;
}

export interface VerificationFinding {
  readonly id: VerificationFindingId;
  readonly severity: 'error' | 'warning';
  /** The certificate at fault. */
  readonly subject: string;
  readonly what: string;
}

export interface Verification {
  readonly ok: boolean;
  /** Leaf first, as far as it could be built. */
  readonly path: readonly Certificate[];
  /** Whether the path ends in an anchor. */
  readonly isAnchored: boolean;
  /** Certificate policies that the path is valid under; empty where it is not valid. */
  readonly policies: readonly string[];
  readonly findings: readonly VerificationFinding[];
}

/** What comes of each and what to do about it is in core/diagnosis/causes.ts. */
export type VerificationFindingId =
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'unknown-ca'
  | 'chain-incomplete'
  | 'chain-order'
  | 'self-signed'
  | 'name-mismatch'
  | 'ip-not-in-certificate'
  | 'no-subject-alt-name'
  | 'certificate-wrong-purpose'
  | 'weak-certificate'
  | 'key-mismatch'
  | 'key-type-mismatch'
  | 'signature-invalid'
  | 'not-an-authority'
  | 'path-length-exceeded'
  | 'path-too-long'
  | 'too-many-candidates'
  | 'name-constraints'
  | 'policy-not-met'
  | 'certificate-revoked'
  | 'revocation-unchecked'
  | 'revocation-unknown'
  | 'unknown-critical-extension';

const IDS: Readonly<Record<PathFailureReason, VerificationFindingId>> = {
  expired: 'certificate-expired',
  'not-yet-valid': 'certificate-not-yet-valid',
  'issuer-unknown': 'unknown-ca',
  'self-signed': 'self-signed',
  'signature-invalid': 'signature-invalid',
  'signature-weak': 'weak-certificate',
  'weak-key': 'weak-certificate',
  'key-usage': 'certificate-wrong-purpose',
  'extended-key-usage': 'certificate-wrong-purpose',
  'name-mismatch': 'name-mismatch',
  'not-an-authority': 'not-an-authority',
  'path-length-exceeded': 'path-length-exceeded',
  'path-too-long': 'path-too-long',
  'too-many-candidates': 'too-many-candidates',
  'name-constraints': 'name-constraints',
  policy: 'policy-not-met',
  revoked: 'certificate-revoked',
  'revocation-unknown': 'revocation-unknown',
  'unknown-critical-extension': 'unknown-critical-extension',
};

export function verifyChain(request: VerificationRequest): Verification {
  const [leaf] = request.chain;
  const result = validatePath(pathRequest(request, []));
  const findings = [
    ...(result.ok ? result.unchecked.map(uncheckedFinding) : pathFindings(request, result)),
    ...nameFindings(leaf, request.name),
    ...keyFindings(leaf, request.key),
    ...orderFindings(request.chain, result.path),
  ];
  const last = result.path.at(-1);
  return {
    ok: findings.every(({ severity }) => severity !== 'error'),
    path: result.path,
    isAnchored: last !== undefined && isAmong(request.anchors, last),
    policies: result.ok ? result.policies : [],
    findings,
  };
}

function pathRequest(
  { chain, intermediates, anchors, now, purpose, revocation, policies }: VerificationRequest,
  more: readonly Certificate[],
) {
  const [leaf, ...sent] = chain;
  const helpers = [...sent, ...intermediates, ...more];
  return {
    ...{ leaf, intermediates: helpers, anchors, now, purpose },
    ...(revocation && { revocation }),
    ...(policies && { policies }),
  };
}

function finding(id: VerificationFindingId, certificate: string, what: string): VerificationFinding {
  return { id, severity: 'error', subject: certificate, what };
}

type PathFailure = Extract<PathResult, { ok: false }>;

function pathFindings(request: VerificationRequest, failure: PathFailure): VerificationFinding[] {
  const { reason, detail, subject } = failure;
  if (reason !== 'issuer-unknown' && reason !== 'self-signed')
    return [finding(IDS[reason], subject, `${subject}: ${detail}`)];
  // Without an anchor no path is judged, so an expired leaf would pass unnoticed.
  return [gapFinding(request, failure), ...validityFindings(request.chain[0], request.now)];
}

function uncheckedFinding(authority: Certificate): VerificationFinding {
  const subject = describeCertificate(authority);
  const what = `${subject}: whether this authority is revoked was not looked at: no list of its issuer was given`;
  return { ...finding('revocation-unchecked', subject, what), severity: 'warning' };
}

/** The path does not reach an anchor: because a certificate is missing that is known here, or for good. */
function gapFinding(request: VerificationRequest, { reason, detail, subject, path }: PathFailure): VerificationFinding {
  const last = path.at(-1) ?? request.chain[0];
  const repaired = validatePath(pathRequest(request, request.known));
  const closesGap = repaired.ok || IDS[repaired.reason] !== IDS[reason];
  const missing = repaired.path.find(
    (certificate) => isAmong(request.known, certificate) && !isAmong(path, certificate),
  );
  // A root is not to be sent but to be trusted.
  if (reason === 'issuer-unknown' && closesGap && missing && !isSelfIssued(missing)) {
    const name = describeCertificate(missing);
    return finding(
      'chain-incomplete',
      subject,
      `${subject}: the intermediate ${JSON.stringify(name)} is missing from the chain`,
    );
  }
  // A certificate for a name is meant for a server, also where the recipe made an authority of it.
  const isForServer = request.name !== null || !basicConstraints(last)?.ca || subjectAltNames(last).length > 0;
  if (reason === 'self-signed' && path.length === 1 && isForServer)
    return finding('self-signed', subject, `${subject}: ${detail}`);
  return finding('unknown-ca', subject, `${subject}: ${detail}${nearMiss(request, last)}`);
}

/** What comes nearest to the missing issuer. */
function nearMiss({ anchors }: VerificationRequest, last: Certificate): string {
  if (anchors.some((anchor) => namesEqual(anchor.subject, last.issuer)))
    return '; an authority of this name is trusted, but it has another key: one of them was made anew';
  const [url] = isSelfIssued(last) ? [] : authorityInformationAccess(last).caIssuersUrls;
  return url === undefined ? '' : `; it is offered at ${url}`;
}

function validityFindings(leaf: Certificate, now: Instant): VerificationFinding[] {
  const { validity } = leaf;
  if (contains(validity, now)) return [];
  const subject = describeCertificate(leaf);
  return now > validity.notAfter
    ? [finding('certificate-expired', subject, `${subject}: expired at ${formatRfc3339(validity.notAfter)}`)]
    : [finding('certificate-not-yet-valid', subject, `${subject}: valid from ${formatRfc3339(validity.notBefore)}`)];
}

function nameFindings(leaf: Certificate, name: string | null): VerificationFinding[] {
  const what = name === null ? null : nameMismatch(leaf, name);
  if (name === null || what === null) return [];
  const names = subjectAltNames(leaf);
  const isAddress = parseIpAddress(name.replace(/^\[(.*)\]$/, '$1')) !== null;
  const id =
    names.length === 0
      ? 'no-subject-alt-name'
      : isAddress && !names.some(({ kind }) => kind === 'ip')
        ? 'ip-not-in-certificate'
        : 'name-mismatch';
  return [finding(id, describeCertificate(leaf), what)];
}

function keyFindings(leaf: Certificate, key: PublicKeyInfo | null): VerificationFinding[] {
  if (key === null || bytesEqual(key.raw, leaf.publicKey.raw)) return [];
  const [wanted, given] = [describeKey(leaf.publicKey), describeKey(key)];
  return [
    wanted === given
      ? finding('key-mismatch', describeCertificate(leaf), `the key is another one (of the same kind, ${given})`)
      : finding(
          'key-type-mismatch',
          describeCertificate(leaf),
          `the key is ${given}, the certificate is for ${wanted}`,
        ),
  ];
}

/** RFC 5246 §7.4.2: "Each following certificate MUST directly certify the one preceding it." Most clients sort. */
function orderFindings(chain: VerificationRequest['chain'], path: readonly Certificate[]): VerificationFinding[] {
  const [leaf, ...others] = chain;
  const subject = describeCertificate(leaf);
  const stray = others.find((certificate) => !basicConstraints(certificate)?.ca && !isSelfIssued(certificate));
  if (basicConstraints(leaf)?.ca && stray)
    return [
      finding(
        'chain-order',
        subject,
        `the first certificate is an authority; ${describeCertificate(stray)} belongs there`,
      ),
    ];
  const positions = path.slice(1).map((certificate) => chain.findIndex(({ raw }) => bytesEqual(raw, certificate.raw)));
  const sent = positions.filter((position) => position !== -1);
  if (sent.every((position, index) => position === index + 1)) return [];
  const wanted = path.filter((certificate) => isAmong(chain, certificate)).map(describeCertificate);
  return [
    { ...finding('chain-order', subject, `not in order; it should be ${wanted.join(', ')}`), severity: 'warning' },
  ];
}

function isAmong(certificates: readonly Certificate[], wanted: Certificate): boolean {
  return certificates.some(({ raw }) => bytesEqual(raw, wanted.raw));
}
