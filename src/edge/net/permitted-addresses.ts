/** Where validation connects to for a host: resolved once, judged by the policy, and from then on pinned. */
import { type AddressPolicy, judgeAddress } from '../../core/acme/address-policy.ts';
import { type IpAddress, parseIpAddress } from '../../core/x509/ip-address.ts';
import { type Invalid, invalid } from './outcome.ts';
import { DnsFault, lookUpWithin, type Resolver } from './resolver.ts';

export interface AddressPorts {
  readonly resolver: Resolver;
  readonly policy: AddressPolicy;
}

export type PermittedAddresses =
  /** At least one and at most two of each family, IPv6 first (RFC 8555 §8.3 leaves the choice; RFC 6724 prefers it). */
  | { readonly kind: 'permitted'; readonly addresses: readonly IpAddress[] }
  /** Nothing was found, or nothing that may be reached. */
  | Invalid;

const DNS_LIMIT_MS = 10_000;
const PER_FAMILY = 2;
const SHOWN = 3;

/** Addresses that the policy denies are passed over; a host that has no others is a rejected identifier. */
export async function permittedAddresses(
  host: string,
  ports: AddressPorts,
  signal: AbortSignal,
): Promise<PermittedAddresses> {
  const literal = parseIpAddress(host);
  const found = literal ? [literal] : await resolve(host, ports.resolver, signal);
  if ('kind' in found) return found;
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
  const subject = literal ? '' : `${host} has no address that may be reached: `;
  return invalid('rejectedIdentifier', `${subject}${denials.slice(0, SHOWN).join('; ')}${more}`);
}

async function resolve(host: string, resolver: Resolver, signal: AbortSignal): Promise<readonly IpAddress[] | Invalid> {
  try {
    return await lookUpWithin(DNS_LIMIT_MS, host, signal, (limited) => resolver.resolveAddresses(host, limited));
  } catch (cause) {
    if (cause instanceof DnsFault) return invalid('dns', cause.message);
    throw cause;
  }
}
