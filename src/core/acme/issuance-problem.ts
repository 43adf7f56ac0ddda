/** Why issuance was refused → the ACME error that says so (RFC 8555 §6.7). One row a reason. */
import { type AcmeProblemType, type Refused, refused } from '../faults/acme-problems.ts';
import type { IssuanceRefusal, IssuanceRefusalReason } from '../issuance/refusal.ts';

const PROBLEM_OF_REASON: Record<IssuanceRefusalReason, AcmeProblemType> = {
  'names-missing': 'badCSR',
  'names-not-allowed': 'badCSR',
  'too-many-names': 'badCSR',
  'name-invalid': 'rejectedIdentifier',
  'subject-missing': 'badCSR',
  'subject-invalid': 'badCSR',
  'common-name-not-in-names': 'badCSR',
  'key-malformed': 'badPublicKey',
  'key-weak': 'badPublicKey',
  'key-of-issuer': 'badPublicKey',
  'validity-invalid': 'malformed',
  'lifetime-over-maximum': 'malformed',
  'outlives-issuer': 'malformed',
  'issuer-not-valid': 'serverInternal',
  'issuer-not-an-authority': 'serverInternal',
  'path-length-exceeded': 'serverInternal',
  'outside-name-constraints': 'rejectedIdentifier',
  'purpose-not-of-issuer': 'serverInternal',
  'lint-failed': 'badCSR',
};

export function issuanceProblem({ reason, detail }: IssuanceRefusal): Refused {
  return refused(PROBLEM_OF_REASON[reason], detail);
}
