/** Whether a certificate is for the host that was asked for (RFC 9525 §6). */
import type { TbsCertificate } from './certificate.ts';
import { lowerCaseAscii } from './dns-name.ts';
import { formatGeneralName } from './general-name.ts';
import { parseIpAddress } from './ip-address.ts';
import { commonNames } from './name.ts';
import { subjectAltNames } from './subject-alt-name.ts';

/** How many names a message lists. */
const LISTED = 10;

/**
 * Why the certificate is not for this host, in words, or null when it is. `reference` is a DNS name or an IP
 * address (IPv6 with or without brackets). The common name is never looked at (RFC 9525 §2, §6.3).
 */
export function nameMismatch(certificate: TbsCertificate, reference: string): string | null {
  const names = subjectAltNames(certificate);
  const address = parseIpAddress(reference.replace(/^\[(.*)\]$/, '$1'));
  const host = lowerCaseAscii(reference).replace(/\.$/, '');
  const matches = names.some((name) => {
    if (name.kind === 'ip') return name.value === address;
    // §6.5: an IP address is compared with iPAddress entries only.
    return name.kind === 'dns' && address === null && matchesDnsName(lowerCaseAscii(name.value), host);
  });
  return matches ? null : describeMismatch(certificate, reference);
}

/**
 * §6.3: label by label, without regard to case; "*" stands for exactly one whole left-most label. Below a single
 * label ("*.internal") it stands for nothing, because OpenSSL and Node.js do not accept it there.
 */
function matchesDnsName(presented: string, host: string): boolean {
  if (host === '' || host.includes('*')) return false;
  if (!presented.startsWith('*.')) return presented === host;
  const base = presented.slice(2);
  const dot = host.indexOf('.');
  return base.includes('.') && !base.includes('*') && dot > 0 && host.slice(dot + 1) === base;
}

function describeMismatch(certificate: TbsCertificate, reference: string): string {
  const names = subjectAltNames(certificate);
  const [commonName] = commonNames(certificate.subject);
  if (names.length === 0) {
    const legacy = commonName === undefined ? '' : ` (its common name ${JSON.stringify(commonName)} does not count)`;
    return `the certificate has no subjectAltName, so it is not valid for ${reference}${legacy}`;
  }
  const shown = names.slice(0, LISTED).map(formatGeneralName).join(', ');
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  return `the certificate is valid for ${shown}${more}, not for ${reference}`;
}
