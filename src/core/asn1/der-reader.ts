/**
 * Strict DER decoding. Reading is driven by the caller's structure, one level at a time, so nesting in
 * hostile input costs nothing: nobody descends where the structure does not.
 *
 * Refused: indefinite and non-minimal lengths, lengths beyond the input, tag numbers above 30, trailing
 * bytes, non-minimal INTEGERs, BOOLEANs other than 00/FF, unused bits that are set, times with fractions
 * or offsets. Every error carries the path of the field and the offset in the outermost input.
 */
import { type Instant, instantFromCivil } from '../time/instant.ts';
import { TAG, tagName } from './tags.ts';

export class DerError extends Error {
  readonly code = 'der-malformed';
  readonly path: string;
  readonly offset: number;
  constructor(path: string, offset: number, what: string) {
    super(`${path} at byte ${offset}: ${what}`);
    this.name = 'DerError';
    this.path = path;
    this.offset = offset;
  }
}

/**
 * One TLV: positions in the outermost input. A class for its getters: most elements are only walked through, and
 * making views of all of them would be half the cost of parsing a certificate.
 */
export class DerElement {
  readonly tag: number;
  readonly #input: Uint8Array;
  readonly #start: number;
  readonly #contentStart: number;
  readonly #end: number;
  readonly #baseOffset: number;

  constructor(tag: number, input: Uint8Array, start: number, contentStart: number, end: number, baseOffset: number) {
    this.tag = tag;
    this.#input = input;
    this.#start = start;
    this.#contentStart = contentStart;
    this.#end = end;
    this.#baseOffset = baseOffset;
  }

  /** A view of the input, not a copy. */
  get content(): Uint8Array {
    return this.#input.subarray(this.#contentStart, this.#end);
  }

  /** Identifier, length and content: a view of the input. */
  get raw(): Uint8Array {
    return this.#input.subarray(this.#start, this.#end);
  }

  get byteLength(): number {
    return this.#end - this.#start;
  }

  /** Of the identifier octet, in the outermost input. */
  get offset(): number {
    return this.#baseOffset + this.#start;
  }

  /** Of the content, in the outermost input. */
  get contentOffset(): number {
    return this.#baseOffset + this.#contentStart;
  }

  /** The tag of the element that begins at `position` of the content; undefined at its end. */
  tagAt(position: number): number | undefined {
    const at = this.#contentStart + position;
    return at < this.#end ? this.#input[at] : undefined;
  }

  /** The element that begins at `position` of the content. The path is "parent.name"; it is needed for errors only. */
  elementAt(position: number, parent: string, name: string): DerElement {
    return readElement(this.#input, this.#contentStart + position, this.#end, this.#baseOffset, parent, name);
  }

  /** The same octets under another tag: what an IMPLICIT tag stands for. */
  withTag(tag: number): DerElement {
    return new DerElement(tag, this.#input, this.#start, this.#contentStart, this.#end, this.#baseOffset);
  }
}

/** Exactly one element and nothing after it. */
export function readDer(bytes: Uint8Array, path: string, baseOffset = 0): DerElement {
  // Views of a plain Uint8Array are cheaper than those of a Buffer, and all results are of one type.
  const input = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const element = readElement(input, 0, input.byteLength, baseOffset, path, '');
  if (element.byteLength !== input.byteLength) {
    throw new DerError(path, baseOffset + element.byteLength, 'trailing bytes');
  }
  return element;
}

function readElement(
  input: Uint8Array,
  start: number,
  limit: number,
  baseOffset: number,
  parent: string,
  name: string,
): DerElement {
  const fail = (at: number, what: string): never => {
    throw new DerError(name === '' ? parent : `${parent}.${name}`, baseOffset + at, what);
  };
  if (start >= limit) return fail(start, 'missing');
  const tag = input[start] ?? 0;
  if ((tag & 0x1f) === 0x1f) return fail(start, 'tag numbers above 30 are not used');
  if (start + 1 >= limit) return fail(start + 1, 'length is missing');
  let length = input[start + 1] ?? 0;
  let contentStart = start + 2;
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count === 0) return fail(start + 1, 'indefinite length is not DER');
    if (count > 4) return fail(start + 1, 'length of more than four octets');
    if (contentStart + count > limit) return fail(start + 1, 'length is cut off');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (input[contentStart + i] ?? 0);
    if (length < 0x80 || length < 256 ** (count - 1)) return fail(start + 1, 'length is not minimal');
    contentStart += count;
  }
  const end = contentStart + length;
  if (end > limit) return fail(start + 1, `length ${length} reaches beyond the input`);
  return new DerElement(tag, input, start, contentStart, end, baseOffset);
}

/** The fields of a SEQUENCE (or of any constructed element), read in order. */
export class FieldReader {
  readonly path: string;
  readonly #element: DerElement;
  #position = 0;

  constructor(element: DerElement, path: string) {
    this.#element = element;
    this.path = path;
  }

  get atEnd(): boolean {
    return this.#element.tagAt(this.#position) === undefined;
  }

  /** The next field, whatever its tag. */
  any(name: string): DerElement {
    const element = this.#element.elementAt(this.#position, this.path, name);
    this.#position += element.byteLength;
    return element;
  }

  /** The next field, which must have this tag. */
  required(tag: number, name: string): DerElement {
    const element = this.any(name);
    return element.tag === tag ? element : expectTag(element, tag, `${this.path}.${name}`);
  }

  /** The next field if it has this tag, else undefined and nothing is consumed. */
  optional(tag: number, name: string): DerElement | undefined {
    return this.#element.tagAt(this.#position) === tag ? this.any(name) : undefined;
  }

  /** Nothing may follow. */
  end(): void {
    if (!this.atEnd) {
      throw new DerError(this.path, this.#element.contentOffset + this.#position, 'unexpected field');
    }
  }
}

/** Reads the fields of a SEQUENCE; the callback's reader must have consumed all of them at the end. */
export function readSequence<T>(element: DerElement, path: string, read: (fields: FieldReader) => T): T {
  const fields = new FieldReader(expectTag(element, TAG.SEQUENCE, path), path);
  const value = read(fields);
  fields.end();
  return value;
}

/** All elements inside a constructed element, with their index in the path. */
export function readElements(element: DerElement, path: string): DerElement[] {
  const elements: DerElement[] = [];
  for (let position = 0; element.tagAt(position) !== undefined; ) {
    const inner = element.elementAt(position, path, `[${elements.length}]`);
    elements.push(inner);
    position += inner.byteLength;
  }
  return elements;
}

export function expectTag(element: DerElement, tag: number, path: string): DerElement {
  if (element.tag !== tag) {
    throw new DerError(path, element.offset, `expected ${tagName(tag)}, found ${tagName(element.tag)}`);
  }
  return element;
}

/** The element inside EXPLICIT [n]; exactly one. */
export function readExplicit(element: DerElement, path: string): DerElement {
  return readDer(element.content, path, element.contentOffset);
}

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

export function readOid(element: DerElement, path: string): string {
  expectTag(element, TAG.OBJECT_IDENTIFIER, path);
  return readOidContent(element.content, path, element.contentOffset);
}

/** Content octets of an OBJECT IDENTIFIER (also where it is IMPLICIT) → dotted decimal. */
export function readOidContent(content: Uint8Array, path: string, offset: number): string {
  if (content.byteLength === 0 || content.byteLength > 64) throw new DerError(path, offset, 'OBJECT IDENTIFIER length');
  let dotted = '';
  let arc = 0;
  let startOfArc = true;
  for (const octet of content) {
    if (startOfArc && octet === 0x80) throw new DerError(path, offset, 'OBJECT IDENTIFIER is not minimal');
    // Arcs of UUIDs (2.25.…) have 128 bits; nothing that this program looks for has more than 53.
    if (arc > MAX_ARC_BEFORE_SHIFT) return readLongOid(content, path, offset);
    arc = arc * 128 + (octet & 0x7f);
    startOfArc = (octet & 0x80) === 0;
    if (startOfArc) {
      dotted += dotted === '' ? firstArcs(arc) : `.${arc}`;
      arc = 0;
    }
  }
  if (!startOfArc) throw new DerError(path, offset, 'OBJECT IDENTIFIER is cut off');
  return dotted;
}

const MAX_ARC_BEFORE_SHIFT = Math.floor(Number.MAX_SAFE_INTEGER / 128) - 1;

/** X.690 §8.19.4: the first two arcs are one number. */
function firstArcs(arc: number): string {
  const root = arc < 40 ? 0 : arc < 80 ? 1 : 2;
  return `${root}.${arc - root * 40}`;
}

function readLongOid(content: Uint8Array, path: string, offset: number): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  let startOfArc = true;
  for (const octet of content) {
    if (startOfArc && octet === 0x80) throw new DerError(path, offset, 'OBJECT IDENTIFIER is not minimal');
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    startOfArc = (octet & 0x80) === 0;
    if (startOfArc) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  if (!startOfArc) throw new DerError(path, offset, 'OBJECT IDENTIFIER is cut off');
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
  const bits: number[] = [];
  octets.forEach((octet, index) => {
    for (let bit = 0; bit < 8; bit++) if (octet & (0x80 >> bit)) bits.push(index * 8 + bit);
  });
  const last = octets.byteLength * 8 - unusedBits - 1;
  if (octets.byteLength > 0 && bits.at(-1) !== last) {
    throw new DerError(path, element.contentOffset, 'named bits have trailing zeros');
  }
  return bits;
}

/** UTCTime or GeneralizedTime in the only form RFC 5280 §4.1.2.5 allows: seconds, no fraction, "Z". */
export function readTime(element: DerElement, path: string): Instant {
  if (element.tag !== TAG.UTC_TIME) expectTag(element, TAG.GENERALIZED_TIME, path);
  const yearDigits = element.tag === TAG.UTC_TIME ? 2 : 4;
  const { content } = element;
  const instant = content.byteLength === yearDigits + 11 && content.at(-1) === 0x5a ? civil(content, yearDigits) : null;
  if (instant === null) {
    const text = JSON.stringify(String.fromCharCode(...content.subarray(0, 40)));
    throw new DerError(path, element.contentOffset, `not a time that RFC 5280 §4.1.2.5 allows: ${text}`);
  }
  return instant;
}

function civil(content: Uint8Array, yearDigits: 2 | 4): Instant | null {
  const number = (from: number, count: number): number => {
    let value = 0;
    for (let i = from; i < from + count; i++) {
      const digit = (content[i] ?? 0) - 0x30;
      value = digit >= 0 && digit <= 9 ? value * 10 + digit : Number.NaN;
    }
    return value;
  };
  const year = number(0, yearDigits);
  // §4.1.2.5.1: two digits from 50 on belong to the last century.
  const fullYear = yearDigits === 4 ? year : year >= 50 ? 1900 + year : 2000 + year;
  const rest = [0, 2, 4, 6, 8].map((at) => number(yearDigits + at, 2));
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = rest;
  return instantFromCivil(fullYear, month, day, hour, minute, second);
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
