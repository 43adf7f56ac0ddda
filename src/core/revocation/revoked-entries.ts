/**
 * revokedCertificates (RFC 5280 §5.1.2.6): a hundred thousand entries in a tenth of a second, so the entries are
 * written into one buffer instead of being composed of parts.
 */
import { type DerElement, readElements, readSequence } from '../asn1/der-reader.ts';
import { readTime } from '../asn1/der-values.ts';
import { sequence, time, tlv } from '../asn1/der-writer.ts';
import { TAG } from '../asn1/tags.ts';
import type { Instant } from '../time/instant.ts';
import { extensionValue, readExtensions } from '../x509/extension.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { readSerialNumber, type SerialNumber } from '../x509/serial-number.ts';
import { CERTIFICATE_ISSUER, CRL_ENTRY_EXTENSIONS, encodeReasonCode, REASON_CODE } from './crl-extensions.ts';
import { REVOCATION_REASONS, type RevocationReason } from './reason.ts';

export interface RevokedEntry {
  readonly serial: SerialNumber;
  readonly revokedAt: Instant;
  readonly reason: RevocationReason;
  /** In an indirect list: of this entry and of those that follow. Absent where the entry does not say it. */
  readonly certificateIssuer?: readonly GeneralName[];
  /** A critical extension that is not processed: the list must not be used (§5.3). Absent where there is none. */
  readonly unknownCriticalExtension?: string;
}

/** crlEntryExtensions of each reason; nothing for "unspecified". */
const EXTENSIONS_OF_REASON = Object.fromEntries(
  REVOCATION_REASONS.map((reason) => {
    const extension = encodeReasonCode(reason);
    return [reason, extension ? sequence(extension) : new Uint8Array()];
  }),
) as Readonly<Record<RevocationReason, Uint8Array>>;

/** Octets that an entry may take besides its serial: headers, a GeneralizedTime, the extensions. */
const ENTRY_OVERHEAD = 48;

/** The SEQUENCE OF entries, or null for none: "If there are no revoked certificates, the list MUST be absent". */
export function encodeRevokedEntries(entries: readonly RevokedEntry[]): Uint8Array | null {
  if (entries.length === 0) return null;
  const size = entries.reduce((sum, { serial }) => sum + ENTRY_OVERHEAD + (serial.length >> 1), 0);
  const buffer = Buffer.allocUnsafe(size);
  let end = 0;
  for (const { serial, revokedAt, reason } of entries) {
    end = writeEntry(buffer, end, serial, time(revokedAt), EXTENSIONS_OF_REASON[reason]);
  }
  return tlv(TAG.SEQUENCE, buffer.subarray(0, end));
}

/** Serials have at most 20 octets, so no length here takes more than one octet. */
function writeEntry(
  buffer: Buffer,
  start: number,
  serial: SerialNumber,
  date: Uint8Array,
  extensions: Uint8Array,
): number {
  const octets = serial.length >> 1;
  if (octets < 1 || octets > 20) throw new RangeError(`not a serial number: ${serial}`);
  const sign = serial.charCodeAt(0) >= 0x38 ? 1 : 0;
  const serialLength = octets + sign;
  buffer[start] = TAG.SEQUENCE;
  buffer[start + 1] = 2 + serialLength + date.byteLength + extensions.byteLength;
  buffer[start + 2] = TAG.INTEGER;
  buffer[start + 3] = serialLength;
  if (sign) buffer[start + 4] = 0;
  let end = start + 4 + sign;
  end += buffer.write(serial, end, 'hex');
  buffer.set(date, end);
  end += date.byteLength;
  buffer.set(extensions, end);
  return end + extensions.byteLength;
}

/** @throws DerError */
export function readRevokedEntries(element: DerElement, path: string): RevokedEntry[] {
  return readElements(element, path).map((entry, index) => {
    const at = `${path}[${index}]`;
    return readSequence(entry, at, (fields) => {
      const serial = readSerialNumber(fields.required(TAG.INTEGER, 'userCertificate'), at);
      const revokedAt = readTime(fields.any('revocationDate'), at);
      const extensions = fields.optional(TAG.SEQUENCE, 'crlEntryExtensions');
      const said = extensions ? readEntryExtensions(extensions, `${at}.crlEntryExtensions`) : UNSAID;
      return { serial, revokedAt, ...said };
    });
  });
}

type EntryExtensions = Omit<RevokedEntry, 'serial' | 'revokedAt'>;

const UNSAID: EntryExtensions = { reason: 'unspecified' };

function readEntryExtensions(element: DerElement, path: string): EntryExtensions {
  const holder = { extensions: readExtensions(element, path, CRL_ENTRY_EXTENSIONS) };
  const issuer = extensionValue(holder, CERTIFICATE_ISSUER);
  const unknown = holder.extensions.find(({ oid, critical }) => critical && !CRL_ENTRY_EXTENSIONS.has(oid));
  return {
    reason: extensionValue(holder, REASON_CODE) ?? 'unspecified',
    ...(issuer && { certificateIssuer: issuer }),
    ...(unknown && { unknownCriticalExtension: unknown.oid }),
  };
}
