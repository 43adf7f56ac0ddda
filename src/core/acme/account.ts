/** ACME accounts (RFC 8555 §7.1.2, §7.3). */
import { type Refused, refused } from '../faults/acme-problems.ts';
import type { PublicJwk, Thumbprint } from '../jose/jwk.ts';
import type { JwsAlgorithm } from '../jose/jws-algorithms.ts';
import type { Instant } from '../time/instant.ts';

export interface Account {
  readonly id: number;
  /** The provisioner whose directory it was made under; it is unknown under any other. */
  readonly provisioner: string;
  readonly jwk: PublicJwk;
  readonly thumbprint: Thumbprint;
  readonly contact: readonly string[];
  readonly createdAt: Instant;
  readonly deactivatedAt: Instant | null;
}

/** What a signed request proved: which account, with which algorithm. */
export interface SignedBy {
  readonly account: Account;
  readonly algorithm: JwsAlgorithm;
}

const MAX_CONTACTS = 10;

/** RFC 8555 §7.3: contacts are URLs; this authority takes mailto: with exactly one address and no header fields. */
export function parseContacts(
  value: unknown,
): { readonly kind: 'parsed'; readonly contact: readonly string[] } | Refused {
  if (value === undefined) return { kind: 'parsed', contact: [] };
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
    return refused('malformed', 'contact is a list of strings');
  }
  if (value.length > MAX_CONTACTS)
    return refused('invalidContact', `${value.length} contacts; at most ${MAX_CONTACTS} are kept`);
  for (const contact of value as string[]) {
    const shown = JSON.stringify(contact.slice(0, 100));
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(contact)?.[1]?.toLowerCase();
    if (scheme === undefined) return refused('invalidContact', `the contact ${shown} is not a URL`);
    if (scheme !== 'mailto') return refused('unsupportedContact', `the contact ${shown} is not a mailto: URL`);
    if (contact.length > 320 || !/^mailto:[^\s@,?&]+@[^\s@,?&]+$/i.test(contact)) {
      return refused('invalidContact', `the contact ${shown} is not one plain e-mail address`);
    }
  }
  return { kind: 'parsed', contact: value as string[] };
}
