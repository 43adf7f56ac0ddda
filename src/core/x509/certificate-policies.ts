/** certificatePolicies (RFC 5280 §4.2.1.4): the policy identifiers; qualifiers are read past. */
import { expectTag, readElements, readSequence } from '../asn1/der-reader.ts';
import { readOid } from '../asn1/der-values.ts';
import { oid, sequence } from '../asn1/der-writer.ts';
import { TAG } from '../asn1/tags.ts';
import { type ExtensionHolder, type ExtensionKind, encodeExtension, extensionValue } from './extension.ts';

export const CERTIFICATE_POLICIES: ExtensionKind<readonly string[]> = {
  oid: '2.5.29.32',
  name: 'certificatePolicies',
  decode: (value, path) =>
    readElements(expectTag(value, TAG.SEQUENCE, path), path).map((information, index) =>
      readSequence(information, `${path}[${index}]`, (fields) => {
        const policy = readOid(fields.required(TAG.OBJECT_IDENTIFIER, 'policyIdentifier'), `${path}[${index}]`);
        fields.optional(TAG.SEQUENCE, 'policyQualifiers');
        return policy;
      }),
    ),
};

export function certificatePolicies(certificate: ExtensionHolder): readonly string[] {
  return extensionValue(certificate, CERTIFICATE_POLICIES) ?? [];
}

export function encodeCertificatePolicies(policies: readonly string[]): Uint8Array {
  const informations = policies.map((policy) => sequence(oid(policy)));
  return encodeExtension(CERTIFICATE_POLICIES, false, sequence(...informations));
}
