/** What a look set out to see and could not, or spared the server: nothing may be concluded from its absence. */
import type { ProtocolVersion } from '../tls/protocol-version.ts';

/** Of `probe --json`; "findings": one more would be there, if anything had been found. */
export type GapField =
  | 'protocols'
  | 'suites'
  | 'serverOrder'
  | 'groups'
  | 'alpn'
  | 'chain'
  | 'otherChains'
  | 'trust'
  | 'ocspStapling'
  | 'sessionTickets'
  | 'clientCertificate'
  | 'hsts'
  | 'redirects'
  | 'findings';

export interface Gap {
  readonly fields: readonly GapField[];
  /** Those that it is about; absent: it is not about some of them. */
  readonly versions?: readonly ProtocolVersion[];
  /** For people: "suites of TLSv1.2". */
  readonly what: string;
  readonly why: string;
}

/** Whether the absence of something in this field means that it is not there. @param version of a field about versions */
export function isSettled(gaps: readonly Gap[], field: GapField, version?: ProtocolVersion): boolean {
  return !gaps.some(
    ({ fields, versions }) =>
      fields.includes(field) && (version === undefined || versions === undefined || versions.includes(version)),
  );
}

export function gapWords({ what, why }: Gap): string {
  return `${what}: ${why}`;
}
