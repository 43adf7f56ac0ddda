/**
 * Names → addresses and TXT records, for validation.
 *
 * Nothing is cached: each lookup has a c-ares channel of its own, whose query cache Node switches off besides, so
 * that a record which the client has just made is not hidden by an earlier negative answer. What the recursive
 * server behind it caches is beyond our reach; name the authoritative ones in the configuration where that matters.
 * Aliases are followed here as well, because the server of one zone answers a CNAME into another with the alias alone.
 */
import { Resolver as DnsChannel, lookup } from 'node:dns/promises';
import { type IpAddress, parseIpAddress } from '../../core/x509/ip-address.ts';
import { DeadlineExceeded, orAborted, withDeadline } from './deadline.ts';

export interface Resolver {
  /** At least one address, in the order of the answer. @throws DnsFault, or the reason of `signal` */
  readonly resolveAddresses: (name: string, signal: AbortSignal) => Promise<readonly IpAddress[]>;
  /** At least one record, each with its character-strings joined. @throws DnsFault, or the reason of `signal` */
  readonly resolveTxt: (name: string, signal: AbortSignal) => Promise<readonly string[]>;
}

/** Why a lookup gave nothing, and how to say it after the name. */
const DNS_FAULTS = {
  nxdomain: 'does not exist in DNS (NXDOMAIN)',
  nodata: 'has no {types} record in DNS (NODATA)',
  servfail: 'could not be looked up: its DNS servers fail (SERVFAIL)',
  refused: 'could not be looked up: the DNS server refused to answer (REFUSED)',
  timeout: 'could not be looked up: no DNS server answered in time',
  unreachable: 'could not be looked up: no DNS server could be reached',
  temporary: 'could not be looked up for now (SERVFAIL, or no answer in time)',
  aliases: 'could not be looked up: its aliases (CNAME) lead on and on',
  malformed: 'could not be looked up: the answer was malformed',
  'unclean-name': 'was not looked up: it is not a host name',
} as const;

export type DnsFaultReason = keyof typeof DNS_FAULTS;

export class DnsFault extends Error {
  readonly code = 'dns-fault';
  readonly reason: DnsFaultReason;
  constructor(reason: DnsFaultReason, question: string, cause?: unknown, types = 'such') {
    super(`${question} ${DNS_FAULTS[reason].replace('{types}', types)}`, { cause });
    this.name = 'DnsFault';
    this.reason = reason;
  }
}

/** A lookup with a limit of its own, which shows as a fault of DNS. @throws DnsFault, or the reason of `signal` */
export async function lookUpWithin<T>(
  limitMs: number,
  name: string,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await withDeadline(signal, limitMs, ask);
  } catch (cause) {
    if (cause instanceof DeadlineExceeded) throw new DnsFault('timeout', name, cause);
    throw cause;
  }
}

/** Codes of node:dns, of c-ares and of getaddrinfo. */
const REASONS: Readonly<Record<string, DnsFaultReason>> = {
  ENOTFOUND: 'nxdomain',
  ENODATA: 'nodata',
  ESERVFAIL: 'servfail',
  EREFUSED: 'refused',
  ETIMEOUT: 'timeout',
  ECONNREFUSED: 'unreachable',
  ENOTIMP: 'refused',
  EBADRESP: 'malformed',
  EFORMERR: 'malformed',
  EBADNAME: 'unclean-name',
  EAI_AGAIN: 'temporary',
  EAI_FAIL: 'servfail',
};

export interface ResolverLimits {
  /** For one server's first answer; c-ares waits longer in later rounds. */
  readonly tryMs: number;
  readonly tries: number;
}

const DEFAULT_LIMITS: ResolverLimits = { tryMs: 2_000, tries: 2 };
const MAX_ALIASES = 8;

/**
 * A resolver that asks these servers: "ADDRESS", "ADDRESS:PORT" or "[ADDRESS]:PORT".
 *
 * @throws RangeError naming the first that is not one, or when there is none
 */
export function dnsResolver(servers: readonly string[], limits: ResolverLimits = DEFAULT_LIMITS): Resolver {
  if (servers.length === 0) throw new RangeError('a resolver needs a DNS server');
  const stray = servers.find((server) => !isServerAddress(server));
  if (stray !== undefined) {
    throw new RangeError(`${JSON.stringify(stray)} is not a DNS server; write "192.0.2.53:53" or "[2001:db8::53]:53"`);
  }
  return askDns(servers, limits);
}

function isServerAddress(text: string): boolean {
  const [, bracketed, plain, port = '53'] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  return parseIpAddress(bracketed ?? plain ?? text) !== null && Number(port) >= 1 && Number(port) <= 65535;
}

/** As this host resolves names: /etc/hosts and search domains included for addresses, its DNS servers for TXT. */
export function systemResolver(limits: ResolverLimits = DEFAULT_LIMITS): Resolver {
  const viaDns = askDns(null, limits);
  return {
    resolveTxt: viaDns.resolveTxt,
    async resolveAddresses(name, signal) {
      requireClean(name);
      if (isLocalhost(name)) return LOOPBACK;
      let found: readonly IpAddress[];
      try {
        // getaddrinfo cannot be cancelled; libuv lets lookups take at most half of its threads.
        found = parseAddresses(await orAborted(lookup(name, { all: true, order: 'verbatim' }), signal));
      } catch (cause) {
        signal.throwIfAborted();
        // getaddrinfo does not tell NXDOMAIN from NODATA, nor SERVFAIL from silence; DNS itself does.
        await viaDns.resolveAddresses(name, signal);
        throw asDnsFault(cause, name);
      }
      // An address with a zone ("fe80::1%eth0") is none that validation could go to.
      if (found.length === 0) throw new DnsFault('nodata', name, undefined, 'A or AAAA');
      return found;
    },
  };
}

const LOOPBACK = parseAddresses([{ address: '::1' }, { address: '127.0.0.1' }]);

/** RFC 6761 §6.3: "Name resolution APIs … SHOULD always return the IP loopback address"; glibc's does so only in new versions. */
function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}

/** null: the servers of /etc/resolv.conf. */
function askDns(servers: readonly string[] | null, limits: ResolverLimits): Resolver {
  return {
    resolveAddresses: (name, signal) =>
      withChannel(servers, limits, signal, (channel) =>
        followAliases(channel, name, 'A or AAAA', (asked) => addressesOf(channel, asked)),
      ),
    resolveTxt: (name, signal) =>
      withChannel(servers, limits, signal, (channel) =>
        followAliases(channel, name, 'TXT', async (asked) =>
          (await orNothing(channel.resolveTxt(asked), asked)).map((strings) => strings.join('')),
        ),
      ),
  };
}

async function withChannel<T>(
  servers: readonly string[] | null,
  limits: ResolverLimits,
  signal: AbortSignal,
  ask: (channel: DnsChannel) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const channel = new DnsChannel({ timeout: limits.tryMs, tries: limits.tries });
  if (servers) channel.setServers(servers);
  const cancel = (): void => channel.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await ask(channel);
  } catch (cause) {
    signal.throwIfAborted();
    throw cause;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

async function followAliases<T>(
  channel: DnsChannel,
  name: string,
  types: string,
  ask: (asked: string) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  let asked = name;
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
    requireClean(asked);
    const found = await ask(asked);
    if (found.length > 0) return found;
    const [target] = await orNothing(channel.resolveCname(asked), asked);
    if (target === undefined) {
      const question = asked === name ? name : `${name}, an alias of ${asked},`;
      throw new DnsFault('nodata', question, undefined, types);
    }
    asked = target;
  }
  throw new DnsFault('aliases', name);
}

/** Both families at once. One that fails does not matter when the other has addresses. */
async function addressesOf(channel: DnsChannel, name: string): Promise<readonly IpAddress[]> {
  const answers = await Promise.allSettled([
    orNothing(channel.resolve6(name), name),
    orNothing(channel.resolve4(name), name),
  ]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (found.length > 0) return parseAddresses(found.map((address) => ({ address })));
  for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
  return [];
}

/** The answer; nothing for NODATA, which may still be an alias. @throws DnsFault for everything else */
async function orNothing<T>(answer: Promise<T[]>, name: string): Promise<T[]> {
  try {
    return await answer;
  } catch (cause) {
    const fault = asDnsFault(cause, name);
    if (fault.reason === 'nodata') return [];
    throw fault;
  }
}

function asDnsFault(cause: unknown, name: string): DnsFault {
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : null;
  if (code === null) throw cause;
  return new DnsFault(REASONS[code] ?? 'malformed', name, cause);
}

function parseAddresses(answer: readonly { readonly address: string }[]): readonly IpAddress[] {
  return answer.flatMap(({ address }) => parseIpAddress(address) ?? []);
}

const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** Before every call of node:dns: NUL, white space and the like have passed through it as other names. */
function requireClean(name: string): void {
  if (!HOST_NAME.test(name)) throw new DnsFault('unclean-name', JSON.stringify(name.slice(0, 100)));
}
