/** Revocation lists for people and for programs: the lines and the document of `cert inspect`. */
import { hexFromBytes } from '../bytes/hex.ts';
import { formatDuration } from '../time/duration.ts';
import { formatRfc3339, type Instant } from '../time/instant.ts';
import { describeSignatureAlgorithm } from '../x509/algorithm.ts';
import { type Row, table } from '../x509/describe.ts';
import { authorityKeyIdentifier } from '../x509/key-identifier.ts';
import { formatName } from '../x509/name.ts';
import type { Crl } from './crl.ts';

/** Entries that lines show; documents have all. */
const SHOWN = 20;

export function crlDocument(crl: Crl) {
  const keyId = authorityKeyIdentifier(crl)?.keyIdentifier;
  return {
    issuer: formatName(crl.issuer),
    /** Decimal: it may be larger than a JSON number can be. */
    number: crl.number === null ? null : String(crl.number),
    thisUpdate: formatRfc3339(crl.thisUpdate),
    nextUpdate: crl.nextUpdate === null ? null : formatRfc3339(crl.nextUpdate),
    signatureAlgorithm: describeSignatureAlgorithm(crl.signatureAlgorithm),
    authorityKeyId: keyId ? hexFromBytes(keyId) : null,
    revoked: crl.entries.map(({ serial, revokedAt, reason }) => ({
      serial,
      revokedAt: formatRfc3339(revokedAt),
      reason,
    })),
  };
}

export function crlLines(crl: Crl, now: Instant): string[] {
  const document = crlDocument(crl);
  const shown = document.revoked.slice(0, SHOWN);
  return table([
    ['issuer', document.issuer],
    ['number', document.number],
    ['this update', document.thisUpdate],
    ['next update', document.nextUpdate && `${document.nextUpdate}  (${describeDue(crl.nextUpdate ?? now, now)})`],
    ['signature', document.signatureAlgorithm],
    ['authority key id', document.authorityKeyId],
    ['revoked', String(document.revoked.length)],
    ...shown.map(({ serial, revokedAt, reason }): Row => ['', `${serial}  ${revokedAt}  ${reason}`]),
    ['', document.revoked.length > SHOWN ? `… and ${document.revoked.length - SHOWN} more; --json has all` : null],
  ]);
}

function describeDue(nextUpdate: Instant, now: Instant): string {
  return nextUpdate >= now
    ? `due in ${formatDuration(nextUpdate - now)}`
    : `stale for ${formatDuration(now - nextUpdate)}: clients that check revocation refuse everything of this issuer`;
}
