/**
 * ACME renewal information (RFC 9773): when a certificate should be renewed, asked by anybody who has it.
 * Not here: refusing a second replacement (§5), which the order's storage decides.
 */
import { base64UrlFromBytes, bytesFromBase64Url } from '../bytes/base64url.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../bytes/hex.ts';
import { addSeconds, formatRfc3339, type Instant } from '../time/instant.ts';
import { instantAtFraction, lifetimeSeconds, type ValidityPeriod } from '../time/validity-period.ts';
import { parseSerialNumber, type SerialNumber } from '../x509/serial-number.ts';

export interface CertId {
  /** Of the issuer: the certificate's authorityKeyIdentifier. */
  readonly issuerKeyId: Hex;
  readonly serial: SerialNumber;
}

/** §4.1: base64url(AKI keyIdentifier) "." base64url(serial number's DER content, a leading 00 included). */
export function formatCertId({ issuerKeyId, serial }: CertId): string {
  const magnitude = bytesFromHex(serial);
  const content = (magnitude[0] ?? 0) & 0x80 ? Buffer.concat([Uint8Array.of(0), magnitude]) : magnitude;
  return `${base64UrlFromBytes(bytesFromHex(issuerKeyId))}.${base64UrlFromBytes(content)}`;
}

/** null when it is not one. */
export function parseCertId(text: string): CertId | null {
  const [keyText = '', serialText = '', ...rest] = text.split('.');
  const [key, content] = [bytesFromBase64Url(keyText), bytesFromBase64Url(serialText)];
  if (rest.length > 0 || !key?.byteLength || !content?.byteLength || key.byteLength > 64 || content.byteLength > 21)
    return null;
  const serial = parseSerialNumber(hexFromBytes(content[0] === 0 ? content.subarray(1) : content));
  return serial === null ? null : { issuerKeyId: hexFromBytes(key), serial };
}

/** Half of the window's width, as a share of the lifetime. */
const HALF_WINDOW = 0.01;

/** Around two thirds of the lifetime; for a revoked certificate a window that lies in the past: renew now (§4.2). */
export function suggestedWindow(
  validity: ValidityPeriod,
  revoked: boolean,
  now: Instant,
): { readonly start: Instant; readonly end: Instant } {
  if (revoked) return { start: addSeconds(now, -3600), end: addSeconds(now, -1800) };
  return {
    start: instantAtFraction(validity, 2 / 3 - HALF_WINDOW),
    end: instantAtFraction(validity, 2 / 3 + HALF_WINDOW),
  };
}

/** §4.3.1: how long the answer may be kept: a fiftieth of the lifetime, from a minute to six hours. */
export function askAgainAfterSeconds(validity: ValidityPeriod): number {
  return Math.min(6 * 3600, Math.max(60, Math.floor(lifetimeSeconds(validity) / 50)));
}

export function renewalInfoWire(window: { readonly start: Instant; readonly end: Instant }): Record<string, unknown> {
  return { suggestedWindow: { start: formatRfc3339(window.start), end: formatRfc3339(window.end) } };
}
