/** What the authority needs from whoever looks at challenges (RFC 8555 §8). */

/** What was observed when a challenge was tried; never an opinion about the order. */
export type ValidationOutcome =
  | { readonly kind: 'valid' }
  | { readonly kind: 'invalid'; readonly problem: ValidationProblemType; readonly detail: string };

/** The error types of RFC 8555 §6.7 that a look at a challenge can end in. */
export type ValidationProblemType =
  | 'connection'
  | 'dns'
  | 'tls'
  | 'unauthorized'
  | 'malformed'
  | 'rejectedIdentifier'
  | 'serverInternal';

export interface ChallengeTarget {
  readonly identifierType: 'dns' | 'ip';
  /** Base name without "*."; an address in canonical text form. */
  readonly value: string;
  readonly token: string;
  readonly keyAuthorization: string;
}

/**
 * Looks once. Every fault of the network is an outcome, not a rejection; `detail` says what was seen and what was
 * wanted, and is shown to the client. Ends soon after `signal` aborts, with an outcome that means nothing then.
 */
export type ValidateChallenge = (target: ChallengeTarget, signal: AbortSignal) => Promise<ValidationOutcome>;
