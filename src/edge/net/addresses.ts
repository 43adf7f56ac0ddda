/** Where a host name leads, as this host resolves it. */
import { lookup } from 'node:dns/promises';

/** Every address, once; an IP address as itself; empty: it does not resolve. */
export async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    const found = await lookup(host, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) return [];
    throw cause;
  }
}
