/** What `probe --json` says of one address: stable field names, times in RFC 3339 UTC. */
import { type Finding, hasError } from '../diagnosis/finding.ts';
import { suiteName } from '../tls/cipher-suites.ts';
import { groupName } from '../tls/named-groups.ts';
import { certificateEntry } from '../x509/certificate-entry.ts';
import { formatGeneralName } from '../x509/general-name.ts';
import { subjectAltNames } from '../x509/subject-alt-name.ts';
import { type EndpointFacts, isReachable } from './endpoint-facts.ts';
import { gapWords } from './gap.ts';
import type { Grade } from './grade.ts';
import type { Judgement } from './judge.ts';
import { starttlsOf } from './protocol.ts';

export interface ProbedEndpoint {
  readonly facts: EndpointFacts;
  readonly judgement: Judgement;
  readonly grade: Grade | null;
}

export function isGood({ judgement }: ProbedEndpoint): boolean {
  return !hasError(judgement.findings);
}

export function probeDocument({ facts, judgement, grade }: ProbedEndpoint) {
  const [leaf] = facts.chain;
  return {
    target: facts.target.text,
    host: facts.target.host,
    address: facts.address,
    reachable: isReachable(facts),
    starttls: starttlsOf(facts.target.protocol),
    protocols: facts.protocols,
    suites: facts.suites.map(({ version, code }) => ({ protocol: version, name: suiteName(code), code: hex(code) })),
    serverOrder: facts.serverOrder,
    groups: facts.groups.map(groupName),
    alpn: facts.alpn,
    alpnMismatch: facts.alpnMismatch,
    chain: facts.chain.map(certificateEntry),
    otherChains: facts.otherChains.map((chain) => chain.map(certificateEntry)),
    names: leaf ? subjectAltNames(leaf).map(plainName) : [],
    trust: judgement.trust,
    ocspStapling: facts.ocspStapling,
    sessionTickets: facts.sessionTickets,
    clientCertificate: facts.clientCertificate,
    acceptedAuthorities: facts.acceptedAuthorities,
    hsts: facts.web?.hsts ?? null,
    redirects: facts.web?.redirects ?? [],
    grade: grade && { letter: grade.letter, isUpperBound: grade.isUpperBound, next: grade.next },
    complete: facts.gaps.length === 0,
    gaps: facts.gaps,
    traces: facts.traces,
    untried: facts.gaps.map(gapWords),
    findings: judgement.findings satisfies readonly Finding[],
  };
}

/** "0xC02B" */
function hex(code: number): string {
  return `0x${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** "db.internal", "10.0.0.1" */
function plainName(name: Parameters<typeof formatGeneralName>[0]): string {
  return name.kind === 'dns' || name.kind === 'ip' ? name.value : formatGeneralName(name);
}
