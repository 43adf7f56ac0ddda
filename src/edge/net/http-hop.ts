/** Where http-01 looks: the place of RFC 8555 §8.3, and the places that redirects may lead to. */
import { parseIpAddress } from '../../core/x509/ip-address.ts';
import type { ChallengeTarget } from '../../flow/ca/validation-ports.ts';
import { isHostName } from './check-target.ts';

export interface Hop {
  readonly isSecure: boolean;
  /** A host name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** A redirect led here. */
  readonly isRedirected: boolean;
  /** Path and query. */
  readonly path: string;
  /** How messages name it. What a redirect wrote after the host is not repeated: it may carry secrets. */
  readonly shown: string;
}

export function firstHop(target: ChallengeTarget, port: number): Hop {
  const path = `/.well-known/acme-challenge/${target.token}`;
  return { isSecure: false, host: target.value, port, isRedirected: false, path, shown: path };
}

/** RFC 9110 §15.4: those that name another place for the same GET. */
export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/** A Location → the next hop, or why it is not followed: a clause with the redirecting server as its subject. */
export function nextHop(
  from: Hop,
  location: string | null,
  ports: ReadonlySet<number>,
): Hop | { readonly why: string } {
  if (location === null) return { why: 'named no place to go to (no Location header)' };
  const base = `${from.isSecure ? 'https' : 'http'}://${hostHeader(from)}${from.path}`;
  const url = URL.parse(location, base);
  if (url === null) return { why: 'redirected to something that is not a URL' };
  const isSecure = url.protocol === 'https:';
  if (!isSecure && url.protocol !== 'http:') {
    return { why: `redirected to a ${url.protocol.slice(0, 20)} URL, a scheme that validation does not follow` };
  }
  const shown = `${url.protocol}//${url.host.slice(0, 260)}/${url.pathname === from.path ? from.path.slice(1) : '…'}`;
  if (url.username !== '' || url.password !== '') {
    return { why: `redirected to ${shown} with credentials in the URL, which validation does not use` };
  }
  if (url.hostname.endsWith('.well-known')) {
    return { why: `redirected to ${shown}: the redirect lacks the slash between the host name and the path` };
  }
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  if (!ports.has(port)) return { why: `redirected to ${shown}, a port that validation does not follow` };
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (parseIpAddress(host) === null && !isHostName(host))
    return { why: `redirected to ${shown}, which is not a host name` };
  return { isSecure, host, port, isRedirected: true, path: url.pathname + url.search, shown };
}

/** RFC 9110 §7.2: the port unless it is the scheme's own; RFC 3986 §3.2.2: IPv6 in brackets. */
export function hostHeader({ isSecure, host, port }: Hop): string {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return port === (isSecure ? 443 : 80) ? bracketed : `${bracketed}:${port}`;
}

/** Equal for hops that would get the same answer. */
export function hopKey({ isSecure, host, port, path }: Hop): string {
  return JSON.stringify([isSecure, host, port, path]);
}
