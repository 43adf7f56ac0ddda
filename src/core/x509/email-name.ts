/** Mailboxes as names (RFC 5280 §4.2.1.6: the addr-spec of RFC 5321 §4.1.2, ASCII only). */
import { isWildcardName, parseDnsName } from './dns-name.ts';

export interface Mailbox {
  readonly localPart: string;
  /** Lower case. */
  readonly host: string;
}

/** "local@host" with a dot-atom and a DNS name, or null; quoted local parts and address literals are refused. */
export function parseMailbox(text: string): Mailbox | null {
  const at = text.lastIndexOf('@');
  const localPart = text.slice(0, Math.max(at, 0));
  if (
    localPart.length > 64 ||
    !/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(localPart)
  )
    return null;
  const host = parseDnsName(text.slice(at + 1));
  return host === null || isWildcardName(host) ? null : { localPart, host };
}
