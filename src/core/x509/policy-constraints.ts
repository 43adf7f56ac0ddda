/** policyConstraints (RFC 5280 §4.2.1.11) and inhibitAnyPolicy (§4.2.1.14): after how many certificates a rule begins. */
import { DerError, expectTag, readSequence } from '../asn1/der-reader.ts';
import { readSmallInteger } from '../asn1/der-values.ts';
import { contextTag, TAG } from '../asn1/tags.ts';
import { type ExtensionHolder, type ExtensionKind, extensionValue } from './extension.ts';

export interface PolicyConstraints {
  /** Certificates that may follow before each needs an acceptable policy; null: no such rule. */
  readonly requireExplicitPolicy: number | null;
  /** Certificates that may follow before policies are not mapped any more; null: no such rule. */
  readonly inhibitPolicyMapping: number | null;
}

export const POLICY_CONSTRAINTS: ExtensionKind<PolicyConstraints> = {
  oid: '2.5.29.36',
  name: 'policyConstraints',
  decode: (value, path) =>
    readSequence(value, path, (fields) => {
      // §4.2.1.11: "Conforming CAs MUST NOT issue certificates where policy constraints is an empty sequence."
      if (fields.atEnd) throw new DerError(path, value.offset, 'policyConstraints without a constraint');
      const count = (number: number, name: string): number | null => {
        const field = fields.optional(contextTag(number, false), name);
        return field ? readSmallInteger(field.withTag(TAG.INTEGER), `${path}.${name}`) : null;
      };
      return {
        requireExplicitPolicy: count(0, 'requireExplicitPolicy'),
        inhibitPolicyMapping: count(1, 'inhibitPolicyMapping'),
      };
    }),
};

export function policyConstraints(certificate: ExtensionHolder): PolicyConstraints | null {
  return extensionValue(certificate, POLICY_CONSTRAINTS);
}

/** Certificates that may follow before anyPolicy stands for nothing any more. */
export const INHIBIT_ANY_POLICY: ExtensionKind<number> = {
  oid: '2.5.29.54',
  name: 'inhibitAnyPolicy',
  decode: (value, path) => readSmallInteger(expectTag(value, TAG.INTEGER, path), path),
};

export function inhibitAnyPolicy(certificate: ExtensionHolder): number | null {
  return extensionValue(certificate, INHIBIT_ANY_POLICY);
}
