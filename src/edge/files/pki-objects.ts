/**
 * What lies in a file that a person names: every certificate, request and revocation list of a PEM file, or the one
 * of a DER file. Guessing which is which happens here and nowhere else; private keys are recognised, not read.
 */
import { type DerElement, DerError, readDer, readElements } from '../../core/asn1/der-reader.ts';
import { sequence } from '../../core/asn1/der-writer.ts';
import { TAG } from '../../core/asn1/tags.ts';
import { pemBlocks } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { type Crl, parseCrl } from '../../core/revocation/crl.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { type Csr, parseCsr } from '../../core/x509/csr.ts';

export type PkiObject =
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'request'; readonly csr: Csr }
  | { readonly kind: 'revocation-list'; readonly crl: Crl }
  | { readonly kind: 'private-key'; readonly label: string }
  /** Parameters, public keys: of no interest here, and no fault of the file. */
  | { readonly kind: 'other'; readonly label: string }
  /** Damaged, or of a kind that hides certificates. */
  | { readonly kind: 'unreadable'; readonly label: string; readonly why: string };

/** In the order of the file. @throws OperatorFault input-invalid when there is nothing to say about it */
export function pkiObjects(bytes: Uint8Array, path: string): PkiObject[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (text.includes('-----BEGIN ')) return pemObjects(text);
  if (bytes[0] === 0x30) return [derObject(bytes)];
  const what = bytes.byteLength === 0 ? 'is empty' : 'is neither PEM (-----BEGIN …) nor DER';
  throw new OperatorFault('input-invalid', `${path === '-' ? 'standard input' : path} ${what}`, { path });
}

/** The certificates alone. @throws OperatorFault input-invalid when there is none, or one cannot be read */
export function certificatesAmong(objects: readonly PkiObject[], path: string): Certificate[] {
  const where = path === '-' ? 'standard input' : path;
  const certificates = objects.flatMap((object) => {
    if (object.kind === 'unreadable') throw new OperatorFault('input-invalid', `${where}: ${object.why}`, { path });
    return object.kind === 'certificate' ? [object.certificate] : [];
  });
  if (certificates.length === 0) throw new OperatorFault('input-invalid', `${where} holds no certificate`, { path });
  return certificates;
}

function pemObjects(text: string): PkiObject[] {
  const objects = pemBlocks(text).map(({ label, der }, index) => pemObject(label, der, index + 1));
  const cutOff = text.slice(text.lastIndexOf('-----END ') + 1).match(/-----BEGIN ([A-Z0-9 ]+)-----/);
  if (cutOff)
    objects.push({
      kind: 'unreadable',
      label: cutOff[1] ?? '',
      why: `the last block (${cutOff[1]}) has no END line: the file is cut off`,
    });
  return objects;
}

function pemObject(label: string, der: Uint8Array | null, ordinal: number): PkiObject {
  if (label.endsWith('PRIVATE KEY')) return { kind: 'private-key', label };
  const unreadable = (why: string): PkiObject => ({
    kind: 'unreadable',
    label,
    why: `block ${ordinal} (${label}): ${why}`,
  });
  if (der === null) return unreadable('not base64: the file is damaged');
  const read = PEM_READERS[label];
  if (label === 'PKCS7' || label === 'CMS')
    return unreadable('openssl pkcs7 -print_certs -in FILE takes the certificates out of it');
  return read ? attempt(() => read(der), unreadable) : { kind: 'other', label };
}

const certificate = (der: Uint8Array): PkiObject => ({ kind: 'certificate', certificate: parseCertificate(der) });
const request = (der: Uint8Array): PkiObject => ({ kind: 'request', csr: parseCsr(der) });
const revocationList = (der: Uint8Array): PkiObject => ({ kind: 'revocation-list', crl: parseCrl(der) });

const PEM_READERS: Readonly<Record<string, ((der: Uint8Array) => PkiObject) | undefined>> = {
  CERTIFICATE: certificate,
  'X509 CERTIFICATE': certificate,
  // OpenSSL's own: trust settings follow the certificate.
  'TRUSTED CERTIFICATE': (der) => certificate(elements(sequence(der))[0]?.raw ?? der),
  'CERTIFICATE REQUEST': request,
  'NEW CERTIFICATE REQUEST': request,
  'X509 CRL': revocationList,
};

/** DER carries no label: the one reader that accepts it tells. */
function derObject(der: Uint8Array): PkiObject {
  let why = '';
  for (const read of [certificate, request, revocationList]) {
    const object = attempt(
      () => read(der),
      (reason) => ({ kind: 'unreadable', label: 'DER', why: reason }),
    );
    if (object.kind !== 'unreadable') return object;
    why ||= object.why;
  }
  return attempt(
    () => otherDer(der, why),
    () => ({ kind: 'unreadable', label: 'DER', why }),
  );
}

/** PKCS#8, PKCS#1 and SEC 1 keys begin with INTEGER 0 or 1, encrypted PKCS#8 ends in an OCTET STRING, PKCS#12 begins with 3. */
function otherDer(der: Uint8Array, why: string): PkiObject {
  const [first, second, ...rest] = elements(der);
  const version = first?.tag === TAG.INTEGER && first.contentLength === 1 ? first.octetAt(0) : null;
  if (version === 0 || version === 1) return { kind: 'private-key', label: 'PRIVATE KEY' };
  if (first?.tag === TAG.SEQUENCE && second?.tag === TAG.OCTET_STRING && rest.length === 0)
    return { kind: 'private-key', label: 'ENCRYPTED PRIVATE KEY' };
  if (version === 3)
    return {
      kind: 'unreadable',
      label: 'PKCS#12',
      why: 'a PKCS#12 file: openssl pkcs12 -nokeys -in FILE takes its certificates out',
    };
  if (first?.tag === TAG.OBJECT_IDENTIFIER)
    return {
      kind: 'unreadable',
      label: 'PKCS#7',
      why: 'a PKCS#7 file: openssl pkcs7 -inform DER -print_certs -in FILE takes its certificates out',
    };
  return { kind: 'unreadable', label: 'DER', why };
}

function elements(der: Uint8Array): DerElement[] {
  return readElements(readDer(der, 'file'), 'file');
}

function attempt(read: () => PkiObject, otherwise: (why: string) => PkiObject): PkiObject {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof DerError) return otherwise(cause.message);
    throw cause;
  }
}
