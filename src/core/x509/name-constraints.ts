/** nameConstraints (RFC 5280 §4.2.1.10): reading and writing. What they allow: name-constraints-check.ts. */
import { type DerElement, DerError, expectTag, readElements, readSequence } from '../asn1/der-reader.ts';
import { implicit, sequence, tlv } from '../asn1/der-writer.ts';
import { contextTag, TAG } from '../asn1/tags.ts';
import { type ExtensionHolder, type ExtensionKind, encodeExtension, extensionValue } from './extension.ts';
import { encodeGeneralName, type GeneralName, readGeneralName } from './general-name.ts';
import { formatIpRange, parseIpRange } from './ip-range.ts';

/** The base of a subtree; an address range is "10.0.0.0/8", or "10.0.0.0/255.0.255.0" where the mask has holes. */
export type NameSubtree =
  | Exclude<GeneralName, { readonly kind: 'ip' }>
  | { readonly kind: 'ip'; readonly value: string };

export interface NameConstraints {
  readonly permitted: readonly NameSubtree[];
  readonly excluded: readonly NameSubtree[];
}

export const NAME_CONSTRAINTS: ExtensionKind<NameConstraints> = {
  oid: '2.5.29.30',
  name: 'nameConstraints',
  decode: (value, path) =>
    readSequence(expectTag(value, TAG.SEQUENCE, path), path, (fields) => {
      const permitted = fields.optional(contextTag(0, true), 'permittedSubtrees');
      const excluded = fields.optional(contextTag(1, true), 'excludedSubtrees');
      return {
        permitted: permitted ? readSubtrees(permitted, `${path}.permittedSubtrees`) : [],
        excluded: excluded ? readSubtrees(excluded, `${path}.excludedSubtrees`) : [],
      };
    }),
};

function readSubtrees(element: DerElement, path: string): NameSubtree[] {
  return readElements(element, path).map((subtree, index) =>
    // §4.2.1.10: "the minimum MUST be zero, and maximum MUST be absent", so the base stands alone.
    readSequence(subtree, `${path}[${index}]`, (fields) => readBase(fields.any('base'), `${path}[${index}].base`)),
  );
}

function readBase(element: DerElement, path: string): NameSubtree {
  if (element.tag !== contextTag(7, false)) {
    const name = readGeneralName(element, path);
    if (name.kind === 'ip') throw new TypeError('an address has the tag [7]');
    return name;
  }
  const value = formatIpRange(element.content);
  if (value === null) throw new DerError(path, element.contentOffset, 'address range is neither 8 nor 32 octets');
  return { kind: 'ip', value };
}

export function nameConstraints(certificate: ExtensionHolder): NameConstraints | null {
  return extensionValue(certificate, NAME_CONSTRAINTS);
}

/** §4.2.1.10: "Conforming CAs MUST mark this extension as critical." */
export function encodeNameConstraints({ permitted, excluded }: NameConstraints): Uint8Array {
  const subtrees = (number: number, list: readonly NameSubtree[]): Uint8Array[] =>
    list.length === 0 ? [] : [tlv(contextTag(number, true), ...list.map((base) => sequence(encodeBase(base))))];
  return encodeExtension(NAME_CONSTRAINTS, true, sequence(...subtrees(0, permitted), ...subtrees(1, excluded)));
}

function encodeBase(base: NameSubtree): Uint8Array {
  if (base.kind !== 'ip') return encodeGeneralName(base);
  const octets = parseIpRange(base.value);
  if (octets === null) throw new RangeError(`not an address range: ${base.value}`);
  return implicit(7, octets);
}
