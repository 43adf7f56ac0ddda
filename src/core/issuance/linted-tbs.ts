/**
 * Permission to sign is a value: only the linter makes a LintedTbs, and signers accept nothing else.
 * A step cannot be left out, because the next one would not have its argument.
 */
import type { ValidityPeriod } from '../time/validity-period.ts';
import type { KeyAlgorithm } from '../x509/algorithm.ts';
import { parseTbsCertificate, type TbsCertificate } from '../x509/certificate.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { type LintFinding, lintCertificate } from '../x509/lint.ts';
import type { LintContext } from '../x509/lint-rule.ts';
import type { Name } from '../x509/name.ts';
import type { SerialNumber } from '../x509/serial-number.ts';
import { subjectAltNames } from '../x509/subject-alt-name.ts';

declare const linted: unique symbol;

export interface LintedTbs {
  readonly [linted]: true;
  /** DER of the TBSCertificate. */
  readonly bytes: Uint8Array;
  /** Of the key that must sign it. */
  readonly keyAlgorithm: KeyAlgorithm;
  /** As read back from the bytes. */
  readonly certificate: TbsCertificate;
  /** What is recorded of it. */
  readonly summary: {
    readonly serial: SerialNumber;
    readonly subject: Name;
    readonly names: readonly GeneralName[];
    readonly validity: ValidityPeriod;
  };
}

/**
 * The bytes are parsed back and every lint rule is applied. What clients refuse, and what a policy forbids, is the refusal.
 *
 * @throws DerError when the bytes are not a TBSCertificate, which is a bug of the caller
 */
export function lintTbs(
  bytes: Uint8Array,
  keyAlgorithm: KeyAlgorithm,
  context: LintContext,
): LintedTbs | { readonly errors: readonly LintFinding[] } {
  const certificate = parseTbsCertificate(bytes);
  const errors = lintCertificate(certificate, context).filter(({ isSigned }) => !isSigned);
  if (errors.length > 0) return { errors };
  const { serial, subject, validity } = certificate;
  const summary = { serial, subject, names: subjectAltNames(certificate), validity };
  return { bytes, keyAlgorithm, certificate, summary } as LintedTbs;
}
