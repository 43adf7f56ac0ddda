/** GeneralName (RFC 5280 §4.2.1.6): what subjectAltName, authorityKeyIdentifier, AIA and CRLs name things with. */
import { type DerElement, DerError, readExplicit } from '../asn1/der-reader.ts';
import { explicit, implicit } from '../asn1/der-writer.ts';
import { contextTag } from '../asn1/tags.ts';
import { hexFromBytes } from '../bytes/hex.ts';
import { lowerCaseAscii } from './dns-name.ts';
import { formatIpAddress, type IpAddress, ipAddressOctets } from './ip-address.ts';
import { formatName, type Name, readName } from './name.ts';

export type GeneralName =
  /** As it stands in the certificate; what we issue has gone through parseDnsName. */
  | { readonly kind: 'dns'; readonly value: string }
  | { readonly kind: 'ip'; readonly value: IpAddress }
  | { readonly kind: 'email'; readonly value: string }
  | { readonly kind: 'uri'; readonly value: string }
  | { readonly kind: 'directory'; readonly name: Name }
  /** otherName, x400Address, ediPartyName, registeredID: the whole TLV. */
  | { readonly kind: 'other'; readonly raw: Uint8Array };

/** Context tags of the kinds that are IA5String. */
const STRING_TAG = { email: contextTag(1, false), dns: contextTag(2, false), uri: contextTag(6, false) } as const;
const DIRECTORY_TAG = contextTag(4, true);
const IP_TAG = contextTag(7, false);
const OTHER_TAGS = [contextTag(0, true), contextTag(3, true), contextTag(5, true), contextTag(8, false)];

/** @throws DerError */
export function readGeneralName(element: DerElement, path: string): GeneralName {
  switch (element.tag) {
    case STRING_TAG.dns:
      return { kind: 'dns', value: readIa5(element, path) };
    case STRING_TAG.email:
      return { kind: 'email', value: readIa5(element, path) };
    case STRING_TAG.uri:
      return { kind: 'uri', value: readIa5(element, path) };
    case DIRECTORY_TAG:
      return { kind: 'directory', name: readName(readExplicit(element, path), path) };
    case IP_TAG: {
      const value = formatIpAddress(element.content);
      if (value === null) throw new DerError(path, element.contentOffset, 'iPAddress is neither 4 nor 16 octets');
      return { kind: 'ip', value };
    }
    default:
      if (!OTHER_TAGS.includes(element.tag)) throw new DerError(path, element.offset, 'not a GeneralName');
      return { kind: 'other', raw: element.raw };
  }
}

/** Content octets of an implicitly tagged IA5String. */
export function readIa5(element: DerElement, path: string): string {
  if (element.content.some((octet) => octet > 0x7f)) throw new DerError(path, element.contentOffset, 'not ASCII');
  return Buffer.from(element.content.buffer, element.content.byteOffset, element.content.byteLength).toString('latin1');
}

export function encodeGeneralName(name: GeneralName): Uint8Array {
  switch (name.kind) {
    case 'dns':
      return implicit(2, Buffer.from(name.value, 'latin1'));
    case 'email':
      return implicit(1, Buffer.from(name.value, 'latin1'));
    case 'uri':
      return implicit(6, Buffer.from(name.value, 'latin1'));
    case 'ip':
      return implicit(7, ipAddressOctets(name.value));
    case 'directory':
      return explicit(4, name.name.raw);
    case 'other':
      return name.raw;
  }
}

/** The value alone: "api.internal", "10.0.0.1", "CN=…"; "other:" and hex for kinds without a text. */
export function formatGeneralName(name: GeneralName): string {
  switch (name.kind) {
    case 'directory':
      return formatName(name.name);
    case 'other':
      return `other:${hexFromBytes(name.raw)}`;
    default:
      return name.value;
  }
}

/** Equal as what they stand for: DNS names without regard to case. */
export function generalNamesEqual(a: GeneralName, b: GeneralName): boolean {
  return generalNameKey(a) === generalNameKey(b);
}

/** One string for each thing named, for sets. */
export function generalNameKey(name: GeneralName): string {
  const text = formatGeneralName(name);
  return `${name.kind}:${name.kind === 'dns' ? lowerCaseAscii(text) : text}`;
}
