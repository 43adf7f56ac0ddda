/** Why issuance is refused: every reason there is, with what it means. */
export const ISSUANCE_REFUSALS = {
  'names-missing': 'the profile needs a name and none was asked for',
  'names-not-allowed': 'the profile takes no names',
  'too-many-names': 'more names than one certificate may have',
  'name-invalid': 'a name is not one that can be certified',
  'subject-missing': 'an authority needs a common name',
  'subject-invalid': 'the subject has a value that no certificate may have',
  'common-name-not-in-names': 'the common name is not one of the names',
  'key-malformed': 'the public key cannot be read',
  'key-weak': 'the public key is of a kind, size or make that is not accepted',
  'key-of-issuer': 'the public key is the one of the issuer',
  'validity-invalid': 'the dates contradict each other or the clock',
  'lifetime-over-maximum': 'the lifetime is longer than is allowed',
  'outlives-issuer': 'the certificate would be valid longer than its issuer',
  'issuer-not-valid': 'the certificate of the issuer is not valid now',
  'issuer-not-an-authority': 'the certificate of the issuer does not let it sign certificates',
  'path-length-exceeded': 'the issuer may not be followed by such an authority',
  'outside-name-constraints': 'the name constraints of the issuer do not allow a name',
  'purpose-not-of-issuer': 'the issuer is limited to other purposes',
  'lint-failed': 'the certificate would break a rule of RFC 5280 or of browsers',
} as const satisfies Record<string, string>;

export type IssuanceRefusalReason = keyof typeof ISSUANCE_REFUSALS;

export interface IssuanceRefusal {
  readonly kind: 'refused';
  readonly reason: IssuanceRefusalReason;
  /** What was seen and what is allowed, in words. */
  readonly detail: string;
}

export function refuse(reason: IssuanceRefusalReason, detail: string): IssuanceRefusal {
  return { kind: 'refused', reason, detail };
}
