/** A certificate that should have been renewed by now. */
import { causeFinding } from '../diagnosis/causes.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { formatRfc3339, type Instant } from '../time/instant.ts';
import { lifetimeSeconds, remainingSeconds } from '../time/validity-period.ts';
import type { Certificate } from '../x509/certificate.ts';
import { describeCertificate, describeRemaining } from '../x509/describe.ts';
import type { Target } from './target.ts';
import { orDiagnose } from './target-words.ts';

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
