/** Extensions (RFC 5280 §4.2): the envelope. Each family has its own file; known-extensions.ts lists them. */
import { type DerElement, DerError, expectTag, readElements, readExplicit, readSequence } from '../asn1/der-reader.ts';
import { readBoolean, readOctetString, readOid } from '../asn1/der-values.ts';
import { boolean, octetString, oid, sequence } from '../asn1/der-writer.ts';
import { TAG } from '../asn1/tags.ts';

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** Content of extnValue. */
  readonly value: Uint8Array;
  /** What its kind's `decode` made of it; undefined when no kind is known. Read it through `extensionValue`. */
  readonly decoded: unknown;
}

/** One extension type: how its value is read. Encoders stand beside, because their inputs differ. */
export interface ExtensionKind<T> {
  readonly oid: string;
  /** The name of RFC 5280, for paths and people. */
  readonly name: string;
  /** @throws DerError */
  readonly decode: (value: DerElement, path: string) => T;
}

/** A certificate, CSR, CRL or CRL entry. */
export interface ExtensionHolder {
  readonly extensions: readonly Extension[];
}

export function findExtension(holder: ExtensionHolder, kind: ExtensionKind<unknown>): Extension | null {
  return holder.extensions.find((extension) => extension.oid === kind.oid) ?? null;
}

/** The decoded value, or null when the extension is absent. */
export function extensionValue<T>(holder: ExtensionHolder, kind: ExtensionKind<T>): T | null {
  const extension = findExtension(holder, kind);
  // `decoded` came from the decoder of the kind with this object identifier, so it is a T.
  return extension === null ? null : (extension.decoded as T);
}

/**
 * SEQUENCE OF Extension. Values of the given kinds are decoded now, so that damage shows here and not later.
 *
 * @throws DerError also for a repeated extension (§4.2: "MUST NOT include more than one instance")
 */
export function readExtensions(
  element: DerElement,
  path: string,
  kinds: ReadonlyMap<string, ExtensionKind<unknown>>,
): readonly Extension[] {
  const elements = readElements(expectTag(element, TAG.SEQUENCE, path), path);
  const extensions: Extension[] = [];
  const seen = new Set<string>();
  for (const [index, item] of elements.entries()) {
    const extension = readExtension(item, `${path}[${index}]`, kinds);
    if (seen.has(extension.oid)) {
      throw new DerError(`${path}[${index}]`, item.offset, `extension ${extension.oid} appears twice`);
    }
    seen.add(extension.oid);
    extensions.push(extension);
  }
  return extensions;
}

function readExtension(
  element: DerElement,
  path: string,
  kinds: ReadonlyMap<string, ExtensionKind<unknown>>,
): Extension {
  return readSequence(element, path, (fields) => {
    const type = readOid(fields.required(TAG.OBJECT_IDENTIFIER, 'extnID'), path);
    const criticalField = fields.optional(TAG.BOOLEAN, 'critical');
    // DER leaves a DEFAULT out, but certificates with an explicit FALSE exist and Go and OpenSSL read them.
    const critical = criticalField !== undefined && readBoolean(criticalField, `${path}.critical`);
    const octets = fields.required(TAG.OCTET_STRING, 'extnValue');
    const value = readOctetString(octets, path);
    const kind = kinds.get(type);
    if (!kind) return { oid: type, critical, value, decoded: undefined };
    const valuePath = `${path}.${kind.name}`;
    return { oid: type, critical, value, decoded: kind.decode(readExplicit(octets, valuePath), valuePath) };
  });
}

export function encodeExtension(kind: ExtensionKind<unknown>, critical: boolean, value: Uint8Array): Uint8Array {
  return critical
    ? sequence(oid(kind.oid), boolean(true), octetString(value))
    : sequence(oid(kind.oid), octetString(value));
}
