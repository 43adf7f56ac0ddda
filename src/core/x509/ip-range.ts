/** Address ranges of name constraints (RFC 5280 §4.2.1.10): address and mask, 8 or 32 octets. */
import { concatBytes } from '../bytes/compare.ts';
import { formatIpAddress, type IpAddress, ipAddressOctets, parseIpAddress } from './ip-address.ts';

/** "10.0.0.0/8", "fd00::/8", "10.0.0.0/255.0.255.0", or one address → octets, or null. Bits outside the mask must be 0. */
export function parseIpRange(text: string): Uint8Array | null {
  const [addressText = '', lengthText, ...rest] = text.split('/');
  const address = parseIpAddress(addressText);
  if (address === null || rest.length > 0) return null;
  const octets = ipAddressOctets(address);
  const mask = maskOf(lengthText ?? String(octets.byteLength * 8), octets.byteLength);
  if (mask === null || octets.some((octet, i) => (octet & ~(mask[i] ?? 0)) !== 0)) return null;
  return concatBytes(octets, mask);
}

function maskOf(text: string, byteLength: number): Uint8Array | null {
  if (!/^(?:0|[1-9]\d{0,2})$/.test(text)) {
    const mask = parseIpAddress(text);
    const octets = mask && ipAddressOctets(mask);
    return octets?.byteLength === byteLength ? octets : null;
  }
  const bits = Number(text);
  if (bits > byteLength * 8) return null;
  return Uint8Array.from({ length: byteLength }, (_, i) => 0xff & ~(0xff >> Math.min(8, Math.max(0, bits - i * 8))));
}

/** Octets of a constraint → text; null when there are neither 8 nor 32. */
export function formatIpRange(octets: Uint8Array): string | null {
  if (octets.byteLength !== 8 && octets.byteLength !== 32) return null;
  const half = octets.byteLength / 2;
  const mask = octets.subarray(half);
  const bits = [...mask].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  const suffix = /^1*0*$/.test(bits) ? String(bits.lastIndexOf('1') + 1) : formatIpAddress(mask);
  return `${formatIpAddress(octets.subarray(0, half))}/${suffix}`;
}

/** Whether an address lies in a range; null when the range cannot be read. Families never contain each other. */
export function ipRangeContains(range: string, address: IpAddress): boolean | null {
  const octets = parseIpRange(range) ?? looseRange(range);
  if (octets === null) return null;
  const wanted = ipAddressOctets(address);
  const half = octets.byteLength / 2;
  if (wanted.byteLength !== half) return false;
  return wanted.every((octet, i) => ((octet ^ (octets[i] ?? 0)) & (octets[half + i] ?? 0)) === 0);
}

/** Certificates of others carry ranges with bits outside the mask; these do not count. */
function looseRange(range: string): Uint8Array | null {
  const [addressText = '', maskText = ''] = range.split('/');
  const address = parseIpAddress(addressText);
  const octets = address && ipAddressOctets(address);
  const mask = octets && maskOf(maskText, octets.byteLength);
  return octets && mask ? concatBytes(octets, mask) : null;
}
