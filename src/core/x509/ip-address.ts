/** IP addresses as text and octets: one canonical spelling each (RFC 5952; RFC 6943 explains why it matters). */

/** Canonical text: "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1". */
export type IpAddress = string & { readonly __brand: 'IpAddress' };

/** Text → canonical address, or null. Octets with leading zeros, zones and port numbers are refused. */
export function parseIpAddress(text: string): IpAddress | null {
  const octets = text.includes(':') ? octetsOfIpv6(text) : octetsOfIpv4(text);
  return octets && formatIpAddress(octets);
}

/** Octets of a canonical address: 4 or 16. */
export function ipAddressOctets(address: IpAddress): Uint8Array {
  const octets = address.includes(':') ? octetsOfIpv6(address) : octetsOfIpv4(address);
  if (octets === null) throw new TypeError(`not an address: ${address}`);
  return octets;
}

/** 4 or 16 octets → canonical text; null for any other length. */
export function formatIpAddress(octets: Uint8Array): IpAddress | null {
  if (octets.byteLength === 4) return octets.join('.') as IpAddress;
  if (octets.byteLength !== 16) return null;
  // RFC 5952 §5: addresses that embed IPv4 under a well-known prefix show it.
  if (octets[10] === 0xff && octets[11] === 0xff && octets.subarray(0, 10).every((octet) => octet === 0)) {
    return `::ffff:${octets.subarray(12).join('.')}` as IpAddress;
  }
  const groups = Array.from({ length: 8 }, (_, i) => ((octets[2 * i] ?? 0) << 8) | (octets[2 * i + 1] ?? 0));
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  // RFC 5952 §4.2.2: a single zero group is not shortened; §4.2.3: the first of equally long runs is.
  if (length < 2) return hex.join(':') as IpAddress;
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}` as IpAddress;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  });
  return best;
}

function octetsOfIpv4(text: string): Uint8Array | null {
  if (!/^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text)) return null;
  const octets = text.split('.').map(Number);
  return octets.some((octet) => octet > 255) ? null : Uint8Array.from(octets);
}

function octetsOfIpv6(text: string): Uint8Array | null {
  if (text.length > 45) return null;
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head = '', tail] = halves;
  const left = groupsOf(head, tail === undefined);
  const right = tail === undefined ? [] : groupsOf(tail, true);
  if (left === null || right === null) return null;
  const missing = 8 - left.length - right.length;
  // "::" stands for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...left, ...new Array<number>(missing).fill(0), ...right];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** "1:2:3" → numbers; dotted IPv4 may be the last two groups of the address. */
function groupsOf(text: string, isEnd: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (isEnd && index === parts.length - 1 && part.includes('.')) {
      const octets = octetsOfIpv4(part);
      if (octets === null) return null;
      const [a = 0, b = 0, c = 0, d = 0] = octets;
      groups.push((a << 8) | b, (c << 8) | d);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return null;
    }
  }
  return groups;
}
