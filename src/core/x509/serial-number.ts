/** Serial numbers (RFC 5280 §4.1.2.2). */
import type { DerElement } from '../asn1/der-reader.ts';
import { readUnsignedInteger } from '../asn1/der-values.ts';
import { unsignedInteger } from '../asn1/der-writer.ts';
import { bytesFromHex, type Hex, hexFromBytes, parseHex } from '../bytes/hex.ts';

/** Lower-case hex of the magnitude, whole octets, without a sign octet: "01", "8f2c…". */
export type SerialNumber = Hex & { readonly __serial: true };

/** Octets that `serialFromRandom` takes: 126 random bits are left, Baseline Requirements §7.1 asks for 64. */
export const SERIAL_BYTE_LENGTH = 16;

/**
 * Random octets → serial. The top bit is cleared, so that it is positive without a sign octet, and the next
 * one set, so that every serial has the same length.
 */
export function serialFromRandom(random: Uint8Array): SerialNumber {
  if (random.byteLength !== SERIAL_BYTE_LENGTH) throw new RangeError(`a serial takes ${SERIAL_BYTE_LENGTH} octets`);
  const octets = Uint8Array.from(random);
  octets[0] = ((octets[0] ?? 0) & 0x3f) | 0x40;
  return hexFromBytes(octets) as SerialNumber;
}

/** A serial as people and tools write it (either case, colons, a leading 00) → canonical, or null. */
export function parseSerialNumber(text: string): SerialNumber | null {
  const compact = text.replace(/^0x/i, '').replace(/[:\s]/g, '');
  const hex = parseHex(compact.length % 2 ? `0${compact}` : compact);
  return hex === null ? null : (hex.replace(/^(?:00)+(?=..)/, '') as SerialNumber);
}

/** @throws DerError for negative ones, which RFC 5280 forbids */
export function readSerialNumber(element: DerElement, path: string): SerialNumber {
  return hexFromBytes(readUnsignedInteger(element, path)) as SerialNumber;
}

/** Serial → INTEGER; its content octets (with the sign octet) are what RFC 9773 §4.1 puts into a CertID. */
export function encodeSerialNumber(serial: SerialNumber): Uint8Array {
  return unsignedInteger(bytesFromHex(serial));
}
