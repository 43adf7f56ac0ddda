/**
 * What a server takes, without a handshake that it would refuse or that is left unfinished: PostgreSQL writes a line into
 * its log for each of those, MariaDB and MySQL count them and shut a host out at max_connect_errors. Every handshake here runs to its end, and offers something that the server is known to take; but for
 * one: nothing in TLS 1.3 tells whether TLS 1.2 is taken too. Older versions are rarer, and not asked for at all.
 *
 * Where the server's own order decides, what comes behind everything that it was seen to take can only be found by being
 * refused once. Then the order itself is evidence: a list made of OpenSSL's classes ("HIGH") has a known end; of a list
 * written by hand only its modern head is asked for. What was not asked is said.
 */
import type { Gap, GapField } from '../../core/probe/gap.ts';
import type { Protocol } from '../../core/probe/protocol.ts';
import type { Instant } from '../../core/time/instant.ts';
import { suiteByName } from '../../core/tls/cipher-suites.ts';
import { isPostQuantum } from '../../core/tls/named-groups.ts';
import { OPENSSL_GROUPS } from '../../core/tls/openssl-groups.ts';
import { PROTOCOL_VERSIONS, type ProtocolVersion } from '../../core/tls/protocol-version.ts';
import type { Attempt, AttemptResult } from './attempt.ts';
import { isBroken } from './refusal-code.ts';
import { type AcceptedSuite, SWEPT, type Sweep } from './sweep.ts';

/** What is spared services that take note of what a probe breaks off. */
const NOTED: Readonly<Partial<Record<Protocol, { readonly why: string; readonly refuses12: string }>>> = {
  postgres: {
    why: 'the server writes every refusal into its log (--thorough asks)',
    refuses12: 'one line, since it refuses TLS 1.2 (not where a stack file says so: tls: modern)',
  },
  mysql: {
    why: 'the server counts every refusal, and shuts a host out for too many (max_connect_errors; --thorough asks)',
    refuses12: 'one connection error, since it refuses TLS 1.2 (not where a stack file says so: tls: modern)',
  },
};

export function isNoted(protocol: Protocol): boolean {
  return NOTED[protocol] !== undefined;
}

type Handshake = (attempt: Attempt) => Promise<AttemptResult>;
type Established = Extract<AttemptResult, { kind: 'established' }>;

/** Of OpenSSL, without what its security level would leave out; anonymous suites and those without encryption too. */
const EVERYTHING = 'ALL:COMPLEMENTOFALL';
const NO_POLICY = '@SECLEVEL=0';
/** More than OpenSSL has. */
const MOST_SUITES = 200;

export interface QuietRequest {
  /** A look without `versions`, that this server takes. */
  readonly base: Attempt;
  /** Whether TLS 1.2 may be asked for: not where the server is known to refuse it. */
  readonly may12: boolean;
  readonly clock: () => Instant;
  /** After this nothing more is asked. */
  readonly until: Instant;
}

export async function quietSweep(handshake: Handshake, request: QuietRequest): Promise<Sweep> {
  const { base, may12, clock, until } = request;
  let cut: string | null = null;
  const attempt = async (more: Partial<Attempt>): Promise<Established | null> => {
    if (cut === null && clock() > until) cut = 'it took too long';
    if (cut !== null) return null;
    const request = { ...base, ...more, flight: true } as const;
    const first = await handshake(request);
    const result = isBroken(first) ? await handshake(request) : first;
    if (result.kind === 'established') return result;
    if (isBroken(result)) cut = result.why;
    return null;
  };
  const over = (version: 'TLSv1.2' | 'TLSv1.3', more: Partial<Attempt>): Promise<Established | null> =>
    attempt({ ...more, versions: { min: version, max: version } });
  const newest = (await attempt({}))?.version === 'TLSv1.3' ? await over('TLSv1.3', {}) : null;
  const suites13 = newest ? await suitesOf13((suites) => over('TLSv1.3', { suites }), newest) : [];
  const groups13 = newest ? await groupsOf13((groups) => over('TLSv1.3', { groups }), newest) : [];
  const older = may12 ? await suitesOf12((suites) => over('TLSv1.2', { suites })) : NOT_TRIED;
  const { found } = older;
  const chain = found.find(({ flight }) => flight?.chain)?.flight?.chain;
  return {
    versions: [...(found.length > 0 ? (['TLSv1.2'] as const) : []), ...(newest ? (['TLSv1.3'] as const) : [])],
    suites: [...accepted('TLSv1.2', found), ...accepted('TLSv1.3', suites13)],
    serverOrder: cut === null ? older.serverOrder : null,
    groups: [...new Set([...groups13, ...found.flatMap(({ flight }) => flight?.group ?? [])])],
    chains: chain ? [chain] : [],
    acceptedAuthorities: found[0]?.flight?.acceptedAuthorities ?? null,
    primeBits: smallest(found.flatMap(({ flight }) => flight?.primeBits ?? [])),
    staplesStatus: found.some(({ flight }) => flight?.staplesStatus),
    traces: may12 && cut === null && found.length === 0 ? [NOTED[base.protocol]?.refuses12 ?? ''] : [],
    gaps: [
      ...(cut === null ? [] : [{ fields: SWEPT, what: 'the rest', why: cut }]),
      ...sparedOf(base.protocol, older, may12),
      ...(mayHide(groups13) ? [spared(base.protocol, ['groups'], 'further groups of TLSv1.3')] : []),
    ],
  };
}

/** @param what the server is spared */
export function spared(protocol: Protocol, fields: readonly GapField[], what: string): Gap {
  return { fields, what, why: NOTED[protocol]?.why ?? '' };
}

function sparedOf(protocol: Protocol, { isComplete }: Found12, may12: boolean): Gap[] {
  const versions = PROTOCOL_VERSIONS.filter((version) => version < 'TLSv1.2' || (version === 'TLSv1.2' && !may12));
  return [
    { ...spared(protocol, ['protocols', 'suites'], versions.join(', ')), versions },
    ...(isComplete
      ? []
      : [{ ...spared(protocol, ['suites'], 'further suites of TLSv1.2'), versions: ['TLSv1.2'] } satisfies Gap]),
  ];
}

function accepted(version: ProtocolVersion, of: readonly Established[]): AcceptedSuite[] {
  return of.flatMap(({ suite }) => {
    const code = suiteByName(suite);
    return code === null ? [] : [{ version, code }];
  });
}

type Try = (offer: string) => Promise<Established | null>;

/** The usual three: every implementation has the first (RFC 8446 §9.1), and OpenSSL the others. */
const SUITES_13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

async function suitesOf13(attempt: Try, first: Established): Promise<readonly Established[]> {
  const found = [first];
  for (;;) {
    const left = SUITES_13.filter((name) => found.every(({ suite }) => suite !== name));
    const next = left.length === 0 ? null : await attempt(left.join(':'));
    if (next === null || !left.includes(next.suite)) return found;
    found.push(next);
  }
}

/**
 * OpenSSL 3.5 orders groups in classes and asks for one of a better class, even where a share of another was sent: what is
 * worse than everything found stays unseen. Older ones take the share, and know none of these groups.
 */
function mayHide(groups: readonly number[]): boolean {
  return groups.some(isPostQuantum);
}

/** Each with one that it takes behind it: a client sends a share for the first alone, and the server asks for the other. */
async function groupsOf13(attempt: Try, { flight }: Established): Promise<readonly number[]> {
  const known = flight?.group ?? null;
  const fallback = known === null ? undefined : OPENSSL_GROUPS.get(known);
  if (known === null || fallback === undefined) return [];
  const found = [known];
  for (const [code, name] of OPENSSL_GROUPS) {
    if (code === known) continue;
    const result = await attempt(`${name}:${fallback}`);
    if (result?.flight?.group === code) found.push(code);
  }
  return found;
}

interface Found12 {
  readonly found: readonly Established[];
  readonly serverOrder: boolean | null;
  readonly isComplete: boolean;
}

const NOT_TRIED: Found12 = { found: [], serverOrder: null, isComplete: true };

async function suitesOf12(attempt: Try): Promise<Found12> {
  const first = await attempt(`${EVERYTHING}:${NO_POLICY}`);
  if (first === null) return NOT_TRIED;
  const found = [first];
  // "+" puts it behind all the others, "!" takes the others out.
  const offer = (last: readonly Established[], without: readonly Established[]): string =>
    [
      EVERYTHING,
      ...without.map(({ opensslName }) => `!${opensslName}`),
      ...last.map(({ opensslName }) => `+${opensslName}`),
      NO_POLICY,
    ].join(':');
  const behind = await attempt(offer([first], []));
  const isClientsOrder = behind !== null && behind.suite !== first.suite;
  while (found.length < MOST_SUITES) {
    if (!isClientsOrder && mayBeTheLast(found.map(({ suite }) => suite)))
      return { found, serverOrder: found.length > 1 ? true : null, isComplete: hasKnownEnd(found) };
    const next = await attempt(isClientsOrder ? offer([first], found.slice(1)) : offer([], found));
    if (next === null || found.some(({ suite }) => suite === next.suite)) break;
    found.push(next);
  }
  return { found, serverOrder: isClientsOrder ? false : found.length > 1 ? true : null, isComplete: true };
}

/** Nobody writes these by hand: the list is made of classes, in OpenSSL's order. */
const OF_CLASSES = /_(?:CCM|CCM_8|ARIA_|CAMELLIA_)/;
/** The end of such a list, by how the certificate signs. */
const END_OF_CLASSES = /^TLS_(?:ECDHE_ECDSA_WITH_AES|RSA_WITH_(?:AES|CAMELLIA))_128_CBC_SHA$/;
const HEAD = /^TLS_ECDHE_.*_(?:AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256)$/;
const SUITES_IN_HEAD = 3;
/** OpenSSL puts DHE between them. */
const MODERN = /^TLS_(?:ECDHE|DHE)_.*_(?:GCM|POLY1305)_SHA(?:256|384)$/;

/** Whether a refusal would be no surprise after these, in the order in which the server chose them. */
function mayBeTheLast(chosen: readonly string[]): boolean {
  const last = chosen.at(-1) ?? '';
  if (chosen.some((name) => OF_CLASSES.test(name))) return isEndOfClasses(last, chosen);
  return !MODERN.test(last) || chosen.filter((name) => HEAD.test(name)).length >= SUITES_IN_HEAD;
}

/** Without Camellia the suites with AES are the last. */
function isEndOfClasses(last: string, chosen: readonly string[]): boolean {
  const followsCamellia =
    last.startsWith('TLS_RSA_WITH_AES') && chosen.some((name) => /^TLS_RSA_.*CAMELLIA/.test(name));
  return END_OF_CLASSES.test(last) && !followsCamellia;
}

function hasKnownEnd(found: readonly Established[]): boolean {
  const names = found.map(({ suite }) => suite);
  return names.some((name) => OF_CLASSES.test(name));
}

function smallest(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : Math.min(...numbers);
}
