/** Identifier octets of X.690 as PKI uses them: single-octet tags only (numbers 0–30). */
export const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OBJECT_IDENTIFIER: 0x06,
  ENUMERATED: 0x0a,
  UTF8_STRING: 0x0c,
  NUMERIC_STRING: 0x12,
  PRINTABLE_STRING: 0x13,
  T61_STRING: 0x14,
  IA5_STRING: 0x16,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  VISIBLE_STRING: 0x1a,
  UNIVERSAL_STRING: 0x1c,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

/** Context-specific [number]; constructed for EXPLICIT and for IMPLICIT over SEQUENCE or SET. */
export function contextTag(number: number, constructed: boolean): number {
  return (constructed ? 0xa0 : 0x80) | number;
}

/** A tag in words, for error messages. */
export function tagName(tag: number): string {
  for (const [name, value] of Object.entries(TAG)) if (value === tag) return name.replaceAll('_', ' ');
  const constructed = tag & 0x20 ? ' constructed' : '';
  return (tag & 0xc0) === 0x80 ? `[${tag & 0x1f}]${constructed}` : `tag 0x${tag.toString(16)}`;
}
