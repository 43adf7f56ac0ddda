/** Reasons for revocation (RFC 5280 §5.3.1): number and word, one row each. 7 is not used. */
const REASONS = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCRL: 8,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

export type RevocationReason = keyof typeof REASONS;

export const REVOCATION_REASONS = Object.keys(REASONS) as readonly RevocationReason[];

export function numberOfReason(reason: RevocationReason): number {
  return REASONS[reason];
}

/** null for 7 and for numbers that no reason has. */
export function reasonOfNumber(number: number): RevocationReason | null {
  return REVOCATION_REASONS.find((reason) => REASONS[reason] === number) ?? null;
}

export function isRevocationReason(text: string): text is RevocationReason {
  return Object.hasOwn(REASONS, text);
}
