import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ISSUANCE_REFUSALS, type IssuanceRefusalReason, refuse } from '../issuance/refusal.ts';
import { issuanceProblem } from './issuance-problem.ts';

/** Reasons that are the authority's own, so that no client looks for the fault in its request. */
const OWN_FAULTS: readonly IssuanceRefusalReason[] = [
  'issuer-not-valid',
  'issuer-not-an-authority',
  'path-length-exceeded',
  'purpose-not-of-issuer',
];

test('every reason for which issuance is refused has an ACME type, and keeps its words', () => {
  for (const reason of Object.keys(ISSUANCE_REFUSALS) as IssuanceRefusalReason[]) {
    const { problem } = issuanceProblem(refuse(reason, `because of ${reason}`));
    assert.equal(problem.detail, `because of ${reason}`);
    assert.equal(problem.type === 'serverInternal', OWN_FAULTS.includes(reason), reason);
  }
});

test('a weak key is badPublicKey and a forbidden name rejectedIdentifier (RFC 8555 §6.7)', () => {
  for (const [reason, type] of [
    ['key-weak', 'badPublicKey'],
    ['key-malformed', 'badPublicKey'],
    ['outside-name-constraints', 'rejectedIdentifier'],
    ['name-invalid', 'rejectedIdentifier'],
    ['lint-failed', 'badCSR'],
  ] as const)
    assert.equal(issuanceProblem(refuse(reason, 'x')).problem.type, type);
});
