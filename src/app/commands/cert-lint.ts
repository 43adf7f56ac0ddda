/** What `cert lint` does: every certificate against the table of lint rules, and all of them as a chain. */
import { withoutPassword } from '../../core/probe/target.ts';
import { basicConstraints } from '../../core/x509/basic-constraints.ts';
import { type Certificate, isIssuedBy, isSelfIssued } from '../../core/x509/certificate.ts';
import { clientErrorNote } from '../../core/x509/client-errors.ts';
import { describeCertificate, printable } from '../../core/x509/describe.ts';
import { lintCertificate, lintKindOf } from '../../core/x509/lint.ts';
import { LINT_ADVICE, type LintAdvice } from '../../core/x509/lint-advice.ts';
import { lintChain } from '../../core/x509/lint-chain.ts';
import type { LintKind, LintSeverity } from '../../core/x509/lint-rule.ts';
import { certificatesAmong } from '../../edge/files/pki-objects.ts';
import type { LintFlags } from '../cli/cert-inspect.ts';
import { type Context, print } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import { judgedTarget } from './judged-target.ts';
import { readTarget } from './pki-target.ts';

const SEVERITIES = { error: 'red', warning: 'yellow', info: 'dim' } as const satisfies Record<LintSeverity, string>;

export function lint(context: Context, text: string, flags: LintFlags): Promise<void> {
  return judgedTarget(context, text, {}, () => judge(context, text, flags));
}

async function judge(context: Context, text: string, flags: LintFlags): Promise<void> {
  const target = await readTarget(text, {
    servername: flags.servername,
    starttls: flags.starttls,
    timeout: flags.timeout,
  });
  const certificates = certificatesAmong(target.objects, target.where);
  const kindAt = (certificate: Certificate, index: number): LintKind =>
    (index === 0 && (flags.profile as LintKind | undefined)) || kindOf(certificate, index);
  const single = certificates.flatMap((certificate, index) =>
    findingsOf(certificate, certificates, kindAt(certificate, index), flags),
  );
  const findings = [...single, ...chainFindings(certificates, kindAt, single)];
  const ordered = Object.keys(SEVERITIES).flatMap((severity) =>
    findings.filter((finding) => finding.severity === severity),
  );
  const ok = findings.every(({ severity }) => severity !== 'error');
  print(context, { ok, findings: ordered.map((finding) => documentOf(finding, text)) }, () => [
    ...ordered.flatMap((finding) => linesOf(finding, certificates.length > 1)),
    `${ok ? 'ok' : 'refused'}: ${summary(ordered)} in ${certificates.length === 1 ? 'one certificate' : `${certificates.length} certificates`}`,
  ]);
  if (!ok) process.exitCode = 1;
}

interface Finding {
  readonly id: string;
  readonly severity: LintSeverity;
  readonly what: string;
  readonly section: string;
  /** The certificate at fault. */
  readonly subject: string;
}

function findingsOf(
  certificate: Certificate,
  all: readonly Certificate[],
  kind: LintKind,
  flags: LintFlags,
): Finding[] {
  const issuer = isSelfIssued(certificate) ? undefined : all.find((other) => isIssuedBy(certificate, other));
  return lintCertificate(certificate, { kind, issuer, publicTrust: flags.public === true }).map(
    ({ id, severity, what, section }) => ({
      id,
      severity,
      what: `${what}${clientErrorNote(id)}`,
      section,
      subject: describeCertificate(certificate),
    }),
  );
}

/** What a certificate and its issuer say by themselves is not said again of the chain. */
const SAID_OF_PAIRS: Readonly<Record<string, readonly string[]>> = {
  'chain-key-usage': ['issuer-not-an-authority'],
  'chain-name-constraints': ['name-outside-constraints'],
  'chain-not-an-authority': ['issuer-not-an-authority'],
  'chain-path-length-exceeded': ['path-length-exhausted', 'path-length-over-issuer'],
  'chain-signature-invalid': ['signature-not-of-issuer-key'],
};

function chainFindings(
  certificates: readonly Certificate[],
  kindAt: (certificate: Certificate, index: number) => LintKind,
  said: readonly Finding[],
): Finding[] {
  const [first] = certificates;
  if (!first) return [];
  return lintChain(certificates, kindAt(first, 0)).filter(
    ({ id }) => !said.some((finding) => SAID_OF_PAIRS[id]?.includes(finding.id)),
  );
}

/** What comes first is what is served: without CA:TRUE it is judged as a leaf, also where it issued itself. */
function kindOf(certificate: Certificate, index: number): LintKind {
  const kind = lintKindOf(certificate);
  return index === 0 && kind === 'root' && !basicConstraints(certificate)?.ca ? 'server' : kind;
}

function documentOf({ id, severity, what, section, subject }: Finding, text: string) {
  const { why, remedy } = adviceOf(id);
  const shape = { id, severity, what, section, subject, where: { target: withoutPassword(text) }, why };
  return { ...shape, remedy: { text: remedy, command: null }, evidence: { section } };
}

function linesOf({ id, severity, what, section, subject }: Finding, withSubject: boolean): string[] {
  const label = paint(SEVERITIES[severity], severity.padEnd(8), process.stdout);
  const { why, remedy } = adviceOf(id);
  const line = `${label} ${printable(`${withSubject ? `${subject}: ` : ''}${what}`)}  ${paint('dim', `(${id}; ${section})`, process.stdout)}`;
  return severity === 'info' ? [line] : [line, `         ${why} ${remedy}`];
}

function adviceOf(id: string): LintAdvice {
  const advice = LINT_ADVICE[id];
  if (advice === undefined) throw new Error(`nothing is known of ${id}`);
  return advice;
}

function summary(findings: readonly Finding[]): string {
  const counts = Object.keys(SEVERITIES).flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count > 1 && severity !== 'info' ? 's' : ''}`];
  });
  return counts.join(', ') || 'nothing to say';
}
