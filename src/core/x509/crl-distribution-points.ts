/** cRLDistributionPoints (RFC 5280 §4.2.1.13): of each point its URIs; reasons and cRLIssuer are read past. */
import { type DerElement, expectTag, readElements, readSequence } from '../asn1/der-reader.ts';
import { explicit, sequence, tlv } from '../asn1/der-writer.ts';
import { contextTag, TAG } from '../asn1/tags.ts';
import { type ExtensionHolder, type ExtensionKind, encodeExtension, extensionValue } from './extension.ts';
import { encodeGeneralName, readGeneralName } from './general-name.ts';

export const CRL_DISTRIBUTION_POINTS: ExtensionKind<readonly string[]> = {
  oid: '2.5.29.31',
  name: 'cRLDistributionPoints',
  decode: (value, path) =>
    readElements(expectTag(value, TAG.SEQUENCE, path), path).flatMap((point, index) =>
      readSequence(point, `${path}[${index}]`, (fields) => {
        const nameField = fields.optional(contextTag(0, true), 'distributionPoint');
        fields.optional(contextTag(1, false), 'reasons');
        fields.optional(contextTag(2, true), 'cRLIssuer');
        return nameField ? distributionPointUrls(nameField, `${path}[${index}]`) : [];
      }),
    ),
};

/** Where CRLs for this certificate are to be had. */
export function crlUrls(certificate: ExtensionHolder): readonly string[] {
  return extensionValue(certificate, CRL_DISTRIBUTION_POINTS) ?? [];
}

/** The URIs of the fullName inside [0] DistributionPointName. */
export function distributionPointUrls(nameField: DerElement, path: string): string[] {
  return readElements(nameField, path)
    .filter((choice) => choice.tag === contextTag(0, true))
    .flatMap((fullName) => readElements(fullName, path))
    .flatMap((element) => {
      const name = readGeneralName(element, path);
      return name.kind === 'uri' ? [name.value] : [];
    });
}

/** [0] EXPLICIT DistributionPointName with one URI as its fullName. */
export function encodeDistributionPointName(url: string): Uint8Array {
  return explicit(0, tlv(contextTag(0, true), encodeGeneralName({ kind: 'uri', value: url })));
}

/** Not critical (§4.2.1.13: SHOULD). */
export function encodeCrlDistributionPoints(urls: readonly string[]): Uint8Array {
  const points = urls.map((url) => sequence(encodeDistributionPointName(url)));
  return encodeExtension(CRL_DISTRIBUTION_POINTS, false, sequence(...points));
}
