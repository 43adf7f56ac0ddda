/** What the certificates of a server are worth, as findings: core/x509 judges, here it gets the ids and words of causes. */
import { causeFinding } from '../diagnosis/causes.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { formatRfc3339, type Instant } from '../time/instant.ts';
import { lifetimeSeconds, remainingSeconds } from '../time/validity-period.ts';
import type { Certificate } from '../x509/certificate.ts';
import { describeCertificate, describeRemaining } from '../x509/describe.ts';
import type { VerificationFinding } from '../x509/verification.ts';
import type { Target } from './target.ts';
import { orDiagnose, wordsOf } from './target-words.ts';

/** Not about the way to a root. */
export const ABOUT_THE_NAME: readonly string[] = ['name-mismatch', 'ip-not-in-certificate', 'no-subject-alt-name'];

export function chainFinding(flaw: VerificationFinding, target: Target): Finding {
  const { id, severity, subject, what } = flaw;
  const finding = causeFinding(id, { subject, what, severity, where: { target: target.text }, words: wordsOf(target) });
  return orDiagnose(finding, target);
}

/** Of a lifetime: by then it should have been renewed. */
const LATE = 0.1;

export function expiryFindings(leaf: Certificate | undefined, target: Target, now: Instant): Finding[] {
  if (leaf === undefined) return [];
  const left = remainingSeconds(leaf.validity, now);
  if (left <= 0 || left > lifetimeSeconds(leaf.validity) * LATE) return [];
  const finding = causeFinding('certificate-expiring', {
    subject: describeCertificate(leaf),
    where: { target: target.text },
    what: `The certificate ${describeRemaining(leaf.validity, now)}, and nine tenths of its lifetime are over.`,
    evidence: { notAfter: formatRfc3339(leaf.validity.notAfter) },
  });
  return [orDiagnose(finding, target)];
}
