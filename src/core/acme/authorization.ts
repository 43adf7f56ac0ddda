/**
 * Authorizations and their challenges (RFC 8555 §7.1.4, §7.1.5, §7.1.6, §8). Only facts are kept; every
 * status is computed from them and the time.
 *
 *                 attempt valid                expires / deactivated
 *   pending ────────────────────────▶ valid ─────────────────────────▶ expired / deactivated
 *      │ attempt invalid, or expiry
 *      └────────────────────────────▶ invalid
 *
 * One token serves all challenges of an authorization, and one attempt decides it: a failed challenge makes
 * the authorization invalid, and with it the order (§7.1.6).
 */
import { base64UrlFromBytes } from '../bytes/base64url.ts';
import type { AcmeProblemType } from '../faults/acme-problems.ts';
import type { Thumbprint } from '../jose/jwk.ts';
import type { Instant } from '../time/instant.ts';
import type { Identifier } from './identifier.ts';
import { isWildcard } from './identifier.ts';

export type ChallengeType = 'http-01' | 'dns-01' | 'tls-alpn-01';

export type AttemptOutcome =
  | { readonly kind: 'valid'; readonly at: Instant }
  | { readonly kind: 'invalid'; readonly at: Instant; readonly problem: AcmeProblemType; readonly detail: string };

/** The one try at proving control: which challenge, since when, and how it ended (null while it runs). */
export interface Attempt {
  readonly challengeType: ChallengeType;
  readonly startedAt: Instant;
  readonly outcome: AttemptOutcome | null;
}

export interface Authorization {
  readonly id: number;
  readonly orderId: number;
  readonly accountId: number;
  readonly identifier: Identifier;
  readonly token: string;
  readonly expiresAt: Instant;
  readonly attempt: Attempt | null;
  readonly deactivatedAt: Instant | null;
}

export type AuthorizationStatus = 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired';
export type ChallengeStatus = 'pending' | 'processing' | 'valid' | 'invalid';

/** RFC 8555 §8: at least 128 bits of entropy. */
export const TOKEN_BYTE_LENGTH = 24;

export function tokenFromRandom(bytes: Uint8Array): string {
  if (bytes.byteLength !== TOKEN_BYTE_LENGTH) throw new RangeError(`a token takes ${TOKEN_BYTE_LENGTH} random bytes`);
  return base64UrlFromBytes(bytes);
}

export function authorizationStatus(authorization: Authorization, now: Instant): AuthorizationStatus {
  if (authorization.deactivatedAt !== null) return 'deactivated';
  const outcome = authorization.attempt?.outcome;
  if (outcome?.kind === 'invalid') return 'invalid';
  const expired = now > authorization.expiresAt;
  if (outcome?.kind === 'valid') return expired ? 'expired' : 'valid';
  return expired ? 'invalid' : 'pending';
}

/**
 * RFC 8555 §7.1.4: while pending every challenge that could prove the identifier; afterwards only the one
 * that was tried. Wildcards can be proven by DNS alone (§7.1.3), addresses not by DNS (RFC 8738 §7).
 */
export function offeredChallenges(authorization: Authorization): readonly ChallengeType[] {
  if (authorization.attempt) return [authorization.attempt.challengeType];
  if (isWildcard(authorization.identifier)) return ['dns-01'];
  return authorization.identifier.type === 'ip' ? ['http-01', 'tls-alpn-01'] : ['http-01', 'dns-01', 'tls-alpn-01'];
}

export function challengeStatus(authorization: Authorization, type: ChallengeType): ChallengeStatus {
  const { attempt } = authorization;
  if (attempt?.challengeType !== type) return 'pending';
  return attempt.outcome === null ? 'processing' : attempt.outcome.kind;
}

/** RFC 8555 §8.1. */
export function keyAuthorization(token: string, thumbprint: Thumbprint): string {
  return `${token}.${thumbprint}`;
}
