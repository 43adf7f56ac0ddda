/** What validation is asked to look at goes into URLs and DNS questions, so it is checked whoever asks. */
import { isWildcardName, parseDnsName } from '../../core/x509/dns-name.ts';
import { parseIpAddress } from '../../core/x509/ip-address.ts';
import type { ChallengeTarget, ValidationOutcome } from '../../flow/ca/validation-ports.ts';
import { excerpt, invalid } from './outcome.ts';

/** RFC 8555 §8: "MUST NOT contain any characters outside the base64url alphabet". */
const TOKEN = /^[A-Za-z0-9_-]{1,256}$/;

/** null when the target is sound. */
export function checkTarget(target: ChallengeTarget): ValidationOutcome | null {
  const { identifierType, value, token, keyAuthorization } = target;
  const isSound =
    identifierType === 'ip' ? parseIpAddress(value) === value : isHostName(value) && value === value.toLowerCase();
  if (!isSound)
    return invalid('malformed', `${excerpt(value)} is not a ${identifierType} identifier that can be validated`);
  if (!TOKEN.test(token)) return invalid('malformed', 'the token is not base64url');
  if (!keyAuthorization.startsWith(`${token}.`))
    return invalid('malformed', 'the key authorization does not begin with the token');
  return null;
}

/** A DNS name that is not a wildcard. */
export function isHostName(text: string): boolean {
  return parseDnsName(text) !== null && !isWildcardName(text);
}
