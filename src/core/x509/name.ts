/** Distinguished names (RFC 5280 §4.1.2.4, §4.1.2.6) and their text (RFC 4514). */
import { type DerElement, DerError, readDer, readElements, readSequence } from '../asn1/der-reader.ts';
import { readOid, readString } from '../asn1/der-values.ts';
import { oid, printableString, sequence, setOf, utf8String } from '../asn1/der-writer.ts';
import { TAG } from '../asn1/tags.ts';
import { bytesEqual } from '../bytes/compare.ts';
import { hexFromBytes } from '../bytes/hex.ts';

export interface NameAttribute {
  readonly oid: string;
  /** The decoded string; "#" and the hex of the DER for values that are not character strings. */
  readonly value: string;
}

/** RelativeDistinguishedName: nearly always one attribute. */
export type RelativeName = readonly NameAttribute[];

export interface Name {
  readonly rdns: readonly RelativeName[];
  readonly raw: Uint8Array;
}

/** Attribute types: the label of RFC 4514 §3 (or the registered descriptor), and the upper bound of RFC 5280 appendix A. */
const ATTRIBUTES = {
  country: { oid: '2.5.4.6', label: 'C', maxLength: 2, printable: true },
  stateOrProvince: { oid: '2.5.4.8', label: 'ST', maxLength: 128, printable: false },
  locality: { oid: '2.5.4.7', label: 'L', maxLength: 128, printable: false },
  organization: { oid: '2.5.4.10', label: 'O', maxLength: 64, printable: false },
  organizationalUnit: { oid: '2.5.4.11', label: 'OU', maxLength: 64, printable: false },
  serialNumber: { oid: '2.5.4.5', label: 'serialNumber', maxLength: 64, printable: true },
  commonName: { oid: '2.5.4.3', label: 'CN', maxLength: 64, printable: false },
} as const;

type AttributeName = keyof typeof ATTRIBUTES;

/** What a subject may be made of; encoded in the order of the table above. */
export type NameAttributes = { readonly [K in AttributeName]?: string };

const LABELS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.values(ATTRIBUTES).map((row) => [row.oid, row.label])),
  '2.5.4.4': 'SN',
  '2.5.4.9': 'STREET',
  '2.5.4.12': 'title',
  '2.5.4.42': 'givenName',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

const COMMON_NAME = ATTRIBUTES.commonName.oid;
const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';

/** @throws DerError */
export function readName(element: DerElement, path: string): Name {
  if (element.tag !== TAG.SEQUENCE) throw new DerError(path, element.offset, 'expected SEQUENCE of a Name');
  const rdns = readElements(element, path).map((set, index) => readRelativeName(set, `${path}[${index}]`));
  return { rdns, raw: element.raw };
}

/** @throws DerError */
export function parseName(der: Uint8Array, path = 'name'): Name {
  return readName(readDer(der, path), path);
}

/** @throws DerError */
export function readRelativeName(set: DerElement, path: string): RelativeName {
  if (set.tag !== TAG.SET) throw new DerError(path, set.offset, 'expected SET');
  const attributes = readElements(set, path);
  if (attributes.length === 0) throw new DerError(path, set.offset, 'empty relative distinguished name');
  return attributes.map((attribute) =>
    readSequence(attribute, path, (fields) => {
      const type = readOid(fields.required(TAG.OBJECT_IDENTIFIER, 'type'), path);
      const value = fields.any('value');
      return { oid: type, value: STRING_TAGS.has(value.tag) ? readString(value, path) : `#${hexFromBytes(value.raw)}` };
    }),
  );
}

const STRING_TAGS: ReadonlySet<number> = new Set([
  TAG.UTF8_STRING,
  TAG.PRINTABLE_STRING,
  TAG.NUMERIC_STRING,
  TAG.IA5_STRING,
  TAG.VISIBLE_STRING,
  TAG.T61_STRING,
  TAG.BMP_STRING,
]);

/** Why these attributes cannot be a subject, in words, or null (RFC 5280 appendix A: upper bounds). */
export function checkNameAttributes(attributes: NameAttributes): string | null {
  for (const [name, row] of Object.entries(ATTRIBUTES)) {
    const value = attributes[name as AttributeName];
    if (value === undefined) continue;
    const length = [...value].length;
    if (length === 0) return `${name} is empty`;
    if (length > row.maxLength) return `${name} has ${length} characters; at most ${row.maxLength} are allowed`;
    if (!value.isWellFormed() || /\p{Cc}/u.test(value)) return `${name} has characters that cannot be printed`;
    if (row.printable && !/^[A-Za-z0-9 '()+,\-./:=?]+$/.test(value))
      return `${name} has characters outside PrintableString`;
    if (name === 'country' && !/^[A-Z]{2}$/.test(value)) return 'country is not two capital letters (ISO 3166)';
  }
  return null;
}

/** DER of a name. UTF8String, except where RFC 5280 appendix A wants PrintableString. */
export function encodeName(attributes: NameAttributes): Uint8Array {
  const rdns: Uint8Array[] = [];
  for (const [name, row] of Object.entries(ATTRIBUTES)) {
    const value = attributes[name as AttributeName];
    if (value === undefined) continue;
    rdns.push(setOf(sequence(oid(row.oid), row.printable ? printableString(value) : utf8String(value))));
  }
  return sequence(...rdns);
}

/** What a new subject like this one is made of: the first value of each attribute that a subject may have. */
export function nameAttributes(name: Name): NameAttributes {
  return Object.fromEntries(
    Object.entries(ATTRIBUTES).flatMap(([attribute, row]) => {
      const [value] = attributeValues(name, row.oid);
      return value === undefined ? [] : [[attribute, value]];
    }),
  );
}

export function isEmptyName(name: Name): boolean {
  return name.rdns.length === 0;
}

export function commonNames(name: Name): string[] {
  return attributeValues(name, COMMON_NAME);
}

/** The legacy emailAddress attribute, which name constraints cover too (RFC 5280 §4.2.1.10). */
export function emailAddresses(name: Name): string[] {
  return attributeValues(name, EMAIL_ADDRESS);
}

function attributeValues(name: Name, type: string): string[] {
  return name.rdns.flat().flatMap((attribute) => (attribute.oid === type ? [attribute.value] : []));
}

/** RFC 4514 §2: the last RDN first, "CN=api.internal,O=Example"; the empty name is "". */
export function formatName(name: Name): string {
  return name.rdns
    .map((rdn) => rdn.map(formatAttribute).join('+'))
    .reverse()
    .join(',');
}

function formatAttribute({ oid: type, value }: NameAttribute): string {
  // An undecodable value already has the form "#hex", which is not escaped (RFC 4514 §2.4).
  return `${LABELS[type] ?? type}=${/^#(?:[0-9a-f]{2})+$/.test(value) ? value : escapeValue(value)}`;
}

/** RFC 4514 §2.4. */
function escapeValue(value: string): string {
  const characters = [...value];
  return characters
    .map((character, index) => {
      const atEdge = index === 0 || index === characters.length - 1;
      if (/[\\"+,;<>]/.test(character) || (character === ' ' && atEdge) || (character === '#' && index === 0)) {
        return `\\${character}`;
      }
      if (!/\p{Cc}/u.test(character)) return character;
      return Buffer.from(character).toString('hex').replace(/../g, '\\$&');
    })
    .join('');
}

/** RFC 5280 §7.1: equal as octets, or as strings without regard to case and repeated spaces. */
export function namesEqual(a: Name, b: Name): boolean {
  if (bytesEqual(a.raw, b.raw)) return true;
  return a.rdns.length === b.rdns.length && isNamePrefix(a, b);
}

/** Whether `name` lies in the subtree of `base`: its first RDNs are those of `base` (RFC 5280 §4.2.1.10). */
export function isNamePrefix(base: Name, name: Name): boolean {
  return (
    base.rdns.length <= name.rdns.length &&
    base.rdns.every((rdn, i) => normalized(rdn) === normalized(name.rdns[i] ?? []))
  );
}

function normalized(rdn: RelativeName): string {
  return rdn
    .map(({ oid: type, value }) =>
      JSON.stringify([type, value.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ')]),
    )
    .sort()
    .join();
}
