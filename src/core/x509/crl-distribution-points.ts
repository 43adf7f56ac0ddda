/** cRLDistributionPoints (RFC 5280 §4.2.1.13): where lists of revoked certificates are had, and which ones count. */
import { type DerElement, DerError, expectTag, readElements, readSequence } from '../asn1/der-reader.ts';
import { readBitString, setBits } from '../asn1/der-values.ts';
import { explicit, sequence, tlv } from '../asn1/der-writer.ts';
import { contextTag, TAG } from '../asn1/tags.ts';
import { type ExtensionHolder, type ExtensionKind, encodeExtension, extensionValue } from './extension.ts';
import { encodeGeneralName, type GeneralName, readGeneralName } from './general-name.ts';
import { type RelativeName, readRelativeName } from './name.ts';

export type DistributionPointName =
  | { readonly kind: 'full'; readonly names: readonly GeneralName[] }
  /** Comes after the name of the list's issuer. */
  | { readonly kind: 'relative'; readonly name: RelativeName };

/** Bits of ReasonFlags, from 1 (keyCompromise) to 8 (aACompromise). */
export type ReasonFlags = ReadonlySet<number>;

export interface DistributionPoint {
  readonly name: DistributionPointName | null;
  /** For which reasons its list has certificates; null: all. */
  readonly reasons: ReasonFlags | null;
  /** Who signs the list; null: the issuer of the certificate. */
  readonly crlIssuer: readonly GeneralName[] | null;
}

export const CRL_DISTRIBUTION_POINTS: ExtensionKind<readonly DistributionPoint[]> = {
  oid: '2.5.29.31',
  name: 'cRLDistributionPoints',
  decode: (value, path) =>
    readElements(expectTag(value, TAG.SEQUENCE, path), path).map((point, index) =>
      readSequence(point, `${path}[${index}]`, (fields) => {
        const at = `${path}[${index}]`;
        const nameField = fields.optional(contextTag(0, true), 'distributionPoint');
        const reasonsField = fields.optional(contextTag(1, false), 'reasons');
        const issuerField = fields.optional(contextTag(2, true), 'cRLIssuer');
        return {
          name: nameField ? readDistributionPointName(nameField, `${at}.distributionPoint`) : null,
          reasons: reasonsField ? readReasonFlags(reasonsField, `${at}.reasons`) : null,
          crlIssuer: issuerField ? readGeneralNames(issuerField, `${at}.cRLIssuer`) : null,
        };
      }),
    ),
};

export function distributionPoints(certificate: ExtensionHolder): readonly DistributionPoint[] {
  return extensionValue(certificate, CRL_DISTRIBUTION_POINTS) ?? [];
}

/** Where CRLs for this certificate are to be had. */
export function crlUrls(certificate: ExtensionHolder): readonly string[] {
  return distributionPoints(certificate).flatMap(({ name }) => distributionPointUrls(name));
}

/** The URIs among its full names. */
export function distributionPointUrls(name: DistributionPointName | null): string[] {
  return name?.kind === 'full' ? name.names.flatMap((item) => (item.kind === 'uri' ? [item.value] : [])) : [];
}

/** [0] DistributionPointName, as it stands in a point and in a list's issuingDistributionPoint. @throws DerError */
export function readDistributionPointName(field: DerElement, path: string): DistributionPointName {
  const [choice, ...more] = readElements(field, path);
  if (choice === undefined || more.length > 0) throw new DerError(path, field.offset, 'not one name');
  if (choice.tag === contextTag(0, true)) return { kind: 'full', names: readGeneralNames(choice, path) };
  return {
    kind: 'relative',
    name: readRelativeName(expectTag(choice, contextTag(1, true), path).withTag(TAG.SET), path),
  };
}

/** Content of an implicitly tagged GeneralNames. @throws DerError */
export function readGeneralNames(field: DerElement, path: string): GeneralName[] {
  return readElements(field, path).map((element, index) => readGeneralName(element, `${path}[${index}]`));
}

/** An implicitly tagged ReasonFlags. @throws DerError */
export function readReasonFlags(field: DerElement, path: string): ReasonFlags {
  return new Set(setBits(readBitString(field.withTag(TAG.BIT_STRING), path).octets));
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
