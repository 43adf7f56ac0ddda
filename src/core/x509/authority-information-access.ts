/** authorityInfoAccess (RFC 5280 §4.2.2.1): the URIs of the two access methods. */
import { expectTag, readElements, readSequence } from '../asn1/der-reader.ts';
import { readOid } from '../asn1/der-values.ts';
import { oid, sequence } from '../asn1/der-writer.ts';
import { TAG } from '../asn1/tags.ts';
import { type ExtensionHolder, type ExtensionKind, encodeExtension, extensionValue } from './extension.ts';
import { encodeGeneralName, readGeneralName } from './general-name.ts';

export interface AuthorityInformationAccess {
  readonly ocspUrls: readonly string[];
  /** Where the issuer's certificate is to be had. */
  readonly caIssuersUrls: readonly string[];
}

const OCSP = '1.3.6.1.5.5.7.48.1';
const CA_ISSUERS = '1.3.6.1.5.5.7.48.2';

export const AUTHORITY_INFORMATION_ACCESS: ExtensionKind<AuthorityInformationAccess> = {
  oid: '1.3.6.1.5.5.7.1.1',
  name: 'authorityInfoAccess',
  decode: (value, path) => {
    const urls: { method: string; url: string }[] = [];
    for (const [index, description] of readElements(expectTag(value, TAG.SEQUENCE, path), path).entries()) {
      const at = `${path}[${index}]`;
      readSequence(description, at, (fields) => {
        const method = readOid(fields.required(TAG.OBJECT_IDENTIFIER, 'accessMethod'), at);
        const location = readGeneralName(fields.any('accessLocation'), `${at}.accessLocation`);
        if (location.kind === 'uri') urls.push({ method, url: location.value });
      });
    }
    const of = (wanted: string): string[] => urls.filter(({ method }) => method === wanted).map(({ url }) => url);
    return { ocspUrls: of(OCSP), caIssuersUrls: of(CA_ISSUERS) };
  },
};

export function authorityInformationAccess(certificate: ExtensionHolder): AuthorityInformationAccess {
  return extensionValue(certificate, AUTHORITY_INFORMATION_ACCESS) ?? { ocspUrls: [], caIssuersUrls: [] };
}

/** §4.2.2.1: "Conforming CAs MUST mark this extension as non-critical." */
export function encodeAuthorityInformationAccess(access: AuthorityInformationAccess): Uint8Array {
  const describe = (method: string, url: string): Uint8Array =>
    sequence(oid(method), encodeGeneralName({ kind: 'uri', value: url }));
  return encodeExtension(
    AUTHORITY_INFORMATION_ACCESS,
    false,
    sequence(
      ...access.ocspUrls.map((url) => describe(OCSP, url)),
      ...access.caIssuersUrls.map((url) => describe(CA_ISSUERS, url)),
    ),
  );
}
