/** PEM framing (RFC 7468): strict about the base64 and the labels, lenient about text around the blocks. */

export interface PemBlock {
  /** "CERTIFICATE", "PRIVATE KEY", … */
  readonly label: string;
  readonly der: Uint8Array;
}

const BLOCK = /-----BEGIN ([A-Z0-9][A-Z0-9 ]*)-----\r?\n([\s\S]*?)-----END \1-----/g;

/** DER → one PEM block with 64-column lines and a final newline. */
export function pemFromDer(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/**
 * Every PEM block of a text, in order. Blocks whose body is not base64 (encrypted legacy keys with
 * headers, damage) are returned as null `der` so that the caller can say which one is broken.
 */
export function pemBlocks(text: string): { readonly label: string; readonly der: Uint8Array | null }[] {
  const blocks: { label: string; der: Uint8Array | null }[] = [];
  for (const match of text.matchAll(BLOCK)) {
    const body = (match[2] ?? '').replace(/\s+/g, '');
    const valid = body.length > 0 && body.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(body);
    blocks.push({ label: match[1] ?? '', der: valid ? Buffer.from(body, 'base64') : null });
  }
  return blocks;
}

/** The readable blocks with one of these labels. */
export function pemBlocksLabelled(text: string, ...labels: readonly string[]): PemBlock[] {
  return pemBlocks(text).filter((block): block is PemBlock => block.der !== null && labels.includes(block.label));
}
