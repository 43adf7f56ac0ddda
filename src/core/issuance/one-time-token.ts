/**
 * One-time tokens (JWK provisioner): a JWT that names what one issuance may contain, in the claims that
 * step-ca's clients send: iss, aud, sub, sans, sha, jti, iat, nbf, exp; and `profile`, which is ours.
 *
 * Single use is not decided here: the issuance is recorded under the token's id, which can happen once.
 */
import type { CompactJws } from '../jose/compact-jws.ts';
import { addSeconds, type Instant, instantFromSeconds } from '../time/instant.ts';
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
  const { iss, aud, sub, sans, sha, jti, profile = 'server' } = token.claims;
  if (iss !== expected.provisioner) return { why: 'the token names another issuer' };
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter((entry) => typeof entry === 'string');
  if (!audiences.some(expected.isAudience))
    return { why: `the token is for ${shown(audiences[0])}, not for this address` };
  if (typeof jti !== 'string' || jti.length < 16 || jti.length > 256)
    return { why: 'the token has no id (jti) of 16 to 256 characters' };
  const flaw = periodFlaw(token.claims, now);
  if (flaw !== null) return { why: flaw };
  if (sha !== undefined && sha !== expected.rootFingerprint)
    return { why: 'the token was made for an authority with another root' };
  if (typeof sub !== 'string' || sub.length === 0) return { why: 'the token has no subject' };
  if (typeof profile !== 'string' || !isLeafProfile(profile))
    return { why: `the token names the profile ${shown(profile)}; server, client and peer exist` };
  const names = namesOf(sub, sans);
  return 'why' in names ? names : { id: jti, subject: sub, names, profile };
}

/** Why the token is not in force now; null when it is. */
function periodFlaw({ iat, nbf, exp }: CompactJws['claims'], now: Instant): string | null {
  const end = instantOf(exp);
  if (end === null || now > addSeconds(end, CLOCK_LEEWAY_SECONDS))
    return 'the token has expired; make a new one with `fullchain token`';
  const start = instantOf(nbf === undefined ? iat : nbf);
  if (start === null || now < addSeconds(start, -CLOCK_LEEWAY_SECONDS))
    return 'the token is not valid yet: compare the clocks of both hosts';
  return end - start > MAX_LIFETIME_SECONDS ? 'the token lives longer than an hour' : null;
}

/** RFC 7519 §2: a NumericDate may have a fraction; null for what is no date. */
function instantOf(value: unknown): Instant | null {
  const seconds = typeof value === 'number' ? Math.floor(value) : Number.NaN;
  return Number.isSafeInteger(seconds) ? instantFromSeconds(seconds) : null;
}

/**
 * The names of `sans`; without them the subject, if it is a name. A token to revoke has a serial number there, and names
 * nothing that could be certified.
 */
function namesOf(subject: string, sans: unknown): readonly GeneralName[] | { readonly why: string } {
  if (sans === undefined || (Array.isArray(sans) && sans.length === 0)) {
    const name = generalNameFromText(subject);
    return name === null ? [] : [name];
  }
  if (!Array.isArray(sans)) return { why: 'sans is not a list' };
  const names: GeneralName[] = [];
  for (const text of sans) {
    const name = typeof text === 'string' ? generalNameFromText(text) : null;
    if (name === null) return { why: `${shown(text)} is not a name that can be certified` };
    names.push(name);
  }
  return names;
}

/** A hostile value in a message: bounded, and never descended into. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : `a value of type ${typeof value}`;
}
