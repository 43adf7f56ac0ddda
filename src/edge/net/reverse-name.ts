/** The reverse-mapping name of an address (RFC 1035 §3.5, RFC 3596 §2.5). */
import { type IpAddress, ipAddressOctets } from '../../core/x509/ip-address.ts';

/** "192.0.2.1" → "1.2.0.192.in-addr.arpa"; IPv6 by nibbles under ip6.arpa. */
export function reverseName(address: IpAddress): string {
  const octets = [...ipAddressOctets(address)].reverse();
  if (octets.length === 4) return `${octets.join('.')}.in-addr.arpa`;
  return `${octets.map((octet) => `${(octet & 15).toString(16)}.${(octet >> 4).toString(16)}`).join('.')}.ip6.arpa`;
}
