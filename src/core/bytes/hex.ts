/** Lower-case hexadecimal without separators: how serials and fingerprints are written everywhere. */
export type Hex = string & { readonly __brand: 'Hex' };

/** Bytes → lower-case hex. */
export function hexFromBytes(bytes: Uint8Array): Hex {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex') as Hex;
}

/** Hex as people write it (either case, colons or spaces between bytes) → canonical hex, or null when it is not hex. */
export function parseHex(text: string): Hex | null {
  const compact = text.replace(/[:\s]/g, '').toLowerCase();
  return /^(?:[0-9a-f]{2})+$/.test(compact) ? (compact as Hex) : null;
}

/** Canonical hex → bytes. */
export function bytesFromHex(hex: Hex): Uint8Array {
  return Buffer.from(hex, 'hex');
}
