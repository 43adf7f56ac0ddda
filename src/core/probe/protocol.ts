/** What a server speaks, as far as a TLS client must know it: what comes before the ClientHello, and what is said after it. */
import type { ServiceProtocol } from '../services/service-kind.ts';

/** "tls": TLS from the first byte, and nobody knows what inside. */
export type Protocol = ServiceProtocol | 'lmtp' | 'pop3' | 'ldap' | 'ftp' | 'xmpp';

/** Protocols whose TLS begins after a request of their own: the words of --starttls. */
export const STARTTLS_WORDS = [
  'postgres',
  'mysql',
  'smtp',
  'lmtp',
  'imap',
  'pop3',
  'ftp',
  'ldap',
  'xmpp',
] as const satisfies readonly Protocol[];

export type StarttlsWord = (typeof STARTTLS_WORDS)[number];

export function isStarttlsWord(text: string): text is StarttlsWord {
  return STARTTLS_WORDS.some((word) => word === text);
}

/** For `--json` and for people: the word, or null where TLS begins with the first byte. */
export function starttlsOf(protocol: Protocol): StarttlsWord | null {
  return isStarttlsWord(protocol) ? protocol : null;
}
