/** Why the revocation lists that a service has are replaced, for people. */
import { DerError } from '../asn1/der-reader.ts';
import { pemBlocksLabelled } from '../bytes/pem.ts';
import { formatRfc3339, type Instant } from '../time/instant.ts';
import { parseCrl } from './crl.ts';

/** Of lists that are there, PEM: what leaves `before`, or what joins it in `after`. */
export function newerListsText(before: string, after: string, now: Instant): string {
  const [had, has] = [nextUpdates(before), nextUpdates(after)];
  if (had === null || has === null) return 'the revocation lists cannot be read; right ones are there';
  const replaced = [...had].filter(([list]) => !has.has(list)).map(([, nextUpdate]) => nextUpdate);
  const [first] = replaced.sort((a, b) => a - b);
  if (first !== undefined) return `revocation list ${endsText(first, now)}; a newer one is there`;
  return 'the revocation list of another authority is there';
}

/** Of a list that is still to be signed. @param lacksSome something was revoked since it was signed */
export function listToSignText(nextUpdate: Instant, lacksSome: boolean, now: Instant): string {
  const lack = lacksSome ? ' and lacks what was revoked since' : '';
  return `revocation list ${endsText(nextUpdate, now)}${lack}; a newer one will be signed`;
}

function endsText(nextUpdate: Instant, now: Instant): string {
  return `${now > nextUpdate ? 'ended' : 'ends'} at ${formatRfc3339(nextUpdate)}`;
}

/** By the base64 of each list; null: something there is none. Whoever may write there may have written anything. */
function nextUpdates(pem: string): ReadonlyMap<string, Instant> | null {
  try {
    return new Map(
      pemBlocksLabelled(pem, 'X509 CRL').map(({ der }) => {
        const { nextUpdate, thisUpdate } = parseCrl(der);
        return [Buffer.from(der).toString('base64'), nextUpdate ?? thisUpdate];
      }),
    );
  } catch (fault) {
    if (!(fault instanceof DerError)) throw fault;
    return null;
  }
}
