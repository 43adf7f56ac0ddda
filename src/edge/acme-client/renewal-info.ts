/** When the server would like a certificate to be renewed (RFC 9773 §4). */
import { formatCertId } from '../../core/acme/renewal-info.ts';
import { hexFromBytes } from '../../core/bytes/hex.ts';
import { type Instant, parseRfc3339 } from '../../core/time/instant.ts';
import type { TbsCertificate } from '../../core/x509/certificate.ts';
import { authorityKeyIdentifier } from '../../core/x509/key-identifier.ts';
import { readDirectory } from './obtain.ts';
import { jsonOf } from './resource.ts';
import { retryAfterSeconds } from './retry-after.ts';
import { AcmeRefused, type Connection, getUnsigned, problemOf } from './signed-request.ts';

export interface RenewalInfo {
  readonly start: Instant;
  readonly end: Instant;
  /** When to ask again. */
  readonly retryAfterSeconds: number;
}

/** §4.3.2: "Clients SHOULD set reasonable limits": once a minute is plenty, and a day is the longest that one is not asked. */
const SHORTEST_SECONDS = 60;
const LONGEST_SECONDS = 86_400;
const USUAL_SECONDS = 6 * 3600;

/** RFC 9773 §4.1; null for a certificate that does not name its issuer's key. */
export function certificateId(leaf: TbsCertificate): string | null {
  const issuer = authorityKeyIdentifier(leaf)?.keyIdentifier;
  return issuer ? formatCertId({ issuerKeyId: hexFromBytes(issuer), serial: leaf.serial }) : null;
}

/**
 * null: the server has none, neither at all nor of this certificate.
 *
 * @throws AcmeRefused, AcmeUnreachable
 */
export async function fetchRenewalInfo(
  session: Connection,
  directoryUrl: string,
  leaf: TbsCertificate,
): Promise<RenewalInfo | null> {
  const id = certificateId(leaf);
  const { renewalInfo } = await readDirectory(session, directoryUrl);
  if (renewalInfo === undefined || id === null) return null;
  const answer = await getUnsigned(session, `${renewalInfo.replace(/\/$/, '')}/${id}`);
  if (answer.status === 404) return null;
  if (answer.status !== 200) throw problemOf(answer);
  const { suggestedWindow } = jsonOf(answer) as { readonly suggestedWindow?: Readonly<Record<string, unknown>> };
  const [start, end] = [instantIn(suggestedWindow?.start), instantIn(suggestedWindow?.end)];
  // §4.2: "A RenewalInfo object in which the end timestamp equals or precedes the start timestamp is invalid."
  if (start === null || end === null || end <= start)
    throw new AcmeRefused('malformed', 'the window that the server suggests for renewal is none', null);
  const asked = retryAfterSeconds(answer) ?? USUAL_SECONDS;
  return { start, end, retryAfterSeconds: Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, asked)) };
}

function instantIn(value: unknown): Instant | null {
  return typeof value === 'string' ? parseRfc3339(value) : null;
}
