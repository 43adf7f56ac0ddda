/**
 * What is probed, as people write it: "host:port", or the URL of a client. Nothing is resolved here, and nothing is
 * connected to. A password in a URL is left out of everything that is kept.
 */
import type { HostPort } from '../stack/stack.ts';
import { parseIpAddress } from '../x509/ip-address.ts';
import type { Protocol, StarttlsWord } from './protocol.ts';

export interface Target {
  /** As it was given, but for a password. */
  readonly text: string;
  readonly protocol: Protocol;
  /** A DNS name (A-labels, lower case) or an IP address, without brackets. */
  readonly host: string;
  /** Of a link-local address: the interface, such as "eth0" (RFC 4007 §11). */
  readonly zone?: string;
  readonly port: number;
  /** null: "host:port". */
  readonly url: TargetUrl | null;
}

/** What the URL says besides where: its driver reads it, and `diagnose` judges it. */
export interface TargetUrl {
  /** In lower case, without the driver: "postgresql". */
  readonly scheme: string;
  /** "asyncpg" of "postgresql+asyncpg"; null: none is named. */
  readonly driver: string | null;
  readonly user: string | null;
  /** With its slash; of a database its name. */
  readonly path: string;
  /** In order, decoded, without secrets; a name may come twice. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

export type TargetResult =
  | { readonly kind: 'target'; readonly target: Target }
  /** A path by which an ACME server looks for a token: `diagnose` takes it. */
  | { readonly kind: 'http-01'; readonly text: string; readonly host: string; readonly port: number }
  | { readonly kind: 'refused'; readonly why: string };

interface SchemeRow {
  readonly protocol: Protocol;
  readonly port: number;
  /** SQLAlchemy's "postgresql+asyncpg" and the like. */
  readonly takesDriver?: true;
}

/** smtps, imaps and ldaps are TLS from the first byte; what they speak inside is not needed. */
const SCHEMES: Readonly<Record<string, SchemeRow>> = {
  https: { protocol: 'https', port: 443 },
  http: { protocol: 'https', port: 80 },
  postgres: { protocol: 'postgres', port: 5432, takesDriver: true },
  postgresql: { protocol: 'postgres', port: 5432, takesDriver: true },
  mysql: { protocol: 'mysql', port: 3306, takesDriver: true },
  mariadb: { protocol: 'mysql', port: 3306, takesDriver: true },
  redis: { protocol: 'redis', port: 6379 },
  rediss: { protocol: 'redis', port: 6379 },
  smtp: { protocol: 'smtp', port: 25 },
  smtps: { protocol: 'tls', port: 465 },
  imap: { protocol: 'imap', port: 143 },
  imaps: { protocol: 'tls', port: 993 },
  ldap: { protocol: 'ldap', port: 389 },
  ldaps: { protocol: 'tls', port: 636 },
};

/** Of "host:port" without --starttls. Every other port is TLS from the first byte. */
const WELL_KNOWN_PORTS: Readonly<Record<number, Protocol>> = {
  21: 'ftp',
  24: 'lmtp',
  25: 'smtp',
  110: 'pop3',
  143: 'imap',
  389: 'ldap',
  443: 'https',
  587: 'smtp',
  2525: 'smtp',
  3268: 'ldap',
  3306: 'mysql',
  5222: 'xmpp',
  5432: 'postgres',
  6379: 'redis',
  6380: 'redis',
  6432: 'postgres',
  8443: 'https',
};

const HOST = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*\.?$/;

/** @param starttls of --starttls, for "host:port" only */
export function parseTarget(text: string, starttls: StarttlsWord | null): TargetResult {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return parseUrl(text, starttls);
  const [, v6, name, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const where = v6 !== undefined ? zoned(v6) : name !== undefined ? { host: asciiHost(name) } : null;
  if (where === null) {
    const hint = parseIpAddress(text) || /^[0-9a-f:]+:\d+$/i.test(text) ? 'an IPv6 address stands in brackets' : '';
    return refused(text, hint || 'write host:port or a URL such as https://www.example.org');
  }
  const port = digits === undefined ? portOf(starttls) : Number(digits);
  if (port === null) return refused(text, `a port is missing: ${text}:443`);
  if (!isHost(where.host, v6 !== undefined) || !isPort(port)) return refused(text, 'the host or the port cannot be');
  const protocol = starttls ?? WELL_KNOWN_PORTS[port] ?? 'tls';
  return { kind: 'target', target: { text, protocol, ...where, port, url: null } };
}

function parseUrl(text: string, starttls: StarttlsWord | null): TargetResult {
  const shown = withoutPassword(text);
  if (starttls !== null) return refused(shown, '--starttls is for host:port; a URL says itself what is spoken');
  // JDBC and several hosts are not URLs; the first would be a guess.
  const parsed = URL.parse(text);
  if (parsed === null)
    return refused(
      shown,
      ZONE.test(text) ? 'a zone is written in [address%zone]:port only' : 'it is no URL with one host',
    );
  const [scheme = '', driver = null] = parsed.protocol.slice(0, -1).toLowerCase().split('+');
  const isV6 = parsed.hostname.startsWith('[');
  // Of schemes that it does not know, URL leaves the host as it was written.
  const host = isV6 ? parsed.hostname.slice(1, -1) : asciiHost(decoded(parsed.hostname));
  if (host === '') return refused(shown, 'it names no host');
  if (!isHost(host, isV6)) return refused(shown, 'its host cannot be');
  if (scheme === 'http-01') {
    const port = parsed.port === '' ? 80 : Number(parsed.port);
    return isPort(port) ? { kind: 'http-01', text, host, port } : refused(shown, 'its port cannot be');
  }
  const row = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined;
  if (!row || (driver !== null && !row.takesDriver))
    return refused(shown, `${parsed.protocol}// is not known; ${Object.keys(SCHEMES).join(', ')} are`);
  const port = parsed.port === '' ? row.port : Number(parsed.port);
  if (!isPort(port)) return refused(shown, 'its port cannot be');
  const user = parsed.username === '' ? null : decoded(parsed.username);
  const parameters = [...parsed.searchParams.entries()].filter(([name]) => !SECRETS.includes(name.toLowerCase()));
  const url = { scheme, driver, user, path: parsed.pathname, parameters };
  return { kind: 'target', target: { text: shown, protocol: row.protocol, host, port, url } };
}

function portOf(starttls: StarttlsWord | null): number | null {
  if (starttls === null) return null;
  const found = Object.entries(WELL_KNOWN_PORTS).find(([, protocol]) => protocol === starttls);
  return found ? Number(found[0]) : null;
}

function refused(text: string, why: string): TargetResult {
  return { kind: 'refused', why: `${JSON.stringify(text)} is no target: ${why}` };
}

const ZONE = /\[[0-9a-f:.]+%/i;

/** "fe80::1%eth0" → its address, in one spelling, and its zone. */
function zoned(v6: string): { readonly host: string; readonly zone?: string } {
  const [, address = v6, zone] = /^([^%]*)%([A-Za-z0-9._~-]{1,64})$/.exec(v6) ?? [];
  return { host: parseIpAddress(address) ?? address, ...(zone !== undefined && { zone }) };
}

/** As DNS, SNI and certificates have it: in lower case, other scripts as A-labels (UTS #46). Of what cannot be a name: itself. */
export function asciiHost(host: string): string {
  const isAscii = /^[\x21-\x7e]*$/.test(host);
  if (isAscii || /[\s/?#@:\\[\]%]/.test(host)) return host.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return URL.parse(`http://${host}`)?.hostname ?? host;
}

function isHost(host: string, isV6: boolean): boolean {
  return isV6 ? host.includes(':') && parseIpAddress(host) !== null : HOST.test(host);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}

/** Also of what is no URL: a password must not come back in the words of a refusal. */
export function withoutPassword(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#@:]*):[^/?#]*@/i, '$1:***@').replace(PASSWORD_PARAMETER, '$1***');
}

const SECRETS = ['password', 'sslpassword', 'passwd', 'pwd'];
const PASSWORD_PARAMETER = new RegExp(`([?&](?:${SECRETS.join('|')})=)[^&#]*`, 'gi');

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray percent sign is a part of the name.
    return text;
  }
}

/** Of a database's URL; null: it names none. */
export function databaseOf(url: TargetUrl | null): string | null {
  const name = url?.path.replace(/^\//, '') ?? '';
  return name === '' || name.includes('/') ? null : decoded(name);
}

/** As whom the client of this URL logs in, and where to. */
export function loginOf(url: TargetUrl | null): { readonly user?: string; readonly database?: string } {
  const database = databaseOf(url);
  return { ...(url?.user != null && { user: url.user }), ...(database !== null && { database }) };
}

/** What a certificate must be for: without the dot that ends an absolute name. */
export function nameOf({ host }: Pick<Target, 'host'>): string {
  return host.replace(/\.$/, '');
}

/** RFC 6066 §3: never an address. */
export function sniOf(host: string): string | null {
  return parseIpAddress(host) === null ? nameOf({ host }) : null;
}

/** Where a connection goes. */
export function dialOf({ host, zone, port }: Target): HostPort {
  return { host: zone === undefined ? host : `${host}%${zone}`, port };
}
