/** dns-01 (RFC 8555 §8.4): the digest of the key authorization, in a TXT record under the name. */
import { base64UrlFromBytes } from '../../core/bytes/base64url.ts';
import { sha256 } from '../../core/crypto/digest.ts';
import type { ValidateChallenge } from '../../flow/ca/validation-ports.ts';
import { checkTarget } from './check-target.ts';
import { boundedLook, excerpt, invalid } from './outcome.ts';
import { lookUpWithin, type Resolver } from './resolver.ts';

export interface Dns01Options {
  readonly resolver: Resolver;
  readonly timeoutMs?: number;
}

const SHOWN = 3;

export function dns01Validator({ resolver, timeoutMs = 10_000 }: Dns01Options): ValidateChallenge {
  return boundedLook(timeoutMs, async (target, signal) => {
    const misfit = checkTarget(target);
    if (misfit) return misfit;
    // RFC 8738 §7: "The existing "dns-01" challenge MUST NOT be used to validate IP identifiers."
    if (target.identifierType === 'ip')
      return invalid('malformed', `dns-01 cannot validate the address ${target.value}`);
    const name = `_acme-challenge.${target.value}`;
    const wanted = base64UrlFromBytes(sha256(Buffer.from(target.keyAuthorization, 'latin1')));
    const found = await lookUpWithin(timeoutMs, name, signal, (limited) => resolver.resolveTxt(name, limited));
    // §8.4: several may be there, one for each authorization under way, and any of them may match.
    if (found.includes(wanted)) return { kind: 'valid' };
    const more = found.length > SHOWN ? ` and ${found.length - SHOWN} more` : '';
    const shown = found
      .slice(0, SHOWN)
      .map((text) => excerpt(text))
      .join(', ');
    return invalid('unauthorized', `TXT at ${name} is ${shown}${more} (wanted "${wanted}")`);
  });
}
