/**
 * The smallest P-256 CSR for DNS names (RFC 2986 §4, RFC 2985 §5.4.2): no subject, the names as subjectAltName.
 * Written apart from src/core/x509/csr.ts, so that the server is not measured against its own encoder.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import {
  bitString,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
} from '../src/core/asn1/der-writer.ts';

export interface CsrRequest {
  readonly der: Uint8Array;
  /** DER of the SubjectPublicKeyInfo, by which the certificate is recognised. */
  readonly publicKey: Buffer;
}

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const SUBJECT_ALT_NAME = '2.5.29.17';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
/** GeneralName dNSName. */
const DNS_NAME = 2;

/** With a new key. */
export function csrRequest(names: readonly string[]): CsrRequest {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const generalNames = names.map((name) => implicit(DNS_NAME, Buffer.from(name, 'latin1')));
  const extension = sequence(oid(SUBJECT_ALT_NAME), octetString(sequence(...generalNames)));
  const attribute = sequence(oid(EXTENSION_REQUEST), setOf(sequence(extension)));
  const info = sequence(integer(0), sequence(), spki, explicit(0, attribute));
  const signature = bitString(sign('sha256', info, privateKey));
  return { der: sequence(info, sequence(oid(ECDSA_WITH_SHA256)), signature), publicKey: spki };
}
