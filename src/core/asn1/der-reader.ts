/**
 * Strict DER decoding. Reading is driven by the caller's structure, one level at a time, so nesting in
 * hostile input costs nothing: nobody descends where the structure does not.
 *
 * Refused: indefinite and non-minimal lengths, lengths beyond the input, tag numbers above 30, trailing
 * bytes, non-minimal INTEGERs, BOOLEANs other than 00/FF, unused bits that are set, times with fractions
 * or offsets. Every error carries the path of the field and the offset in the outermost input.
 */
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

  get contentLength(): number {
    return this.#end - this.#contentStart;
  }

  /** One octet of the content, 0 beyond its end: for values that are read without a view. */
  octetAt(position: number): number {
    const at = this.#contentStart + position;
    return at < this.#end ? (this.#input[at] ?? 0) : 0;
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
