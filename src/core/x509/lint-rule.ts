/** One rule of the certificate linter. The rules: lint-*.ts; the table that joins them: lint.ts. */
import type { TbsCertificate } from './certificate.ts';

export type LintKind = 'server' | 'client' | 'peer' | 'intermediate' | 'root';

/** By what clients do. error: one that people use refuses it. warning: a policy forbids it, or it is bad practice. */
export type LintSeverity = 'error' | 'warning' | 'info';

export interface LintContext {
  /** As what the certificate is judged. */
  readonly kind: LintKind;
  /** With it, the rules that compare both apply. */
  readonly issuer?: TbsCertificate | undefined;
  /** Whether the limits that browsers set for publicly trusted servers apply. */
  readonly publicTrust?: boolean;
}

export interface LintRule {
  readonly id: string;
  readonly severity: LintSeverity;
  /** Where some kinds fare otherwise. */
  readonly severityOf?: Readonly<Partial<Record<LintKind, LintSeverity>>>;
  /** Whether our own authority signs it all the same; absent: what nobody refuses. */
  readonly isSigned?: boolean;
  /** Where it is written. */
  readonly section: string;
  /** For which kinds it is asked; for all when absent. */
  readonly kinds?: readonly LintKind[];
  /** What was seen, in words, or null when there is nothing to say. */
  readonly check: (certificate: TbsCertificate, context: LintContext) => string | null;
}

/** A rule that needs the issuer: silent without one. */
export function withIssuer(
  check: (certificate: TbsCertificate, issuer: TbsCertificate, context: LintContext) => string | null,
): LintRule['check'] {
  return (certificate, context) => (context.issuer ? check(certificate, context.issuer, context) : null);
}

export const AUTHORITIES: readonly LintKind[] = ['intermediate', 'root'];
export const LEAVES: readonly LintKind[] = ['server', 'client', 'peer'];
/** What clients connect to by name. */
export const SERVERS: readonly LintKind[] = ['server', 'peer'];
export const NOT_ROOT: readonly LintKind[] = ['server', 'client', 'peer', 'intermediate'];
