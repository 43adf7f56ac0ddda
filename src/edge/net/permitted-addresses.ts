/** Where validation connects to for a host: resolved once, judged by the policy, and from then on pinned. */
import { type AddressPolicy, judgeAddress } from '../../core/acme/address-policy.ts';
import { type IpAddress, parseIpAddress } from '../../core/x509/ip-address.ts';
import { lookUpWithin, type Resolver } from './resolver.ts';

export interface AddressPorts {
  readonly resolver: Resolver;
  readonly policy: AddressPolicy;
}

export type PermittedAddresses =
  /** At least one and at most two of each family, IPv6 first (RFC 8555 §8.3 leaves the choice; RFC 6724 prefers it). */
  | { readonly kind: 'permitted'; readonly addresses: readonly IpAddress[] }
  | { readonly kind: 'refused'; readonly detail: string };

const DNS_LIMIT_MS = 10_000;
const PER_FAMILY = 2;
const SHOWN = 3;

/** Addresses that the policy denies are passed over; a host that has no others is refused. @throws DnsFault */
export async function permittedAddresses(
  host: string,
  ports: AddressPorts,
  signal: AbortSignal,
): Promise<PermittedAddresses> {
  const literal = parseIpAddress(host);
  const found = literal
    ? [literal]
    : await lookUpWithin(DNS_LIMIT_MS, host, signal, (limited) => ports.resolver.resolveAddresses(host, limited));
  const permitted: IpAddress[] = [];
  const denials: string[] = [];
  for (const address of new Set(found)) {
    const verdict = judgeAddress(ports.policy, address);
    if (verdict.kind === 'allowed') permitted.push(address);
    else denials.push(`${address} ${verdict.why}`);
  }
  if (permitted.length > 0) {
    const ipv6 = permitted.filter((address) => address.includes(':')).slice(0, PER_FAMILY);
    const ipv4 = permitted.filter((address) => !address.includes(':')).slice(0, PER_FAMILY);
    return { kind: 'permitted', addresses: [...ipv6, ...ipv4] };
  }
  const more = denials.length > SHOWN ? ` (and ${denials.length - SHOWN} more)` : '';
  return {
    kind: 'refused',
    detail: `${literal ? '' : `${host} has no address that may be reached: `}${denials.slice(0, SHOWN).join('; ')}${more}`,
  };
}
