/**
 * Which addresses validation may connect to (RFC 8555 §10.4: the authority makes requests that strangers choose).
 *
 * An internal authority must reach private and loopback addresses, so these are allowed unless the configuration
 * says otherwise. What can never be a validation target is refused whatever the configuration says: cloud metadata
 * services hand out credentials to anyone on the host, and the rest names no single host. IPv6 addresses that carry
 * an IPv4 one (mapped, NAT64, 6to4) are judged by both.
 */
import { formatIpAddress, type IpAddress, ipAddressOctets, parseIpAddress } from '../x509/ip-address.ts';
import { parseIpRange } from '../x509/ip-range.ts';

export interface AddressPolicy {
  /** When not empty, only these are reached. */
  readonly allow: readonly AddressRange[];
  readonly deny: readonly AddressRange[];
}

export interface AddressRange {
  /** As it was written, for messages. */
  readonly text: string;
  /** Address and mask: 8 or 32 octets. */
  readonly octets: Uint8Array;
}

/** `why` is a clause that follows the address: "169.254.169.254 is …". */
export type AddressVerdict = { readonly kind: 'allowed' } | { readonly kind: 'denied'; readonly why: string };

/** A configured range that cannot be read. */
export class AddressRangeError extends Error {
  readonly code = 'address-range-malformed';
  readonly text: string;
  constructor(text: string) {
    super(
      `${JSON.stringify(text)} is not an address range; write "10.0.0.0/8" or "fd00::/8", without bits outside the mask`,
    );
    this.name = 'AddressRangeError';
    this.text = text;
  }
}

/**
 * CIDR texts (or single addresses) → policy.
 *
 * @throws AddressRangeError naming the first that is not one
 */
export function addressPolicy(configured: {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}): AddressPolicy {
  return { allow: configured.allow.map(addressRange), deny: configured.deny.map(addressRange) };
}

function addressRange(text: string): AddressRange {
  const octets = parseIpRange(text);
  if (octets === null) throw new AddressRangeError(text);
  return { text, octets };
}

/** Never reached, whatever is configured. */
const NEVER: readonly (AddressRange & { readonly what: string })[] = [
  ['0.0.0.0/8', 'the unspecified network'],
  ['169.254.0.0/16', 'link-local, where clouds serve credentials'],
  ['100.100.100.200', 'the metadata service of a cloud'],
  ['168.63.129.16', 'the metadata service of a cloud'],
  ['192.0.0.192', 'the metadata service of a cloud'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'the unspecified address'],
  ['fe80::/10', 'link-local'],
  ['fd00:ec2::254', 'the metadata service of a cloud'],
  ['fd20:ce::254', 'the metadata service of a cloud'],
  ['ff00::/8', 'multicast'],
].map(([text = '', what = '']) => ({ ...addressRange(text), what }));

export function judgeAddress(policy: AddressPolicy, address: IpAddress): AddressVerdict {
  // "::ffff:10.0.0.1" is how a socket spells 10.0.0.1, so it is judged as that and not as an IPv6 address.
  const itself = mappedIpv4(address) ?? address;
  const judged = new Set([address, itself, ...embeddedIpv4(itself)]);
  for (const one of judged) {
    const carried = one === address ? '' : `carries ${one}, which `;
    const never = NEVER.find((range) => contains(range, one));
    if (never) return { kind: 'denied', why: `${carried}is ${never.what}; validation never goes there` };
    const denied = policy.deny.find((range) => contains(range, one));
    if (denied)
      return { kind: 'denied', why: `${carried}is in ${denied.text}, which this authority's configuration denies` };
  }
  if (policy.allow.length > 0 && !policy.allow.some((range) => contains(range, itself))) {
    return { kind: 'denied', why: "is in none of the ranges that this authority's configuration allows" };
  }
  return { kind: 'allowed' };
}

function contains({ octets }: AddressRange, address: IpAddress): boolean {
  const wanted = ipAddressOctets(address);
  const half = octets.byteLength / 2;
  if (wanted.byteLength !== half) return false;
  return wanted.every((octet, i) => ((octet ^ (octets[i] ?? 0)) & (octets[half + i] ?? 0)) === 0);
}

function mappedIpv4(address: IpAddress): IpAddress | null {
  return address.startsWith('::ffff:') && address.includes('.')
    ? parseIpAddress(address.slice('::ffff:'.length))
    : null;
}

type Layout = readonly [number, number, number, number];
const LAST_FOUR: Layout = [12, 13, 14, 15];

/** Where an IPv6 address of these prefixes may have the octets of an IPv4 one. */
const EMBEDDINGS: readonly (AddressRange & { readonly layouts: readonly Layout[] })[] = [
  // RFC 4291 §2.5.5.1, deprecated: some stacks still send these as IPv4.
  { ...addressRange('::/96'), layouts: [LAST_FOUR] },
  // RFC 6052 §2.1: NAT64.
  { ...addressRange('64:ff9b::/96'), layouts: [LAST_FOUR] },
  // RFC 8215: NAT64 of a site; RFC 6052 §2.2 has the layout for a /96 and for the whole /48.
  { ...addressRange('64:ff9b:1::/48'), layouts: [LAST_FOUR, [6, 7, 9, 10]] },
  // RFC 3056 §2: 6to4.
  { ...addressRange('2002::/16'), layouts: [[2, 3, 4, 5]] },
];

function embeddedIpv4(address: IpAddress): IpAddress[] {
  // "::1" and "::" are addresses of their own, not 0.0.0.1 and 0.0.0.0.
  if (!address.includes(':') || address === '::1' || address === '::') return [];
  const octets = ipAddressOctets(address);
  const { layouts } = EMBEDDINGS.find((embedding) => contains(embedding, address)) ?? { layouts: [] };
  return layouts
    .map((layout) => Uint8Array.from(layout, (index) => octets[index] ?? 0))
    .filter((ipv4) => layouts.length === 1 || ipv4[0] !== 0) // where two layouts are possible, zeros show the unused one
    .flatMap((ipv4) => formatIpAddress(ipv4) ?? []);
}
