/** extKeyUsage (RFC 5280 §4.2.1.12). */
import { expectTag, readElements } from '../asn1/der-reader.ts';
import { readOid } from '../asn1/der-values.ts';
import { oid, sequence } from '../asn1/der-writer.ts';
import { TAG } from '../asn1/tags.ts';
import { type ExtensionHolder, type ExtensionKind, encodeExtension, extensionValue } from './extension.ts';

const PURPOSES = {
  anyExtendedKeyUsage: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  OCSPSigning: '1.3.6.1.5.5.7.3.9',
} as const;

export type KeyPurpose = keyof typeof PURPOSES;

const WORDS: ReadonlyMap<string, string> = new Map(Object.entries(PURPOSES).map(([word, dotted]) => [dotted, word]));

/** Key purposes by their word where they have one here, else as object identifiers. */
export const EXTENDED_KEY_USAGE: ExtensionKind<readonly string[]> = {
  oid: '2.5.29.37',
  name: 'extKeyUsage',
  // An empty SEQUENCE is not allowed, yet read: lint says so, and nothing may crash on it (CVE-2026-40097).
  decode: (value, path) =>
    readElements(expectTag(value, TAG.SEQUENCE, path), path).map((element, index) => {
      const dotted = readOid(element, `${path}[${index}]`);
      return WORDS.get(dotted) ?? dotted;
    }),
};

/** null when absent: then every purpose is allowed. */
export function extendedKeyUsage(certificate: ExtensionHolder): readonly string[] | null {
  return extensionValue(certificate, EXTENDED_KEY_USAGE);
}

/** Of these, what it may not be used for. */
export function lackedPurposes(certificate: ExtensionHolder, wanted: readonly KeyPurpose[]): readonly KeyPurpose[] {
  const allowed = extendedKeyUsage(certificate);
  return allowed === null ? [] : wanted.filter((purpose) => !allowed.includes(purpose));
}

export function encodeExtendedKeyUsage(purposes: readonly KeyPurpose[]): Uint8Array {
  return encodeExtension(EXTENDED_KEY_USAGE, false, sequence(...purposes.map((purpose) => oid(PURPOSES[purpose]))));
}
