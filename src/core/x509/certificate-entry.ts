import { formatRfc3339 } from '../time/instant.ts';
import type { Certificate } from './certificate.ts';
import { formatName } from './name.ts';
import { describeKey } from './public-key.ts';

/** A certificate of a chain, as documents for programs list it. Times as RFC 3339. */
export function certificateEntry(certificate: Certificate) {
  return {
    subject: formatName(certificate.subject),
    issuer: formatName(certificate.issuer),
    serial: certificate.serial,
    notBefore: formatRfc3339(certificate.validity.notBefore),
    notAfter: formatRfc3339(certificate.validity.notAfter),
    fingerprint: certificate.fingerprint,
    key: describeKey(certificate.publicKey),
  };
}
