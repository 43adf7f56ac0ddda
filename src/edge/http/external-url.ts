/**
 * The address under which a client sees this authority. ACME signs URLs, so links must carry the host name that
 * the client used; but only a name that the authority's own certificate covers is echoed, so nobody can have
 * links made to a host of his choice.
 */
import { parseDnsName } from '../../core/x509/dns-name.ts';
import { parseIpAddress } from '../../core/x509/ip-address.ts';

export interface OwnAddress {
  /** DNS names and IP addresses (canonical text) of the authority's own certificate. */
  readonly names: ReadonlySet<string>;
  /** "https://host:port" for requests with a Host that is not ours. */
  readonly defaultBase: string;
}

/** @param host the Host header as received, or undefined */
export function externalBase(host: string | undefined, own: OwnAddress): string {
  const authority = host === undefined ? null : parseAuthority(host);
  return authority !== null && own.names.has(authority.name) ? `https://${authority.text}` : own.defaultBase;
}

/** Whether a URL (of a token's audience) is one of our paths on one of our names. */
export function isOwnUrl(url: string, own: OwnAddress, paths: readonly string[]): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host, pathname } = new URL(url);
  const authority = parseAuthority(host);
  return protocol === 'https:' && authority !== null && own.names.has(authority.name) && paths.includes(pathname);
}

/** RFC 3986 §3.2 host and port, without user information; null when it is not clean. */
function parseAuthority(text: string): { readonly name: string; readonly text: string } | null {
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9.-]{1,253}))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return null;
  const [, v6, nameOrV4 = '', port] = match;
  if (port !== undefined && Number(port) > 65535) return null;
  const name = v6 === undefined ? (parseIpAddress(nameOrV4) ?? parseDnsName(nameOrV4)) : parseIpAddress(v6);
  // The text goes back as the client spelled it: it is what the client signs.
  return name === null ? null : { name, text };
}
