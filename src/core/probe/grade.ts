/**
 * How good an endpoint is, in one letter, and what to change for the next one. A private authority is no fault where its root is
 * trusted, and STARTTLS is none either. What was not seen could only make it worse: the grade is the best that it can be.
 *
 *   F  a client that verifies refuses it, or who is on the way can read it
 *   C  versions below TLS 1.2 are taken
 *   B  no TLS 1.3, suites without forward secrecy or with CBC, or a warning
 *   A  nothing of this; A+ with a group that resists quantum computers, and for the web with a year of HSTS
 */
import type { Finding } from '../diagnosis/finding.ts';
import { isPostQuantum } from '../tls/named-groups.ts';
import { type EndpointFacts, isRefusing } from './endpoint-facts.ts';
import { type GapField, isSettled } from './gap.ts';

export const GRADES = ['A+', 'A', 'B', 'C', 'F'] as const;

export type GradeLetter = (typeof GRADES)[number];

export interface Grade {
  readonly letter: GradeLetter;
  /** Something was not seen that could make it worse. */
  readonly isUpperBound: boolean;
  /** What keeps it from the next one. */
  readonly next: readonly string[];
}

/** null: there was no TLS to grade, or whose it is was not seen. */
export function grade(facts: EndpointFacts, findings: readonly Finding[]): Grade | null {
  if (facts.failure || isRefusing(facts) || !isSettled(facts.gaps, 'trust')) return null;
  const flaws = [...findings.flatMap(flawOf), ...missing(facts)];
  const letter = GRADES[Math.max(0, ...flaws.map(({ caps }) => GRADES.indexOf(caps)))] ?? 'F';
  const isUpperBound = letter !== 'F' && facts.gaps.some(({ fields }) => fields.some((field) => COUNTS.has(field)));
  return { letter, isUpperBound, next: flaws.filter(({ caps }) => caps === letter).map(({ what }) => what) };
}

/** What could hold a flaw that was not seen. */
const COUNTS: ReadonlySet<GapField> = new Set([
  'protocols',
  'suites',
  'groups',
  'otherChains',
  'hsts',
  'redirects',
  'findings',
]);

interface Flaw {
  readonly caps: GradeLetter;
  readonly what: string;
}

function flawOf({ id, severity, remedy }: Finding): Flaw[] {
  if (severity === 'info') return [];
  if (severity === 'warning') return [{ caps: 'B', what: remedy.text }];
  return [{ caps: id === 'protocols-weak' ? 'C' : 'F', what: remedy.text }];
}

const ONE_YEAR_SECONDS = 31_536_000;

function missing({ protocols, groups, web, gaps }: EndpointFacts): Flaw[] {
  const is13 = protocols.includes('TLSv1.3');
  const may13 = is13 || !isSettled(gaps, 'protocols', 'TLSv1.3');
  const mayPostQuantum = groups.some(isPostQuantum) || !isSettled(gaps, 'groups');
  return [
    ...(protocols.includes('SSLv3') ? [{ caps: 'F', what: 'Switch SSLv3 off.' } as const] : []),
    ...(may13 ? [] : [{ caps: 'B', what: 'Switch TLS 1.3 on.' } as const]),
    ...(is13 && !mayPostQuantum
      ? [{ caps: 'A', what: 'Offer the group X25519MLKEM768 (OpenSSL 3.5 or newer).' } as const]
      : []),
    ...(web?.hsts && web.hsts.maxAge < ONE_YEAR_SECONDS
      ? [{ caps: 'A', what: 'Make max-age of Strict-Transport-Security a year or more.' } as const]
      : []),
  ];
}
