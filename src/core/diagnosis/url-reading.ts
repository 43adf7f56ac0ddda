/** What a driver makes of the TLS parameters of its URL: the shape, and the words that its readers share. */
import type { TargetUrl } from '../probe/target.ts';
import type { Confidence, Severity } from './finding.ts';

export interface UrlReading {
  /** It does not even try TLS. */
  readonly plaintext: boolean;
  readonly verdicts: readonly UrlVerdict[];
}

export interface UrlVerdict {
  readonly id: 'url-parameter-invalid' | 'url-not-verifying';
  /** Absent: error. */
  readonly severity?: Severity;
  /** Absent: certain. */
  readonly confidence?: Confidence;
  /** Whose reading it is: "libpq". */
  readonly driver: string;
  /** At fault; null: what is missing is. */
  readonly parameter: string | null;
  /** A sentence. */
  readonly what: string;
  /** What is right instead: a sentence that begins with "Use". */
  readonly use: string;
}

export const PLAINTEXT: UrlReading = { plaintext: true, verdicts: [] };
export const SILENT: UrlReading = { plaintext: false, verdicts: [] };

export function reading(...verdicts: readonly (UrlVerdict | null)[]): UrlReading {
  return { plaintext: false, verdicts: verdicts.filter((verdict) => verdict !== null) };
}

/** The last of that name; null: none. */
export function parameter({ parameters }: TargetUrl, ...names: readonly string[]): string | null {
  return parameters.findLast(([name]) => names.includes(name))?.[1] ?? null;
}

export function parameterNames({ parameters }: TargetUrl): string[] {
  return [...new Set(parameters.map(([name]) => name))];
}

/** Names by which people mean TLS, in whatever driver. */
export function isAboutTls(name: string): boolean {
  return /ssl|tls|^verify|rejectunauthorized|^ca(?:file|cert|path)?$/i.test(name);
}

export function saysNothingOfTls(url: TargetUrl): boolean {
  return !parameterNames(url).some(isAboutTls);
}

/** "ssl=require" */
export function shown(name: string, value: string | null): string {
  const short = value !== null && value.length > 60 ? `${value.slice(0, 60)}…` : value;
  return short === null || short === '' ? name : `${name}=${short}`;
}
