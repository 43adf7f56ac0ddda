/** basicConstraints (RFC 5280 §4.2.1.9). */
import { readSequence } from '../asn1/der-reader.ts';
import { readBoolean, readSmallInteger } from '../asn1/der-values.ts';
import { boolean, integer, sequence } from '../asn1/der-writer.ts';
import { TAG } from '../asn1/tags.ts';
import { type ExtensionHolder, type ExtensionKind, encodeExtension, extensionValue } from './extension.ts';

export interface BasicConstraints {
  readonly ca: boolean;
  /** How many intermediates may follow; null when not limited. */
  readonly pathLength: number | null;
}

export const BASIC_CONSTRAINTS: ExtensionKind<BasicConstraints> = {
  oid: '2.5.29.19',
  name: 'basicConstraints',
  decode: (value, path) =>
    readSequence(value, path, (fields) => {
      const caField = fields.optional(TAG.BOOLEAN, 'cA');
      const pathLengthField = fields.optional(TAG.INTEGER, 'pathLenConstraint');
      return {
        // An explicit FALSE is not DER, but widespread in certificates of appliances.
        ca: caField !== undefined && readBoolean(caField, `${path}.cA`),
        pathLength: pathLengthField ? readSmallInteger(pathLengthField, `${path}.pathLenConstraint`) : null,
      };
    }),
};

export function basicConstraints(certificate: ExtensionHolder): BasicConstraints | null {
  return extensionValue(certificate, BASIC_CONSTRAINTS);
}

/** Critical always: CAs MUST, and on a leaf the empty SEQUENCE says that it is none. A path length of 0 is encoded. */
export function encodeBasicConstraints({ ca, pathLength }: BasicConstraints): Uint8Array {
  const fields = [...(ca ? [boolean(true)] : []), ...(pathLength === null ? [] : [integer(pathLength)])];
  return encodeExtension(BASIC_CONSTRAINTS, true, sequence(...fields));
}
