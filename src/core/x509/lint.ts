/**
 * What RFC 5280, browsers and the libraries of services refuse in a certificate. Nothing here reads the clock
 * or verifies a signature: what only time or the chain can tell is for path.ts.
 */
import { basicConstraints } from './basic-constraints.ts';
import { isSelfIssued, type TbsCertificate } from './certificate.ts';
import { extendedKeyUsage } from './extended-key-usage.ts';
import { ENVELOPE_RULES } from './lint-envelope.ts';
import { EXTENSION_RULES } from './lint-extensions.ts';
import { NAME_RULES } from './lint-names.ts';
import type { LintContext, LintKind, LintRule, LintSeverity } from './lint-rule.ts';
import { USAGE_RULES } from './lint-usages.ts';

export interface LintFinding {
  readonly id: string;
  readonly severity: LintSeverity;
  /** Whether our own authority signs it all the same. */
  readonly isSigned: boolean;
  /** What was seen. */
  readonly what: string;
  /** Where the rule is written. */
  readonly section: string;
}

/** Every rule there is, in the order of the certificate's fields. */
export const LINT_RULES: readonly LintRule[] = [...ENVELOPE_RULES, ...NAME_RULES, ...USAGE_RULES, ...EXTENSION_RULES];

export function lintCertificate(certificate: TbsCertificate, context: LintContext): LintFinding[] {
  const findings: LintFinding[] = [];
  for (const rule of LINT_RULES) {
    const { id, section, kinds, check } = rule;
    if (kinds && !kinds.includes(context.kind)) continue;
    const what = check(certificate, context);
    if (what === null) continue;
    const severity = rule.severityOf?.[context.kind] ?? rule.severity;
    findings.push({ id, severity, isSigned: rule.isSigned ?? severity !== 'error', what, section });
  }
  return findings;
}

/** As what a certificate of unknown origin is to be judged. */
export function lintKindOf(certificate: TbsCertificate): LintKind {
  if (basicConstraints(certificate)?.ca || (certificate.version === 1 && isSelfIssued(certificate))) {
    return isSelfIssued(certificate) ? 'root' : 'intermediate';
  }
  const purposes = extendedKeyUsage(certificate) ?? [];
  if (!purposes.includes('clientAuth')) return 'server';
  return purposes.includes('serverAuth') ? 'peer' : 'client';
}
