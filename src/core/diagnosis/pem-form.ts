/**
 * Whether a file's bytes are PEM as programs read it, and if not, what is wrong with them. Stricter than core/bytes/pem.ts,
 * which takes whatever can be understood: here it counts what OpenSSL understands, under nearly every service.
 */

export interface PemFormBlock {
  /** "CERTIFICATE", "PRIVATE KEY", … */
  readonly label: string;
  /** Of its first line, from 1. */
  readonly line: number;
  /** null: what it holds is not base64. */
  readonly der: Uint8Array | null;
  /** RFC 1421 §4.6.1.1: the traditional form of an encrypted key says so in a header. */
  readonly isEncrypted: boolean;
}

export type FormFlawId = 'empty' | 'utf-16' | 'der' | 'pkcs12' | 'not-pem' | 'truncated' | 'glued' | 'indented';

export type PemForm =
  | {
      readonly kind: 'pem';
      readonly blocks: readonly PemFormBlock[];
      /** The first block stands behind a UTF-8 byte order mark: OpenSSL 3 passes over it, older ones and Go do not. */
      readonly hasMark: boolean;
    }
  | { readonly kind: 'flawed'; readonly flaw: FormFlawId; readonly line: number };

const BEGIN = /^-----BEGIN ([A-Z0-9][A-Z0-9 ]*)-----$/;
/** U+FEFF in UTF-8, each octet as a character. */
const MARK = '\xef\xbb\xbf';
const END = /^-----END ([A-Z0-9][A-Z0-9 ]*)-----$/;

export function pemForm(bytes: Uint8Array): PemForm {
  const flawed = (flaw: FormFlawId, line = 1): PemForm => ({ kind: 'flawed', flaw, line });
  // Every octet as one character: PEM is ASCII, and nothing else matters.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (text.trim() === '') return flawed('empty');
  if (isUtf16(bytes)) return flawed('utf-16');
  if (!text.includes('-----BEGIN ')) return flawed(bytes[0] === 0x30 ? binaryForm(bytes) : 'not-pem');
  // Before other text it does no harm: that line is passed over as a whole.
  const hasMark = text.startsWith(`${MARK}-----BEGIN `);
  return scan(
    (hasMark ? text.slice(MARK.length) : text).split('\n').map((line) => line.trimEnd()),
    hasMark,
  );
}

function scan(lines: readonly string[], hasMark: boolean): PemForm {
  const blocks: PemFormBlock[] = [];
  const flawed = (flaw: FormFlawId, index: number): PemForm => ({ kind: 'flawed', flaw, line: index + 1 });
  let open: { readonly label: string; readonly index: number } | null = null;
  for (const [index, line] of lines.entries()) {
    if (open === null) {
      const label = BEGIN.exec(line)?.[1];
      if (label !== undefined) open = { label, index };
      else if (line.includes('-----BEGIN ')) return flawed('indented', index);
      continue;
    }
    if (line === `-----END ${open.label}-----`) {
      blocks.push(blockOf(open.label, open.index, lines.slice(open.index + 1, index)));
      open = null;
    } else if (line.startsWith(`-----END ${open.label}-----`)) return flawed('glued', index);
    else if (BEGIN.test(line) || END.test(line)) return flawed('truncated', open.index);
    else if (/^\s+-----END /.test(line)) return flawed('indented', index);
  }
  return open === null ? { kind: 'pem', blocks, hasMark } : flawed('truncated', open.index);
}

function blockOf(label: string, index: number, body: readonly string[]): PemFormBlock {
  // RFC 1421 §4.4: headers end at the first blank line.
  const headers = /^[A-Za-z0-9-]+:/.test(body[0] ?? '') ? body.indexOf('') + 1 : 0;
  const base64 = body.slice(headers).join('').replace(/\s/g, '');
  const isWhole = base64 !== '' && base64.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(base64);
  return {
    label,
    line: index + 1,
    der: isWhole ? Buffer.from(base64, 'base64') : null,
    isEncrypted: body.some((line) => /^Proc-Type: *4,ENCRYPTED/.test(line)),
  };
}

/** A mark at the beginning, or every second octet zero, as editors of Windows write "Unicode". */
function isUtf16(bytes: Uint8Array): boolean {
  const [first, second, third, fourth] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return (first === 0x2d && second === 0 && fourth === 0) || (first === 0 && second === 0x2d && third === 0);
}

/** RFC 7292 §4: a PFX is a SEQUENCE that begins with the version 3. */
function binaryForm(bytes: Uint8Array): 'der' | 'pkcs12' {
  const length = bytes[1] ?? 0;
  const header = length < 0x80 ? 2 : 2 + (length & 0x7f);
  return bytes[header] === 2 && bytes[header + 1] === 1 && bytes[header + 2] === 3 ? 'pkcs12' : 'der';
}
