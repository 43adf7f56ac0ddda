/** Numbers and vectors as the presentation language of TLS has them (RFC 8446 §3). */

/** The bytes end before the structure does, or say something that cannot be. */
export class TlsSyntaxError extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'TlsSyntaxError';
  }
}

export class WireReader {
  readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.byteLength - this.at;
  }

  /** Big-endian, of one to three bytes. @throws TlsSyntaxError */
  uint(length: 1 | 2 | 3): number {
    return this.take(length).reduce((value, byte) => value * 256 + byte, 0);
  }

  /** @throws TlsSyntaxError */
  take(length: number): Uint8Array {
    if (length > this.left) throw new TlsSyntaxError(`${length} bytes were announced and ${this.left} are there`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** A vector with its length before it. @throws TlsSyntaxError */
  vector(lengthBytes: 1 | 2 | 3): WireReader {
    return new WireReader(this.take(this.uint(lengthBytes)));
  }
}

export function uint(length: 1 | 2 | 3, value: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (value >>> (8 * (length - 1 - index))) & 0xff);
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

export function vector(lengthBytes: 1 | 2 | 3, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = join(...parts);
  return join(uint(lengthBytes, body.byteLength), body);
}
