/** subjectAltName (RFC 5280 §4.2.1.6). */
import { expectTag, readElements } from '../asn1/der-reader.ts';
import { sequence } from '../asn1/der-writer.ts';
import { TAG } from '../asn1/tags.ts';
import { type ExtensionHolder, type ExtensionKind, encodeExtension, extensionValue } from './extension.ts';
import { encodeGeneralName, type GeneralName, readGeneralName } from './general-name.ts';

export const SUBJECT_ALT_NAME: ExtensionKind<readonly GeneralName[]> = {
  oid: '2.5.29.17',
  name: 'subjectAltName',
  decode: (value, path) =>
    readElements(expectTag(value, TAG.SEQUENCE, path), path).map((element, index) =>
      readGeneralName(element, `${path}[${index}]`),
    ),
};

/** The names in their order; none when the extension is absent. */
export function subjectAltNames(certificate: ExtensionHolder): readonly GeneralName[] {
  return extensionValue(certificate, SUBJECT_ALT_NAME) ?? [];
}

/** §4.2.1.6: critical if and only if the subject is empty. */
export function encodeSubjectAltName(names: readonly GeneralName[], subjectIsEmpty: boolean): Uint8Array {
  return encodeExtension(SUBJECT_ALT_NAME, subjectIsEmpty, sequence(...names.map(encodeGeneralName)));
}
