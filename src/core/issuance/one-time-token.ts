/**
 * One-time tokens (JWK provisioner): a JWT that names what one issuance may contain, in the claims that
 * step-ca's clients send: iss, aud, sub, sans, sha, jti, iat, nbf, exp; and `profile`, which is ours.
 *
 * Single use is not decided here: the issuance is recorded under the token's id, which can happen once.
 */
import type { CompactJws } from '../jose/compact-jws.ts';
import { addSeconds, type Instant } from '../time/instant.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { isLeafProfile, type LeafProfileName } from './profile.ts';
import { generalNameFromText } from './requested-names.ts';

export interface OneTimeToken {
  readonly id: string;
  readonly subject: string;
  readonly names: readonly GeneralName[];
  readonly profile: LeafProfileName;
}

export interface TokenExpectation {
  readonly provisioner: string;
  /** Whether an audience is this authority's address for the purpose at hand. */
  readonly isAudience: (url: string) => boolean;
  /** Lower-case hex of the root's SHA-256; a token that names another root was made for another authority. */
  readonly rootFingerprint: string;
}

const CLOCK_LEEWAY_SECONDS = 60;
/** A token that lives longer is a password. */
const MAX_LIFETIME_SECONDS = 3600;

/** The claims of a token whose signature was verified, or why it is not accepted. */
export function acceptToken(
  token: CompactJws,
  expected: TokenExpectation,
  now: Instant,
): OneTimeToken | { readonly why: string } {
  const { iss, aud, sub, sans, sha, jti, iat, nbf, exp, profile = 'server' } = token.claims;
  if (iss !== expected.provisioner) return { why: 'the token names another issuer' };
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter((entry) => typeof entry === 'string');
  if (!audiences.some(expected.isAudience))
    return { why: `the token is for ${JSON.stringify(audiences[0] ?? null)}, not for this address` };
  if (typeof jti !== 'string' || jti.length < 16 || jti.length > 256)
    return { why: 'the token has no id (jti) of 16 to 256 characters' };
  if (typeof exp !== 'number' || now > addSeconds(exp as Instant, CLOCK_LEEWAY_SECONDS))
    return { why: 'the token has expired; make a new one with `fullchain token`' };
  const start = typeof nbf === 'number' ? nbf : typeof iat === 'number' ? iat : null;
  if (start === null || now < addSeconds(start as Instant, -CLOCK_LEEWAY_SECONDS))
    return { why: 'the token is not valid yet: compare the clocks of both hosts' };
  if (exp - start > MAX_LIFETIME_SECONDS) return { why: 'the token lives longer than an hour' };
  if (sha !== undefined && sha !== expected.rootFingerprint)
    return { why: 'the token was made for an authority with another root' };
  if (typeof sub !== 'string' || sub.length === 0) return { why: 'the token has no subject' };
  if (typeof profile !== 'string' || !isLeafProfile(profile))
    return { why: `the token names the profile ${JSON.stringify(profile)}; server, client and peer exist` };
  const texts = sans === undefined || (Array.isArray(sans) && sans.length === 0) ? [sub] : sans;
  if (!Array.isArray(texts)) return { why: 'sans is not a list' };
  const names: GeneralName[] = [];
  for (const text of texts) {
    const name = typeof text === 'string' ? generalNameFromText(text) : null;
    if (name === null) return { why: `${JSON.stringify(text)} is not a name that can be certified` };
    names.push(name);
  }
  return { id: jti, subject: sub, names, profile };
}
