/** A challenge as the flows hand it to validators. */

import assert from 'node:assert/strict';
import type { ChallengeTarget, ValidationOutcome, ValidationProblemType } from '../../src/flow/ca/validation-ports.ts';

export const TOKEN = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA';
/** The token and thumbprint of RFC 8555 §8.1 and RFC 7638 §3.1. */
export const KEY_AUTHORIZATION = `${TOKEN}.NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs`;
export const CHALLENGE_PATH = `/.well-known/acme-challenge/${TOKEN}`;

export function challengeTarget(overrides: Partial<ChallengeTarget> = {}): ChallengeTarget {
  return { identifierType: 'dns', value: 'app.test', token: TOKEN, keyAuthorization: KEY_AUTHORIZATION, ...overrides };
}

/** Type and whole text, so that what the client reads is what the test shows. */
export function assertInvalid(
  outcome: ValidationOutcome,
  problem: ValidationProblemType,
  detail: string | RegExp,
): void {
  assert.equal(outcome.kind, 'invalid');
  if (outcome.kind !== 'invalid') return;
  if (typeof detail === 'string') assert.deepEqual([outcome.problem, outcome.detail], [problem, detail]);
  else {
    assert.equal(outcome.problem, problem);
    assert.match(outcome.detail, detail);
  }
}
