/** Certification requests, right ones and wrong ones. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { bitString, integer, oid, sequence, setOf, tlv, utf8String } from '../../src/core/asn1/der-writer.ts';
import { contextTag } from '../../src/core/asn1/tags.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../../src/core/x509/algorithm.ts';
import { encodeBasicConstraints } from '../../src/core/x509/basic-constraints.ts';
import { assembleCsr, encodeCsrInfo } from '../../src/core/x509/csr.ts';
import type { GeneralName } from '../../src/core/x509/general-name.ts';
import { parseIpAddress } from '../../src/core/x509/ip-address.ts';
import { encodeName } from '../../src/core/x509/name.ts';
import { encodeSubjectAltName } from '../../src/core/x509/subject-alt-name.ts';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export function ecKey(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** One for the tests that do not care. */
const ANY_KEY = ecKey();

export interface CsrOptions {
  readonly key?: KeyPair;
  /** Of the signature; it must fit the key. */
  readonly algorithm?: KeyAlgorithm;
  readonly commonName?: string;
  /** In place of the one that is right. */
  readonly signature?: (right: Buffer) => Uint8Array;
}

/** DER of a CSR for these names: addresses become iPAddress entries, "mailto:" and "uri:" their kinds. */
export function csrFor(names: readonly string[], options: CsrOptions = {}): Uint8Array {
  const { key = ANY_KEY, algorithm = 'ecdsa-p256', commonName, signature = (right: Buffer) => right } = options;
  const info = encodeCsrInfo({
    publicKey: spkiOf(key),
    names: names.map(generalName),
    ...(commonName !== undefined && { commonName }),
  });
  return assembleCsr(info, algorithm, signature(sign(KEY_ALGORITHMS[algorithm].digest, info, key.privateKey)));
}

/** A CSR that asks for basicConstraints with CA:TRUE besides its name. */
export function csrOfAuthority(name: string, key: KeyPair = ANY_KEY): Uint8Array {
  const extensions = sequence(
    encodeSubjectAltName([generalName(name)], false),
    encodeBasicConstraints({ ca: true, pathLength: null }),
  );
  return signedCsr(encodeName({}), [[EXTENSION_REQUEST, extensions]], key);
}

/** A CSR whose signature is made with SHA-1. */
export function csrWithSha1(name: string, key: KeyPair = ANY_KEY): Uint8Array {
  const extensions = sequence(encodeSubjectAltName([generalName(name)], false));
  const info = csrInfo(encodeName({}), [[EXTENSION_REQUEST, extensions]], key);
  return sequence(info, sequence(oid('1.2.840.10045.4.1')), bitString(sign('sha1', info, key.privateKey)));
}

/** A CSR with a second common name. */
export function csrWithCommonNames(commonNames: readonly string[], key: KeyPair = ANY_KEY): Uint8Array {
  const rdns = commonNames.map((name) => setOf(sequence(oid('2.5.4.3'), utf8String(name))));
  return signedCsr(sequence(...rdns), [], key);
}

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

type Attributes = readonly (readonly [type: string, value: Uint8Array])[];

function csrInfo(subject: Uint8Array, attributes: Attributes, key: KeyPair): Uint8Array {
  const encoded = attributes.map(([type, value]) => sequence(oid(type), setOf(value)));
  return sequence(integer(0), subject, spkiOf(key), tlv(contextTag(0, true), ...encoded));
}

function signedCsr(subject: Uint8Array, attributes: Attributes, key: KeyPair): Uint8Array {
  const info = csrInfo(subject, attributes, key);
  return assembleCsr(info, 'ecdsa-p256', sign('sha256', info, key.privateKey));
}

export function spkiOf({ publicKey }: KeyPair): Uint8Array {
  return publicKey.export({ type: 'spki', format: 'der' });
}

function generalName(text: string): GeneralName {
  const address = parseIpAddress(text);
  if (address) return { kind: 'ip', value: address };
  if (text.startsWith('mailto:')) return { kind: 'email', value: text.slice('mailto:'.length) };
  if (text.includes('://')) return { kind: 'uri', value: text };
  return { kind: 'dns', value: text };
}
