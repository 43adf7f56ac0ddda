/**
 * DER encoding (X.690 §8, §10, §11): functions that return finished TLVs, composed by nesting.
 * Only what certificates, CSRs, CRLs, OCSP and PKCS#8 need.
 */
import { concatBytes } from '../bytes/compare.ts';
import type { Instant } from '../time/instant.ts';
import { contextTag, TAG } from './tags.ts';

/** Any tag and finished content → TLV with a minimal length. */
export function tlv(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of content) length += part.byteLength;
  const header = lengthOctetCount(length) + 1;
  const out = Buffer.allocUnsafe(header + length);
  out[0] = tag;
  if (length < 0x80) {
    out[1] = length;
  } else {
    out[1] = 0x80 | (header - 2);
    for (let i = header - 1, rest = length; i > 1; i--, rest = Math.floor(rest / 256)) out[i] = rest & 0xff;
  }
  let offset = header;
  for (const part of content) {
    out.set(part, offset);
    offset += part.byteLength;
  }
  return out;
}

function lengthOctetCount(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x100) return 2;
  if (length < 0x10000) return 3;
  if (length < 0x1000000) return 4;
  return 5;
}

export function sequence(...elements: readonly Uint8Array[]): Uint8Array {
  return tlv(TAG.SEQUENCE, ...elements);
}

/** SET OF: DER wants the encodings in ascending order (X.690 §11.6). */
export function setOf(...elements: readonly Uint8Array[]): Uint8Array {
  return tlv(TAG.SET, ...[...elements].sort(Buffer.compare));
}

/** EXPLICIT [n]. */
export function explicit(number: number, ...elements: readonly Uint8Array[]): Uint8Array {
  return tlv(contextTag(number, true), ...elements);
}

/** IMPLICIT [n] over a primitive type: the content octets only. */
export function implicit(number: number, content: Uint8Array): Uint8Array {
  return tlv(contextTag(number, false), content);
}

export function boolean(value: boolean): Uint8Array {
  return tlv(TAG.BOOLEAN, Uint8Array.of(value ? 0xff : 0));
}

export function nullValue(): Uint8Array {
  return tlv(TAG.NULL);
}

/** Non-negative whole number. */
export function integer(value: number | bigint): Uint8Array {
  if (value < 0) throw new RangeError('negative INTEGER is not used here');
  const hex = value.toString(16);
  return unsignedInteger(Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex'));
}

/** Big-endian magnitude → INTEGER: leading zeros dropped, one added back where the sign bit is set. */
export function unsignedInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.byteLength - 1 && magnitude[start] === 0) start++;
  const trimmed = magnitude.byteLength === 0 ? Uint8Array.of(0) : magnitude.subarray(start);
  return (trimmed[0] ?? 0) & 0x80 ? tlv(TAG.INTEGER, Uint8Array.of(0), trimmed) : tlv(TAG.INTEGER, trimmed);
}

export function enumerated(value: number): Uint8Array {
  return tlv(TAG.ENUMERATED, Uint8Array.of(value));
}

export function octetString(content: Uint8Array): Uint8Array {
  return tlv(TAG.OCTET_STRING, content);
}

/** BIT STRING of whole octets. */
export function bitString(content: Uint8Array): Uint8Array {
  return tlv(TAG.BIT_STRING, Uint8Array.of(0), content);
}

/** BIT STRING with named bits (bit 0 first): trailing zero bits are removed (X.690 §11.2.2). */
export function namedBits(setBits: readonly number[]): Uint8Array {
  if (setBits.length === 0) return tlv(TAG.BIT_STRING, Uint8Array.of(0));
  const highest = Math.max(...setBits);
  const octets = new Uint8Array((highest >> 3) + 1);
  for (const bit of setBits) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return tlv(TAG.BIT_STRING, Uint8Array.of(7 - (highest & 7)), octets);
}

const oidCache = new Map<string, Uint8Array>();

/** Dotted decimal → OBJECT IDENTIFIER. The object identifiers of this program are few, so encodings are kept. */
export function oid(dotted: string): Uint8Array {
  const known = oidCache.get(dotted);
  if (known) return known;
  if (!/^[0-2](?:\.(?:0|[1-9]\d{0,18}))+$/.test(dotted)) throw new RangeError(`not an object identifier: ${dotted}`);
  const [first, second, ...rest] = dotted.split('.').map(BigInt) as [bigint, bigint, ...bigint[]];
  if (first < 2n && second > 39n) throw new RangeError(`not an object identifier: ${dotted}`);
  const octets: number[] = [];
  for (const arc of [first * 40n + second, ...rest]) {
    const group = [Number(arc & 0x7fn)];
    for (let high = arc >> 7n; high > 0n; high >>= 7n) group.unshift(Number(high & 0x7fn) | 0x80);
    octets.push(...group);
  }
  const encoded = tlv(TAG.OBJECT_IDENTIFIER, Uint8Array.from(octets));
  if (oidCache.size < 512) oidCache.set(dotted, encoded);
  return encoded;
}

export function utf8String(text: string): Uint8Array {
  return tlv(TAG.UTF8_STRING, Buffer.from(text, 'utf8'));
}

export function printableString(text: string): Uint8Array {
  return tlv(TAG.PRINTABLE_STRING, Buffer.from(text, 'latin1'));
}

export function ia5String(text: string): Uint8Array {
  return tlv(TAG.IA5_STRING, Buffer.from(text, 'latin1'));
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050; seconds, no fraction, "Z". */
export function time(instant: Instant): Uint8Array {
  const date = new Date(instant * 1000);
  const year = date.getUTCFullYear();
  return year >= 1950 && year < 2050 ? timeOf(TAG.UTC_TIME, date, 2) : timeOf(TAG.GENERALIZED_TIME, date, 4);
}

/** GeneralizedTime whatever the year, as OCSP and invalidityDate want it. */
export function generalizedTime(instant: Instant): Uint8Array {
  return timeOf(TAG.GENERALIZED_TIME, new Date(instant * 1000), 4);
}

/** Digit by digit: revocation lists have a hundred thousand of these. */
function timeOf(tag: number, date: Date, yearDigits: 2 | 4): Uint8Array {
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw new RangeError('a time outside the years 0 to 9999');
  const out = new Uint8Array(2 + yearDigits + 11);
  let end = 0;
  const pair = (value: number): void => {
    out[end++] = 0x30 + Math.trunc(value / 10);
    out[end++] = 0x30 + (value % 10);
  };
  out[end++] = tag;
  out[end++] = yearDigits + 11;
  if (yearDigits === 4) pair(Math.trunc(year / 100));
  pair(year % 100);
  pair(date.getUTCMonth() + 1);
  pair(date.getUTCDate());
  pair(date.getUTCHours());
  pair(date.getUTCMinutes());
  pair(date.getUTCSeconds());
  out[end] = 0x5a;
  return out;
}

/** Elements already encoded, one after the other. */
export function joined(...elements: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...elements);
}
