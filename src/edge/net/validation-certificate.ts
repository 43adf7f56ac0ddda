/** Whether a certificate answers a tls-alpn-01 challenge (RFC 8737 §3, RFC 8738 §6). No I/O. */
import { DerError } from '../../core/asn1/der-reader.ts';
import { bytesEqual } from '../../core/bytes/compare.ts';
import { hexFromBytes } from '../../core/bytes/hex.ts';
import { sha256 } from '../../core/crypto/digest.ts';
import { ACME_IDENTIFIER, acmeIdentifier } from '../../core/x509/acme-identifier.ts';
import {
  type Certificate,
  isSelfIssued,
  parseCertificate,
  verifyCertificateSignature,
} from '../../core/x509/certificate.ts';
import { findExtension } from '../../core/x509/extension.ts';
import { formatGeneralName, type GeneralName, generalNamesEqual } from '../../core/x509/general-name.ts';
import { parseIpAddress } from '../../core/x509/ip-address.ts';
import { subjectAltNames } from '../../core/x509/subject-alt-name.ts';
import type { ChallengeTarget } from '../../flow/ca/validation-ports.ts';
import { excerpt } from './outcome.ts';

/** Of the drafts before RFC 8737, which clients used until 2018. */
const OBSOLETE_OID = '1.3.6.1.5.5.7.1.30.1';
const SHOWN = 3;

/** What is wrong with the certificate, as a clause with the server as its subject; null when nothing is. */
export function checkValidationCertificate(der: Uint8Array, target: ChallengeTarget): string | null {
  try {
    const certificate = parseCertificate(der);
    return checkNames(certificate, target) ?? checkDigest(certificate, target) ?? checkSelfSigned(certificate);
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    return `showed a certificate that cannot be read: ${cause.message}`;
  }
}

/** RFC 8737 §3: the subjectAltName has the name being validated and no other entry; RFC 8738 §6: or the address. */
function checkNames(certificate: Certificate, target: ChallengeTarget): string | null {
  const names = subjectAltNames(certificate);
  const [name] = names;
  if (name && names.length === 1 && generalNamesEqual(name, wantedName(target))) return null;
  const found =
    names
      .slice(0, SHOWN)
      .map((one) => excerpt(formatGeneralName(one)))
      .join(', ') || 'no name at all';
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `showed a certificate whose subjectAltName has ${found}${more} (wanted ${target.value} and nothing else)`;
}

function wantedName(target: ChallengeTarget): GeneralName {
  const address = target.identifierType === 'ip' ? parseIpAddress(target.value) : null;
  return address ? { kind: 'ip', value: address } : { kind: 'dns', value: target.value };
}

/** RFC 8737 §3: the acmeIdentifier extension is critical and has the SHA-256 of the key authorization. */
function checkDigest(certificate: Certificate, target: ChallengeTarget): string | null {
  const wanted = sha256(Buffer.from(target.keyAuthorization, 'latin1'));
  const found = acmeIdentifier(certificate);
  if (found === null) {
    const isObsolete = certificate.extensions.some((extension) => extension.oid === OBSOLETE_OID);
    const instead = isObsolete ? `the obsolete extension ${OBSOLETE_OID}` : 'no acmeIdentifier extension';
    return `showed a certificate with ${instead} (wanted ${ACME_IDENTIFIER.oid})`;
  }
  if (!findExtension(certificate, ACME_IDENTIFIER)?.critical) {
    return 'showed a certificate whose acmeIdentifier extension is not critical (RFC 8737 §3 wants it to be)';
  }
  if (bytesEqual(found, wanted)) return null;
  return `showed a certificate whose acmeIdentifier is ${hexFromBytes(found)} (wanted ${hexFromBytes(wanted)}, the digest of the key authorization)`;
}

/** RFC 8737 §3: "constructing a self-signed certificate". */
function checkSelfSigned(certificate: Certificate): string | null {
  if (isSelfIssued(certificate) && verifyCertificateSignature(certificate, certificate)) return null;
  return 'showed a certificate that is not signed by its own key (RFC 8737 §3 wants a self-signed one)';
}
