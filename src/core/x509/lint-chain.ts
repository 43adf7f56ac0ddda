/**
 * Lint of certificates that stand together: what path validation (RFC 5280 §6.1) finds in the first one's path, up to
 * the last issuer among them. Whether that one is trusted, and what time it is, is no matter here.
 */
import { type Certificate, isIssuedBy, isSelfIssued } from './certificate.ts';
import { describeCertificate } from './describe.ts';
import type { LintFinding } from './lint.ts';
import type { LintKind } from './lint-rule.ts';
import { type PathFailureReason, validatePath } from './path.ts';
import type { PathPurpose } from './path-check.ts';
import { ANY_POLICY_INPUTS, processPolicies } from './policy-tree.ts';

export interface ChainLintFinding extends LintFinding {
  /** The certificate at fault. */
  readonly subject: string;
}

/** What the chain alone can tell; null: said of each certificate by itself, or not a matter of lint. */
const SECTIONS: Readonly<Record<PathFailureReason, string | null>> = {
  'extended-key-usage': 'RFC 5280 §4.2.1.12',
  'key-usage': 'RFC 5280 §6.1.4 (n)',
  'name-constraints': 'RFC 5280 §6.1.3 (b), (c)',
  'not-an-authority': 'RFC 5280 §6.1.4 (k)',
  'path-length-exceeded': 'RFC 5280 §6.1.4 (l), (m)',
  'path-too-long': 'RFC 5280 §6.1',
  policy: 'RFC 5280 §6.1.3 (f), §6.1.5 (g)',
  'signature-invalid': 'RFC 5280 §6.1.3 (a)(1)',
  // Judged at a moment when all have begun: one of them had ended by then.
  expired: 'RFC 5280 §6.1.3 (a)(2)',
  'issuer-unknown': null,
  'name-mismatch': null,
  'not-yet-valid': null,
  revoked: null,
  'revocation-unknown': null,
  'self-signed': null,
  'signature-weak': null,
  'too-many-candidates': null,
  'unknown-critical-extension': null,
  'weak-key': null,
};

/** Every id that it can find. */
export const CHAIN_LINT_IDS: readonly string[] = Object.entries(SECTIONS).flatMap(([reason, section]) =>
  section === null ? [] : [`chain-${reason}`],
);

const PURPOSES: Readonly<Partial<Record<LintKind, readonly PathPurpose[]>>> = {
  server: ['server'],
  client: ['client'],
  peer: ['server', 'client'],
};

/** @param kind as what the first of them is judged */
export function lintChain(certificates: readonly Certificate[], kind: LintKind): ChainLintFinding[] {
  for (const purpose of PURPOSES[kind] ?? ['any']) {
    const finding = lintPath(certificates, purpose);
    if (finding) return [finding];
  }
  return [];
}

function lintPath(certificates: readonly Certificate[], purpose: PathPurpose): ChainLintFinding | null {
  const [leaf, ...intermediates] = certificates;
  if (!leaf || intermediates.length === 0) return null;
  const result = validatePath({
    leaf,
    intermediates,
    anchors: tops(certificates),
    now: lastToBegin([leaf, ...intermediates]).validity.notBefore,
    purpose,
  });
  if (result.ok) return lintPolicies(result.path);
  // Of the leaf alone, the rules for single certificates say it.
  const isOfLeaf =
    result.subject === describeCertificate(leaf) && ['extended-key-usage', 'key-usage'].includes(result.reason);
  const what = result.reason === 'expired' ? 'ends before all others of the chain have begun' : result.detail;
  return isOfLeaf ? null : chainFinding(result.reason, what, result.subject);
}

/** An authority that others issued is nobody's anchor, so its policies count too; validation leaves those of the anchor out. */
function lintPolicies(path: readonly Certificate[]): ChainLintFinding | null {
  const top = path.at(-1);
  if (!top || isSelfIssued(top)) return null;
  const result = processPolicies([...path, top], ANY_POLICY_INPUTS);
  const culprit = result.ok ? undefined : path[result.at];
  return result.ok || !culprit ? null : chainFinding('policy', result.detail, describeCertificate(culprit));
}

function chainFinding(reason: PathFailureReason, what: string, subject: string): ChainLintFinding | null {
  const section = SECTIONS[reason];
  return section === null
    ? null
    : { id: `chain-${reason}`, severity: 'error', isSigned: false, what, section, subject };
}

/** Those that nobody here but themselves issued. */
function tops(certificates: readonly Certificate[]): Certificate[] {
  return certificates.filter((certificate) =>
    certificates.every((other) => other === certificate || !isIssuedBy(certificate, other)),
  );
}

/** The one that begins last: the first moment at which all of them have begun is its. */
function lastToBegin(certificates: readonly [Certificate, ...Certificate[]]): Certificate {
  return certificates.reduce((latest, one) => (one.validity.notBefore > latest.validity.notBefore ? one : latest));
}
