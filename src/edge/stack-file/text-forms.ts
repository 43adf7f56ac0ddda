/** The forms of text in a stack file: how each is read, and how its JSON Schema describes it. */
import { dirname, resolve } from 'node:path';
import { type Hex, parseHex } from '../../core/bytes/hex.ts';
import { generalNameFromText } from '../../core/issuance/requested-names.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import { parseDurationSeconds } from '../../core/time/duration.ts';
import { parseDnsName } from '../../core/x509/dns-name.ts';
import type { GeneralName } from '../../core/x509/general-name.ts';
import { parseIpAddress } from '../../core/x509/ip-address.ts';
import type { Shape } from './shape.ts';
import { quoted } from './stack-problem.ts';
import { type Flaw, text } from './text-shape.ts';

/** Where relative paths of a file start. */
export function directoryOf(path: string): string {
  return dirname(resolve(path));
}

export const plainText: Shape<string> = text({ wanted: 'text', read: (written) => ({ value: written }) });

export const shellCommand: Shape<string> = text({
  wanted: 'a shell command such as "systemctl reload app"',
  read: (written) => ({ value: written }),
});

export const duration: Shape<number> = text({
  wanted: 'a duration such as 24h, 90d or 1h30m',
  schema: { pattern: '^(?:[0-9]{1,9}[smhdwy])+$', examples: ['24h', '7d', '90d'] },
  unquoted: 'a duration needs a unit, such as 24h, 90d or 1h30m',
  read(written) {
    const value = parseDurationSeconds(written);
    return value === null ? { flaw: `${quoted(written)} is no duration; write 24h, 90d or 1h30m` } : { value };
  },
});

// --- Paths

const PATH_SCHEMA = { pattern: '^[^~]' };

function readPath(written: string, directory: string): { readonly value: string } | Flaw {
  // What a shell does with "~" is not done here, and a directory of that name is not what anybody means.
  if (written.startsWith('~'))
    return { flaw: 'a path here begins with "/", or at the directory of this file; "~" is only known to shells' };
  return { value: resolve(directory, written) };
}

export const filePath: Shape<string> = pathOf('a path');
export const directoryPath: Shape<string> = pathOf('the path of a directory');
export const programPath: Shape<string> = pathOf('the path of a program');

function pathOf(wanted: string): Shape<string> {
  return text({ wanted, schema: PATH_SCHEMA, read: (written, { directory }) => readPath(written, directory) });
}

/** People write the secret where its file belongs, so nothing of the value is ever shown. */
export const secretFilePath: Shape<string> = text({
  wanted: 'the path of a file that holds the secret, never the secret itself',
  schema: PATH_SCHEMA,
  besideSecret: true,
  read(written, { directory }) {
    if (/^ey[\w-]+\.[\w-]+\.[\w-]*$|^[A-Za-z0-9+/]{16,}={1,2}$/.test(written))
      return { flaw: 'this is the secret itself; wanted the path of a file that holds it' };
    return readPath(written, directory);
  },
});

/** Octal, and in quotes: YAML reads 0640 as six hundred and forty. */
export const fileMode: Shape<string> = text({
  wanted: 'a file mode in quotes, such as "0640"',
  schema: { pattern: '^0?[0-7]{3}$', examples: ['0640', '0600'] },
  unquoted: 'a file mode needs quotes, as in "0640"; without them it is another number',
  read: (written) =>
    /^0?[0-7]{3}$/.test(written)
      ? { value: written.padStart(4, '0') }
      : { flaw: `${quoted(written)} is no file mode; write three octal digits after a 0, such as "0640"` },
});

// --- Names

const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const NAME_PATTERNS = [
  `(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*`,
  '[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*',
  '[A-Za-z][A-Za-z0-9+.-]*://\\S+',
] as const;

/** What a server answers to. */
export const serverName: Shape<GeneralName> = text({
  wanted: 'a DNS name or an IP address',
  schema: { maxLength: 1024, pattern: `^(?:${NAME_PATTERNS.join('|')})$` },
  read: (written) => readName(written, ['dns', 'ip', 'uri']),
});

/** In lower case and without a dot at the end. Labels may begin with an underscore, and a zone is no wildcard. */
export const dnsZone: Shape<string> = text({
  wanted: 'a name in DNS, such as example.test',
  schema: { maxLength: 254, pattern: '^(?:[A-Za-z0-9_-]{1,63}\\.)*[A-Za-z0-9_-]{1,63}\\.?$' },
  read: (written) =>
    /^(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?$/.test(written) && written.length <= 254
      ? { value: written.toLowerCase().replace(/\.$/, '') }
      : { flaw: `${quoted(written)} is no name in DNS` },
});

/** What a client is called: as a server, or by e-mail address. */
export const clientName: Shape<GeneralName> = text({
  wanted: 'a name: DNS, IP address, URI or e-mail address',
  schema: { maxLength: 1024, pattern: `^(?:${[...NAME_PATTERNS, '[^\\s@]+@[^\\s@]+'].join('|')})$` },
  read: (written) => readName(written, ['dns', 'ip', 'uri', 'email']),
});

function readName(written: string, kinds: readonly GeneralName['kind'][]): { readonly value: GeneralName } | Flaw {
  const name = generalNameFromText(written);
  if (name?.kind === 'uri' && /^https?:/i.test(written))
    return { flaw: `${quoted(written)} is a web address; write its name alone` };
  if (name !== null && kinds.includes(name.kind) && written.length <= 1024) return { value: name };
  if (name?.kind === 'email')
    return { flaw: `${quoted(written)} is an e-mail address; wanted a DNS name or an IP address` };
  const hosted = /^(.+):\d+$/.exec(written)?.[1];
  if (hosted !== undefined && generalNameFromText(hosted) !== null)
    return { flaw: `${quoted(written)} has a port; names are without`, nearest: hosted };
  if (written.includes('_'))
    return { flaw: `${quoted(written)} has an underscore, which no DNS name in a certificate may have` };
  if (written.endsWith('.')) return { flaw: `${quoted(written)} ends with a dot; leave the dot out` };
  return { flaw: `${quoted(written)} is neither a DNS name nor an IP address` };
}

/** Whom a service lets in: a database user, a name in a certificate. Nothing that configuration files would have to quote. */
export const principal: Shape<string> = text({
  wanted: 'the name of a client or user',
  schema: { pattern: '^[A-Za-z0-9_][A-Za-z0-9_.@:/-]{0,254}$' },
  read: (written) =>
    /^[A-Za-z0-9_][A-Za-z0-9_.@:/-]{0,254}$/.test(written)
      ? { value: written }
      : { flaw: `${quoted(written)} is no name of a client; letters, digits and _ . @ : / - are allowed` },
});

const USER = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}';

export const userName: Shape<string> = text({
  wanted: 'the name of a user of this host',
  schema: { pattern: `^${USER}$` },
  read: (written) =>
    new RegExp(`^${USER}$`).test(written) ? { value: written } : { flaw: `${quoted(written)} is no name of a user` },
});

export const fileOwner: Shape<string> = text({
  wanted: 'an owner as user or user:group',
  schema: { pattern: `^${USER}(?::${USER})?$` },
  read: (written) =>
    new RegExp(`^${USER}(?::${USER})?$`).test(written)
      ? { value: written }
      : { flaw: `${quoted(written)} is no owner; write user or user:group` },
});

export const emailAddress: Shape<string> = text({
  wanted: 'an e-mail address',
  schema: { pattern: '^(?!mailto:)[^\\s@]+@[^\\s@]+$' },
  read(written) {
    if (/^mailto:/i.test(written))
      return { flaw: 'write the e-mail address without "mailto:"', nearest: written.slice('mailto:'.length) };
    return /^[^\s@]+@[^\s@]+$/.test(written) ? { value: written } : { flaw: `${quoted(written)} is no e-mail address` };
  },
});

const FINGERPRINT = '^(?:[0-9A-Fa-f]{2}[:\\s]?){31}[0-9A-Fa-f]{2}$';

/** SHA-256 of a root. */
export const fingerprint: Shape<Hex> = text({
  wanted: 'the SHA-256 of the root in hex, as "fullchain ca status" prints it',
  schema: { pattern: FINGERPRINT },
  read(written) {
    const value = parseHex(written);
    if (value !== null && value.length !== 64)
      return { flaw: `a fingerprint has 64 hex digits (SHA-256), this one ${value.length}` };
    return value !== null && new RegExp(FINGERPRINT).test(written)
      ? { value }
      : { flaw: `${quoted(written)} is no fingerprint: wanted 64 hex digits` };
  },
});

// --- Addresses

/** Where a client connects to: a host is needed, and one that can be connected to. */
export const hostPort: Shape<HostPort> = text({
  wanted: 'an address as host:port, such as 127.0.0.1:5432 or [::1]:5432',
  schema: {
    pattern: '^(?:\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):[0-9]{1,5}$',
    examples: ['127.0.0.1:443', '[::1]:443'],
  },
  unquoted: 'an address needs a host and a port, such as 127.0.0.1:5432',
  read(written) {
    const url = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?([^/?#]*)/i.exec(written);
    if (url) return { flaw: 'an address is host:port, without a scheme or a path', nearest: url[1] || null };
    if (/^:\d+$/.test(written))
      return { flaw: `${quoted(written)} has no host: say where a client connects to`, nearest: `127.0.0.1${written}` };
    const match = /^(?:\[([^\]]*)\]|([^:[\]]+)):(\d{1,5})$/.exec(written);
    if (!match) return addressFlaw(written);
    const [, inBrackets, bare, digits] = match;
    const port = Number(digits);
    if (port < 1 || port > 65535) return { flaw: `${port} is no port number; they go from 1 to 65535` };
    const host = inBrackets === undefined ? hostOf(bare ?? '') : ipv6Of(inBrackets);
    if (host === null && inBrackets !== undefined)
      return { flaw: `brackets are for IPv6 addresses, and ${quoted(inBrackets)} is none` };
    if (host === null) return { flaw: `${quoted(bare ?? '')} is neither a DNS name nor an IP address` };
    if (host === '0.0.0.0' || host === '::')
      return {
        flaw: `${quoted(written)} means every address of a host; say one that a client connects to`,
        nearest: host === '::' ? `[::1]:${port}` : `127.0.0.1:${port}`,
      };
    return { value: { host, port } };
  },
});

function addressFlaw(written: string): Flaw {
  if (parseIpAddress(written)?.includes(':') || /^[0-9a-f]*:[0-9a-f:]*:\d+$/i.test(written))
    return { flaw: `${quoted(written)}: an IPv6 address stands in brackets, as in [::1]:443` };
  if (hostOf(written) !== null) return { flaw: `${quoted(written)} has no port; write host:port` };
  return { flaw: `${quoted(written)} is no address; write host:port, such as 127.0.0.1:5432` };
}

/** Wildcards name no host. */
function hostOf(text: string): string | null {
  const name = parseDnsName(text);
  return parseIpAddress(text) ?? (name?.startsWith('*') ? null : name);
}

function ipv6Of(text: string): string | null {
  return text.includes(':') ? parseIpAddress(text) : null;
}

/** Where something listens: a host may be left out. */
export const listenAddress: Shape<string> = text({
  wanted: 'where to listen, such as ":80" or "127.0.0.1:8080"',
  schema: { pattern: '^(?:\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9.-]*):[0-9]{1,5}$', examples: [':80'] },
  unquoted: 'a port to listen on is text with a colon, as in ":80"',
  read(written) {
    const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(written);
    const [, inBrackets, bare = '', digits] = match ?? [];
    const isHost = inBrackets === undefined ? bare === '' || hostOf(bare) !== null : ipv6Of(inBrackets) !== null;
    const port = Number(digits);
    return match && isHost && port >= 1 && port <= 65535
      ? { value: written }
      : { flaw: `${quoted(written)} is no place to listen; write ":80" or "127.0.0.1:8080"` };
  },
});

// --- Web addresses

export const httpsUrl: Shape<string> = webAddress('an https:// address', ['https:']);
export const webUrl: Shape<string> = webAddress('an http:// or https:// address', ['http:', 'https:']);

function webAddress(wanted: string, schemes: readonly string[]): Shape<string> {
  const bare = schemes.map((scheme) => scheme.slice(0, -1)).join('|');
  return text({
    wanted,
    schema: { pattern: `^(?:${bare})://[^\\s/@?#]+(?:[/?][^\\s#]*)?$` },
    read(written) {
      const url = URL.canParse(written) ? new URL(written) : null;
      if (url && (url.username !== '' || url.password !== ''))
        return { flaw: 'no user and no password in an address: this file is no place for secrets' };
      if (!url || !/^[a-z]+:\/\/[^\s/?#]+(?:[/?][^\s#]*)?$/.test(written))
        return { flaw: `${quoted(written)} is not ${wanted}` };
      if (schemes.includes(url.protocol)) return { value: written };
      return { flaw: `${quoted(written)} is not ${wanted}` };
    },
  });
}
