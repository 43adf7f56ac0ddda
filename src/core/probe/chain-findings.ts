/** What the certificates of a server are worth, as findings: core/x509 judges, here it gets reasons and commands. */
import type { Finding } from '../diagnosis/finding.ts';
import { formatRfc3339, type Instant } from '../time/instant.ts';
import { lifetimeSeconds, remainingSeconds } from '../time/validity-period.ts';
import type { Certificate } from '../x509/certificate.ts';
import { describeCertificate, describeRemaining } from '../x509/describe.ts';
import type { VerificationFinding } from '../x509/verification.ts';
import { type At, quoted } from './finding-at.ts';
import type { Target } from './target.ts';

/** Not about the way to a root. */
export const ABOUT_THE_NAME: readonly string[] = ['name-mismatch', 'ip-not-in-certificate', 'no-subject-alt-name'];

const REFUSED = 'A client that verifies refuses this server; one that does not would also accept an impostor.';

const WHY_CHAIN: Readonly<Record<string, string>> = {
  'chain-incomplete':
    'Clients that do not know the missing certificate refuse; browsers may hide it, libraries do not.',
  'chain-order': 'Most clients sort it; old ones and some devices refuse.',
};

export function chainFinding(
  { id, severity, subject, what, remedy }: VerificationFinding,
  target: Target,
  at: At,
): Finding {
  const command = ABOUT_THE_NAME.includes(id)
    ? `fullchain cert issue ${quoted(target.host)} --cert tls.crt --key tls.key`
    : `fullchain diagnose ${quoted(target.text)}`;
  return at(id, severity, subject, what, WHY_CHAIN[id] ?? REFUSED, { text: remedy, command });
}

/** Of a lifetime: by then it should have been renewed. */
const LATE = 0.1;

export function expiryFindings(leaf: Certificate | undefined, now: Instant, at: At): Finding[] {
  if (leaf === undefined) return [];
  const left = remainingSeconds(leaf.validity, now);
  if (left <= 0 || left > lifetimeSeconds(leaf.validity) * LATE) return [];
  const { notAfter } = leaf.validity;
  return [
    at(
      'certificate-expiring',
      'warning',
      describeCertificate(leaf),
      `The certificate ${describeRemaining(leaf.validity, now)}, and nine tenths of its lifetime are over.`,
      'Renewal at two thirds of the lifetime has not happened: when it expires, every client refuses.',
      { text: 'Renew it now, and see why nothing did.', command: 'fullchain rotate' },
      { notAfter: formatRfc3339(notAfter) },
    ),
  ];
}
