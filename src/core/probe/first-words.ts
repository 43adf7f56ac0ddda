/** Who speaks, from the first bytes: of those that greet, or answer a ClientHello with an error of their own. */
import type { StarttlsWord } from './protocol.ts';

export interface Speaker {
  /** "http", "smtp", "mysql". */
  readonly protocol: string;
  /** How its TLS is asked for; null: it has none inside its own protocol. */
  readonly starttls: StarttlsWord | null;
}

const FIRST_WORDS: readonly (readonly [RegExp, Speaker])[] = [
  [/^HTTP\/1\.[01] /, { protocol: 'http', starttls: null }],
  [/^SSH-/, { protocol: 'ssh', starttls: null }],
  [/^220[ -][\s\S]*\bE?SMTP\b/i, { protocol: 'smtp', starttls: 'smtp' }],
  [/^220[ -][\s\S]*\bLMTP\b/i, { protocol: 'lmtp', starttls: 'lmtp' }],
  [/^220[ -][\s\S]*FTP(?:d|\b)/i, { protocol: 'ftp', starttls: 'ftp' }],
  [/^220[ -]/, { protocol: 'smtp', starttls: 'smtp' }],
  [/^\* (?:OK|PREAUTH)/i, { protocol: 'imap', starttls: 'imap' }],
  [/^\+OK/, { protocol: 'pop3', starttls: 'pop3' }],
  [/^-(?:ERR|NOAUTH|DENIED) /, { protocol: 'redis', starttls: null }],
  [/^<\?xml|^<stream:/, { protocol: 'xmpp', starttls: 'xmpp' }],
  // A packet of less than 256 bytes with number 0, and version 10 of the protocol in it.
  [/^[\s\S]\0\0\0\n[\x20-\x7e]/, { protocol: 'mysql', starttls: 'mysql' }],
  // … or an error, with which it turns a host away.
  [/^[\s\S]\0\0\0\xff[\s\S]{2}[#\x20-\x7e]/, { protocol: 'mysql', starttls: 'mysql' }],
];

const LOOKED_AT_BYTES = 128;

/** null: nobody who is known. */
export function speakerOf(bytes: Uint8Array): Speaker | null {
  const text = String.fromCharCode(...bytes.subarray(0, LOOKED_AT_BYTES));
  return FIRST_WORDS.find(([words]) => words.test(text))?.[1] ?? null;
}
