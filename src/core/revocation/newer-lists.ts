/** Why the revocation lists that a service has are replaced, for people. */
import { DerError } from '../asn1/der-reader.ts';
import { bytesEqual } from '../bytes/compare.ts';
import { pemBlocksLabelled } from '../bytes/pem.ts';
import { formatRfc3339, type Instant } from '../time/instant.ts';
import { namesEqual } from '../x509/name.ts';
import { type Crl, parseCrl } from './crl.ts';

/** Of lists that are there, PEM. */
export function newerListsText(before: string, after: string, now: Instant): string {
  const [had, has] = [listsIn(before), listsIn(after)];
  if (had === null || has === null) return 'the revocation lists cannot be read; right ones are there';
  if (has.some((list) => !had.some((other) => namesEqual(other.issuer, list.issuer))))
    return 'the revocation list of another authority is there';
  const replaced = had.filter((list) => !has.some(({ raw }) => bytesEqual(raw, list.raw)));
  const [first] = replaced.map(({ nextUpdate, thisUpdate }) => nextUpdate ?? thisUpdate).sort((a, b) => a - b);
  return first === undefined
    ? 'the revocation lists were written by somebody else; right ones are there'
    : `revocation list ${endsText(first, now)}; a newer one is there`;
}

/** Of a list that is still to be signed. @param lacksSome something was revoked since it was signed */
export function listToSignText(nextUpdate: Instant, lacksSome: boolean, now: Instant): string {
  const lack = lacksSome ? ' and lacks what was revoked since' : '';
  return `revocation list ${endsText(nextUpdate, now)}${lack}; a newer one will be signed`;
}

function endsText(nextUpdate: Instant, now: Instant): string {
  return `${now > nextUpdate ? 'ended' : 'ends'} at ${formatRfc3339(nextUpdate)}`;
}

/** null: there is something else, or nothing. Whoever may write there may have written anything. */
function listsIn(pem: string): readonly Crl[] | null {
  try {
    const lists = pemBlocksLabelled(pem, 'X509 CRL').map(({ der }) => parseCrl(der));
    return lists.length > 0 ? lists : null;
  } catch (fault) {
    if (!(fault instanceof DerError)) throw fault;
    return null;
  }
}
