/** acmeIdentifier (RFC 8737 §3): the extension of a tls-alpn-01 validation certificate. */
import { DerError } from '../asn1/der-reader.ts';
import { readOctetString } from '../asn1/der-values.ts';
import { octetString } from '../asn1/der-writer.ts';
import { type ExtensionHolder, type ExtensionKind, encodeExtension, extensionValue } from './extension.ts';

/** SHA-256 of the key authorization. */
export const ACME_IDENTIFIER: ExtensionKind<Uint8Array> = {
  oid: '1.3.6.1.5.5.7.1.31',
  name: 'acmeIdentifier',
  decode: (value, path) => {
    const digest = readOctetString(value, path);
    // RFC 8737 §3: "Authorization ::= OCTET STRING (SIZE (32))".
    if (digest.byteLength !== 32) throw new DerError(path, value.contentOffset, 'the digest is not 32 octets');
    return digest;
  },
};

/** null when absent. Whether it is critical, as it must be: `findExtension(certificate, ACME_IDENTIFIER)`. */
export function acmeIdentifier(certificate: ExtensionHolder): Uint8Array | null {
  return extensionValue(certificate, ACME_IDENTIFIER);
}

/** RFC 8737 §3: "MUST be critical". */
export function encodeAcmeIdentifier(keyAuthorizationDigest: Uint8Array): Uint8Array {
  return encodeExtension(ACME_IDENTIFIER, true, octetString(keyAuthorizationDigest));
}
