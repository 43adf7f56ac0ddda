/** What `probe` says to people: readable in five seconds, the rest on request. Text from strangers has no control characters. */
import { type Finding, SEVERITIES } from '../diagnosis/finding.ts';
import { formatHostPort } from '../stack/host-port.ts';
import type { Instant } from '../time/instant.ts';
import { suiteName } from '../tls/cipher-suites.ts';
import { groupName } from '../tls/named-groups.ts';
import type { ProtocolVersion } from '../tls/protocol-version.ts';
import { describeCertificate, describeRemaining, printable } from '../x509/describe.ts';
import { formatName } from '../x509/name.ts';
import { describeKey } from '../x509/public-key.ts';
import type { EndpointFacts } from './endpoint-facts.ts';
import type { Grade } from './grade.ts';
import type { ProbedEndpoint } from './probe-document.ts';
import { suiteStrength } from './suite-strength.ts';

export interface ProbeLines {
  readonly verdict: string;
  /** Worst first. */
  readonly findings: readonly Pick<Finding, 'id' | 'severity' | 'what'>[];
  /** What to do about the worst; of what is good, what would make it better. */
  readonly advice: readonly string[];
  /** What was not seen, and why. */
  readonly gaps: readonly string[];
  /** A line that can be pasted. */
  readonly command: string | null;
}

export function probeLines({ facts, judgement, grade }: ProbedEndpoint, now: Instant): ProbeLines {
  const { target, address, chain, protocols } = facts;
  // A name of another script is another name on the wire.
  const named = /^[\x20-\x7e]*$/.test(target.text) ? target.text : `${target.text} (${target.host})`;
  const where = `${named}${address === null || address === target.host ? '' : ` at ${address}`}`;
  const [leaf] = chain;
  const seen = [
    protocols.map(spoken).join(', '),
    leaf ? `${describeCertificate(leaf)}, ${describeRemaining(leaf.validity, now)}` : '',
    judgement.trust.ok ? `trusted by ${judgement.trust.anchor}` : '',
  ].filter((part) => part !== '');
  const [worst] = judgement.findings;
  const shown = judgement.findings.filter(({ severity }) => severity !== 'info' || judgement.findings.length === 1);
  const remedy = worst === undefined || worst.severity === 'info' ? null : worst.remedy;
  const better = (grade?.next ?? []).map((step) => `for a better grade: ${step}`);
  return {
    verdict: printable([where, ...seen].join('  ·  ')),
    findings: shown.map(({ id, severity, what }) => ({ id, severity, what: printable(what) })),
    advice: (remedy === null ? better : [remedy.text]).map(printable),
    gaps: facts.failure ? [] : [...gapLines(facts), ...gradeLines(facts, grade)].map(printable),
    command: remedy?.command === undefined ? null : printable(remedy.command),
  };
}

function alpnWords({ alpn, alpnMismatch }: EndpointFacts): string {
  if (alpnMismatch === 'taken') return 'whatever is offered is taken';
  if (alpn.length === 0) return alpnMismatch === 'ignored' ? 'none' : '';
  return `${alpn.join(' ')}${alpnMismatch === null ? '' : ` (others are ${alpnMismatch})`}`;
}

/** One line a reason. */
function gapLines({ gaps, traces }: EndpointFacts): string[] {
  return [
    ...[...Map.groupBy(gaps, ({ why }) => why)].map(
      ([why, of]) => `not all could be asked: ${of.map(({ what }) => what).join(', ')} (${why})`,
    ),
    ...traces.map((what) => `left in the server’s log: ${what}`),
  ];
}

function gradeLines({ gaps }: EndpointFacts, grade: Grade | null): string[] {
  if (grade === null) return ['no grade: no handshake came to its end'];
  return grade.isUpperBound && gaps.length > 0 ? [`${grade.letter} is the best that it can be`] : [];
}

/** "TLS 1.0", "SSLv3" */
function spoken(version: ProtocolVersion): string {
  return version === 'TLSv1' ? 'TLS 1.0' : version.replace('TLSv', 'TLS ');
}

/** Behind -v. */
export function probeDetails({ facts, judgement, grade }: ProbedEndpoint): string[] {
  if (facts.failure) return judgement.findings.map(({ why }) => why);
  const { suites, protocols, serverOrder } = facts;
  const rows: readonly (readonly [label: string, text: string])[] = [
    ['address', facts.address === null ? '' : formatHostPort({ host: facts.address, port: facts.target.port })],
    ['order', serverOrder === null ? '' : `of TLS 1.2 suites: ${serverOrder ? 'the server’s' : 'the client’s'}`],
    ['groups', facts.groups.map(groupName).join(' ')],
    ['alpn', alpnWords(facts)],
    [
      'chain',
      facts.chain
        .map((certificate) => `${describeCertificate(certificate)} (${describeKey(certificate.publicKey)})`)
        .join(' ← '),
    ],
    ...facts.otherChains.map(
      (chain) =>
        [
          'or',
          chain
            .map((certificate) => `${describeCertificate(certificate)} (${describeKey(certificate.publicKey)})`)
            .join(' ← '),
        ] as const,
    ),
    ['issuer', facts.chain[0] ? formatName(facts.chain[0].issuer) : ''],
    ['trust', judgement.trust.ok ? `${judgement.trust.anchor}` : (judgement.trust.why ?? '')],
    ['stapling', facts.ocspStapling ? 'an OCSP answer is stapled' : 'none'],
    ['resumption', facts.sessionTickets ? 'yes' : 'none'],
    [
      'clients',
      facts.clientCertificate === 'none' ? 'no certificate is asked for' : `certificate ${facts.clientCertificate}`,
    ],
    ...facts.acceptedAuthorities.map((name) => ['accepts', name] as const),
    ...(facts.web ? [['hsts', facts.web.hstsHeader ?? 'none'] as const] : []),
    ...(facts.web?.redirects ?? []).map((address) => ['redirects', address] as const),
    ...(grade?.next ?? []).map((step) => ['better', step] as const),
  ];
  const offered = protocols.flatMap((version) => [
    `${version}:`,
    ...suites
      .filter((suite) => suite.version === version)
      .map(({ code }) => `  ${suiteName(code)}${suiteStrength(code) === 'good' ? '' : `  (${suiteStrength(code)})`}`),
  ]);
  const reasons = judgement.findings
    .toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
    .map(({ id, why, remedy }) => [id, `${why} ${remedy.text}`] as const);
  return [
    ...[...reasons, ...rows]
      .filter(([, text]) => text !== '')
      .map(([label, text]) => `${label.padEnd(11)} ${printable(text)}`),
    ...offered,
  ];
}
