/** Values of single DER elements: INTEGER, BOOLEAN, OBJECT IDENTIFIER, strings and times, each strict. */
import { type Instant, instantFromCivil } from '../time/instant.ts';
import { type DerElement, DerError, expectTag } from './der-reader.ts';
import { TAG, tagName } from './tags.ts';

/** Content octets of an INTEGER (two's complement), checked to be minimal. */
export function readIntegerBytes(element: DerElement, path: string): Uint8Array {
  expectTag(element, TAG.INTEGER, path);
  const [first, second] = element.content;
  if (first === undefined) throw new DerError(path, element.offset, 'empty INTEGER');
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw new DerError(path, element.contentOffset, 'INTEGER is not minimal');
  }
  return element.content;
}

/** Unsigned INTEGER without the sign octet; negative is refused. */
export function readUnsignedInteger(element: DerElement, path: string): Uint8Array {
  const content = readIntegerBytes(element, path);
  if ((content[0] ?? 0) & 0x80) throw new DerError(path, element.contentOffset, 'negative INTEGER');
  return content[0] === 0 && content.byteLength > 1 ? content.subarray(1) : content;
}

/** INTEGER from 0 to 2^31-1. */
export function readSmallInteger(element: DerElement, path: string): number {
  const content = readUnsignedInteger(element, path);
  if (content.byteLength > 4 || (content.byteLength === 4 && (content[0] ?? 0) > 0x7f)) {
    throw new DerError(path, element.contentOffset, 'INTEGER is too large');
  }
  return content.reduce((value, octet) => value * 256 + octet, 0);
}

export function readBoolean(element: DerElement, path: string): boolean {
  expectTag(element, TAG.BOOLEAN, path);
  const [octet] = element.content;
  if (element.content.byteLength !== 1 || (octet !== 0 && octet !== 0xff)) {
    throw new DerError(path, element.contentOffset, 'BOOLEAN is neither 00 nor FF');
  }
  return octet === 0xff;
}

/** Dotted decimal. */
export function readOid(element: DerElement, path: string): string {
  expectTag(element, TAG.OBJECT_IDENTIFIER, path);
  const { contentLength } = element;
  const fail = (what: string): never => {
    throw new DerError(path, element.contentOffset, `OBJECT IDENTIFIER ${what}`);
  };
  if (contentLength === 0 || contentLength > 64) return fail(`of ${contentLength} octets`);
  if (element.octetAt(contentLength - 1) & 0x80) return fail('is cut off');
  let dotted = '';
  let arc = 0;
  let startOfArc = true;
  for (let i = 0; i < contentLength; i++) {
    const octet = element.octetAt(i);
    if (startOfArc && octet === 0x80) return fail('is not minimal');
    // Arcs of UUIDs (2.25.…) have 128 bits; nothing that this program looks for has more than 53.
    if (arc > MAX_ARC_BEFORE_SHIFT) return readLongOid(element, fail);
    arc = arc * 128 + (octet & 0x7f);
    startOfArc = octet < 0x80;
    if (startOfArc) {
      dotted += dotted === '' ? firstArcs(arc) : `.${arc}`;
      arc = 0;
    }
  }
  return dotted;
}

const MAX_ARC_BEFORE_SHIFT = Math.floor(Number.MAX_SAFE_INTEGER / 128) - 1;

/** X.690 §8.19.4: the first two arcs are one number. */
function firstArcs(arc: number): string {
  const root = arc < 40 ? 0 : arc < 80 ? 1 : 2;
  return `${root}.${arc - root * 40}`;
}

function readLongOid(element: DerElement, fail: (what: string) => never): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  let startOfArc = true;
  for (const octet of element.content) {
    if (startOfArc && octet === 0x80) return fail('is not minimal');
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    startOfArc = octet < 0x80;
    if (startOfArc) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [first = 0n, ...rest] = arcs;
  const root = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [root, first - root * 40n, ...rest].join('.');
}

export function readOctetString(element: DerElement, path: string): Uint8Array {
  return expectTag(element, TAG.OCTET_STRING, path).content;
}

/** BIT STRING of whole octets (keys, signatures). */
export function readBitStringOctets(element: DerElement, path: string): Uint8Array {
  const { unusedBits, octets } = readBitString(element, path);
  if (unusedBits !== 0) throw new DerError(path, element.contentOffset, 'BIT STRING has unused bits');
  return octets;
}

export function readBitString(element: DerElement, path: string): { unusedBits: number; octets: Uint8Array } {
  expectTag(element, TAG.BIT_STRING, path);
  const unusedBits = element.content[0];
  const octets = element.content.subarray(1);
  if (unusedBits === undefined || unusedBits > 7 || (octets.byteLength === 0 && unusedBits > 0)) {
    throw new DerError(path, element.contentOffset, 'BIT STRING has a bad count of unused bits');
  }
  if (unusedBits > 0 && ((octets[octets.byteLength - 1] ?? 0) & ((1 << unusedBits) - 1)) !== 0) {
    throw new DerError(path, element.contentOffset, 'BIT STRING has unused bits that are set');
  }
  return { unusedBits, octets };
}

/** Positions of the set bits of a named-bit BIT STRING; trailing zero bits are refused (X.690 §11.2.2). */
export function readNamedBits(element: DerElement, path: string): number[] {
  const { unusedBits, octets } = readBitString(element, path);
  const bits = setBits(octets);
  if (octets.byteLength > 0 && bits.at(-1) !== octets.byteLength * 8 - unusedBits - 1) {
    throw new DerError(path, element.contentOffset, 'named bits have trailing zeros');
  }
  return bits;
}

/** Positions of the bits that are set; bit 0 is the first one. */
export function setBits(octets: Uint8Array): number[] {
  const bits: number[] = [];
  octets.forEach((octet, index) => {
    for (let bit = 0; bit < 8; bit++) if (octet & (0x80 >> bit)) bits.push(index * 8 + bit);
  });
  return bits;
}

/** UTCTime or GeneralizedTime in the only form RFC 5280 §4.1.2.5 allows: seconds, no fraction, "Z". */
export function readTime(element: DerElement, path: string): Instant {
  if (element.tag !== TAG.UTC_TIME) expectTag(element, TAG.GENERALIZED_TIME, path);
  const yearDigits = element.tag === TAG.UTC_TIME ? 2 : 4;
  const length = yearDigits + 11;
  const wellFormed = element.contentLength === length && element.octetAt(length - 1) === 0x5a;
  const instant = wellFormed ? civil(element, yearDigits) : null;
  if (instant === null) {
    const text = JSON.stringify(String.fromCharCode(...element.content.subarray(0, 40)));
    throw new DerError(path, element.contentOffset, `not a time that RFC 5280 §4.1.2.5 allows: ${text}`);
  }
  return instant;
}

function civil(element: DerElement, yearDigits: 2 | 4): Instant | null {
  const number = (from: number, count: number): number => {
    let value = 0;
    for (let i = from; i < from + count; i++) {
      const digit = element.octetAt(i) - 0x30;
      value = digit >= 0 && digit <= 9 ? value * 10 + digit : Number.NaN;
    }
    return value;
  };
  const year = number(0, yearDigits);
  // §4.1.2.5.1: two digits from 50 on belong to the last century.
  const fullYear = yearDigits === 4 ? year : year >= 50 ? 1900 + year : 2000 + year;
  const part = (index: number): number => number(yearDigits + 2 * index, 2);
  return instantFromCivil(fullYear, part(0), part(1), part(2), part(3), part(4));
}

/** The character strings of names; BMP and Universal strings are decoded, T61 is read as Latin-1 as everybody does. */
export function readString(element: DerElement, path: string): string {
  const bytes = Buffer.from(element.content);
  switch (element.tag) {
    case TAG.UTF8_STRING: {
      const text = bytes.toString('utf8');
      // Malformed octets decode to U+FFFD, so encoding gives other octets than there were.
      if (text.includes('\ufffd') && !bytes.equals(Buffer.from(text, 'utf8'))) {
        throw new DerError(path, element.contentOffset, 'not UTF-8');
      }
      return text;
    }
    case TAG.PRINTABLE_STRING:
    case TAG.NUMERIC_STRING:
    case TAG.IA5_STRING:
    case TAG.VISIBLE_STRING:
      if (bytes.some((octet) => octet > 0x7f)) throw new DerError(path, element.contentOffset, 'not ASCII');
      return bytes.toString('latin1');
    case TAG.T61_STRING:
      return bytes.toString('latin1');
    case TAG.BMP_STRING:
      if (bytes.byteLength % 2) throw new DerError(path, element.contentOffset, 'odd BMPString');
      return bytes.swap16().toString('utf16le');
    default:
      throw new DerError(path, element.offset, `expected a character string, found ${tagName(element.tag)}`);
  }
}
