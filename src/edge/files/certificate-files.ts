/** Certificates and keys in files: read with the cause and the place when they are not what they should be. */
import { readFileSync } from 'node:fs';
import { DerError } from '../../core/asn1/der-reader.ts';
import { pemBlocksLabelled } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';

/** Every certificate of a PEM file, or the one of a DER file. @throws OperatorFault input-unreadable, input-invalid */
export function readCertificates(path: string): Certificate[] {
  return certificatesOf(readInput(path), path);
}

/** @throws OperatorFault input-invalid */
export function certificatesOf(bytes: Uint8Array, path: string): Certificate[] {
  const text = Buffer.from(bytes).toString('latin1');
  const ders = text.includes('-----BEGIN')
    ? pemBlocksLabelled(text, 'CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE').map(({ der }) => der)
    : [bytes];
  if (ders.length === 0) throw new OperatorFault('input-invalid', `${path} holds no certificate`, { path });
  return ders.map((der, index) => {
    try {
      return parseCertificate(der);
    } catch (cause) {
      if (!(cause instanceof DerError)) throw cause;
      throw new OperatorFault(
        'input-invalid',
        `${path}: certificate ${index + 1} is not well formed: ${cause.message}`,
        { path },
        cause,
      );
    }
  });
}

/** @throws OperatorFault input-unreadable */
export function readInput(path: string): Uint8Array {
  try {
    return readFileSync(path === '-' ? 0 : path);
  } catch (cause) {
    throw new OperatorFault(
      'input-unreadable',
      `${path === '-' ? 'standard input' : path} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      { path },
      cause,
    );
  }
}
