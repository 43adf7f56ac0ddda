/** keyUsage (RFC 5280 §4.2.1.3). */
import { readBitString, setBits } from '../asn1/der-values.ts';
import { namedBits } from '../asn1/der-writer.ts';
import { type ExtensionHolder, type ExtensionKind, encodeExtension, extensionValue } from './extension.ts';

/** In the order of their bits. */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

export type KeyUsage = (typeof KEY_USAGES)[number];

export const KEY_USAGE: ExtensionKind<readonly KeyUsage[]> = {
  oid: '2.5.29.15',
  name: 'keyUsage',
  // Trailing zeros are not DER, but the roots "Trustwave Global ECC P256/P384" have them until August 2042.
  // Bits beyond the nine have no meaning and are passed over.
  decode: (value, path) => setBits(readBitString(value, path).octets).flatMap((bit) => KEY_USAGES[bit] ?? []),
};

/** null when absent: then every usage is allowed (§4.2.1.3). */
export function keyUsage(certificate: ExtensionHolder): readonly KeyUsage[] | null {
  return extensionValue(certificate, KEY_USAGE);
}

/** §4.2.1.3: "conforming CAs SHOULD mark this extension as critical". */
export function encodeKeyUsage(usages: readonly KeyUsage[]): Uint8Array {
  return encodeExtension(KEY_USAGE, true, namedBits(usages.map((usage) => KEY_USAGES.indexOf(usage))));
}
