/** policyMappings (RFC 5280 §4.2.1.5): which policy of the issuer a policy of the subject's counts as. */
import { DerError, expectTag, readElements, readSequence } from '../asn1/der-reader.ts';
import { readOid } from '../asn1/der-values.ts';
import { TAG } from '../asn1/tags.ts';
import { type ExtensionHolder, type ExtensionKind, extensionValue } from './extension.ts';

export interface PolicyMapping {
  readonly issuerDomainPolicy: string;
  readonly subjectDomainPolicy: string;
}

export const POLICY_MAPPINGS: ExtensionKind<readonly PolicyMapping[]> = {
  oid: '2.5.29.33',
  name: 'policyMappings',
  decode: (value, path) => {
    const mappings = readElements(expectTag(value, TAG.SEQUENCE, path), path).map((mapping, index) =>
      readSequence(mapping, `${path}[${index}]`, (fields) => ({
        issuerDomainPolicy: readOid(fields.required(TAG.OBJECT_IDENTIFIER, 'issuerDomainPolicy'), path),
        subjectDomainPolicy: readOid(fields.required(TAG.OBJECT_IDENTIFIER, 'subjectDomainPolicy'), path),
      })),
    );
    if (mappings.length === 0) throw new DerError(path, value.offset, 'policyMappings without a mapping');
    return mappings;
  },
};

/** Empty when absent. */
export function policyMappings(certificate: ExtensionHolder): readonly PolicyMapping[] {
  return extensionValue(certificate, POLICY_MAPPINGS) ?? [];
}
