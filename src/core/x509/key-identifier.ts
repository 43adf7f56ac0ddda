/** subjectKeyIdentifier and authorityKeyIdentifier (RFC 5280 §4.2.1.1, §4.2.1.2). */
import { expectTag, readElements, readSequence } from '../asn1/der-reader.ts';
import { readOctetString } from '../asn1/der-values.ts';
import { implicit, octetString, sequence } from '../asn1/der-writer.ts';
import { contextTag, TAG } from '../asn1/tags.ts';
import { type Hex, hexFromBytes } from '../bytes/hex.ts';
import { sha256 } from '../crypto/digest.ts';
import { type ExtensionHolder, type ExtensionKind, encodeExtension, extensionValue } from './extension.ts';
import { type GeneralName, readGeneralName } from './general-name.ts';
import type { PublicKeyInfo } from './public-key.ts';

export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | null;
  readonly issuers: readonly GeneralName[];
  /** Hex of the serial's content octets. */
  readonly serial: Hex | null;
}

export const SUBJECT_KEY_IDENTIFIER: ExtensionKind<Uint8Array> = {
  oid: '2.5.29.14',
  name: 'subjectKeyIdentifier',
  decode: readOctetString,
};

export const AUTHORITY_KEY_IDENTIFIER: ExtensionKind<AuthorityKeyIdentifier> = {
  oid: '2.5.29.35',
  name: 'authorityKeyIdentifier',
  decode: (value, path) =>
    readSequence(expectTag(value, TAG.SEQUENCE, path), path, (fields) => {
      const keyField = fields.optional(contextTag(0, false), 'keyIdentifier');
      const issuerField = fields.optional(contextTag(1, true), 'authorityCertIssuer');
      const serialField = fields.optional(contextTag(2, false), 'authorityCertSerialNumber');
      return {
        keyIdentifier: keyField?.content ?? null,
        issuers: issuerField ? readElements(issuerField, path).map((name) => readGeneralName(name, path)) : [],
        serial: serialField ? hexFromBytes(serialField.content) : null,
      };
    }),
};

export function subjectKeyIdentifier(certificate: ExtensionHolder): Uint8Array | null {
  return extensionValue(certificate, SUBJECT_KEY_IDENTIFIER);
}

export function authorityKeyIdentifier(certificate: ExtensionHolder): AuthorityKeyIdentifier | null {
  return extensionValue(certificate, AUTHORITY_KEY_IDENTIFIER);
}

/** RFC 7093 §2 method 1: the leftmost 160 bits of the SHA-256 of the BIT STRING's octets. */
export function keyIdentifierOf(key: PublicKeyInfo): Uint8Array {
  return sha256(key.subjectPublicKey).subarray(0, 20);
}

/** By what certificates name this one as their issuer: its subjectKeyIdentifier, or what it would be. */
export function issuerKeyIdentifier(issuer: ExtensionHolder & { readonly publicKey: PublicKeyInfo }): Uint8Array {
  return subjectKeyIdentifier(issuer) ?? keyIdentifierOf(issuer.publicKey);
}

/** §4.2.1.2: "Conforming CAs MUST mark this extension as non-critical." */
export function encodeSubjectKeyIdentifier(keyIdentifier: Uint8Array): Uint8Array {
  return encodeExtension(SUBJECT_KEY_IDENTIFIER, false, octetString(keyIdentifier));
}

/** §4.2.1.1: non-critical; the issuer's key identifier byte for byte, without issuer and serial. */
export function encodeAuthorityKeyIdentifier(keyIdentifier: Uint8Array): Uint8Array {
  return encodeExtension(AUTHORITY_KEY_IDENTIFIER, false, sequence(implicit(0, keyIdentifier)));
}
