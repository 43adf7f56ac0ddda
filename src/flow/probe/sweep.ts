/**
 * Everything that a server takes, by hellos of our own: versions, suites of each, whose order decides, groups. Offer all,
 * take what the server picks, leave it out, offer again, until it refuses. What this runtime's OpenSSL knows plays no part.
 */
import { bytesEqual } from '../../core/bytes/compare.ts';
import type { Gap, GapField } from '../../core/probe/gap.ts';
import { SUITES_12, SUITES_13, suiteName } from '../../core/tls/cipher-suites.ts';
import { ALL_GROUPS, GROUPS_12 } from '../../core/tls/named-groups.ts';
import { PROTOCOL_VERSIONS, type ProtocolVersion } from '../../core/tls/protocol-version.ts';
import {
  type Ask,
  collect,
  type Endpoint,
  questioner,
  SweepCut,
  type SweepLimits,
  type SweepPorts,
} from './questions.ts';
import type { ServerFlight } from './server-flight.ts';

export interface AcceptedSuite {
  readonly version: ProtocolVersion;
  /** IANA's. */
  readonly code: number;
}

export interface Sweep {
  /** Oldest first. */
  readonly versions: readonly ProtocolVersion[];
  /** Of each version in the server's order, where that decides. */
  readonly suites: readonly AcceptedSuite[];
  /** TLS 1.2; null: it is not spoken, or there is only one suite. */
  readonly serverOrder: boolean | null;
  /** Codes, in the order in which the server chose them. */
  readonly groups: readonly number[];
  /** DER in the order of the wire; one each key type, as far as they come in clear (not in TLS 1.3). */
  readonly chains: readonly (readonly Uint8Array[])[];
  /** Of TLS 1.2 and older; null: no client certificate is asked for there, or it is not spoken. */
  readonly acceptedAuthorities: readonly Uint8Array[] | null;
  /** The shortest prime of a Diffie-Hellman exchange. */
  readonly primeBits: number | null;
  readonly staplesStatus: boolean;
  readonly gaps: readonly Gap[];
  /** What it left in a log that was to be spared; for people. */
  readonly traces: readonly string[];
}

/** Never throws for what a server does: what ended it early is in `gaps`. */
export async function sweep(ports: SweepPorts, endpoint: Endpoint, limits: SweepLimits): Promise<Sweep> {
  const { ask, confirm } = questioner(ports, endpoint, limits);
  const bySuites = await Promise.all(
    PROTOCOL_VERSIONS.map(async (version) => ({ version, ...(await collect(suitesOf(ask, version))) })),
  );
  const flights = bySuites.flatMap(({ found }) => found);
  const codesOf = (wanted: ProtocolVersion): readonly number[] =>
    bySuites.flatMap(({ version, found }) => (version === wanted ? found.map(({ hello }) => hello.suite) : []));
  const [order, groups13, groups12] = await Promise.all([
    collect(orderOf(ask, codesOf('TLSv1.2'))),
    collect(groupsOf13(ask, codesOf('TLSv1.3'))),
    collect(
      groupsOf12(
        ask,
        bySuites.flatMap(({ version, found }) => (version < 'TLSv1.3' ? found : [])),
      ),
    ),
  ]);
  const confirmed = await collect(once(confirm));
  const asked = flights.find(({ acceptedAuthorities }) => acceptedAuthorities !== null);
  const primes = flights.flatMap(({ primeBits }) => primeBits ?? []);
  return {
    versions: bySuites.flatMap(({ version, found }) => (found.length > 0 ? [version] : [])),
    suites: bySuites.flatMap(({ version, found }) => found.map(({ hello }) => ({ version, code: hello.suite }))),
    serverOrder: order.found[0] ?? null,
    groups: [...new Set([...groups13.found, ...groups12.found, ...flights.flatMap(({ group }) => group ?? [])])],
    chains: distinctChains(flights),
    acceptedAuthorities: asked?.acceptedAuthorities ?? null,
    primeBits: primes.length === 0 ? null : Math.min(...primes),
    staplesStatus: flights.some(({ staplesStatus }) => staplesStatus),
    traces: [],
    gaps: byReason([
      ...bySuites.map(({ version, found, cut }) => ({
        fields: found.length > 0 ? (['suites'] as const) : (['protocols', 'suites'] as const),
        versions: [version],
        what: `suites of ${version}`,
        why: cut,
      })),
      { fields: ['serverOrder'], what: 'whose order decides', why: order.cut },
      { fields: ['groups'], what: 'groups of TLS 1.3', why: groups13.cut },
      { fields: ['groups'], what: 'groups of TLS 1.2', why: groups12.cut },
      { fields: SWEPT, what: 'whatever was refused', why: confirmed.cut },
    ]),
  };
}

/** What a sweep tells. */
export const SWEPT = ['protocols', 'suites', 'serverOrder', 'groups'] as const satisfies readonly GapField[];

async function* once(work: () => Promise<void>): AsyncIterable<void> {
  yield await work();
}

type Part = Omit<Gap, 'why'> & { readonly why: string | null };

/** One gap a reason, and one for what is about some versions. @param parts why null: it was seen to its end */
function byReason(parts: readonly Part[]): Gap[] {
  const groups = Map.groupBy(parts, ({ why, versions }) => (why === null ? null : `${why}${versions === undefined}`));
  return [...groups.values()].flatMap((of) => {
    const why = of[0]?.why;
    if (why == null) return [];
    const versions = of.flatMap((part) => part.versions ?? []);
    return {
      fields: [...new Set(of.flatMap(({ fields }) => fields))],
      ...(versions.length > 0 && { versions }),
      what: of.map(({ what }) => what).join(', '),
      why,
    };
  });
}

async function* suitesOf(ask: Ask, version: ProtocolVersion): AsyncIterable<ServerFlight> {
  const is13 = version === 'TLSv1.3';
  const groups = is13 ? ALL_GROUPS : GROUPS_12;
  let left = is13 ? SUITES_13 : SUITES_12;
  while (left.length > 0) {
    const flight = await ask({ version, suites: left, groups, alpn: [], statusRequest: true });
    if (flight === null || flight.hello.version !== version) return;
    const { suite } = flight.hello;
    if (!left.includes(suite)) throw new SweepCut(`the server chose ${suiteName(suite)}, which was not offered`);
    yield flight;
    left = left.filter((code) => code !== suite);
  }
}

/** Two suites that it takes, offered both ways. Not ChaCha20: some servers put it first for clients that do. */
async function* orderOf(ask: Ask, accepted: readonly number[]): AsyncIterable<boolean> {
  const [a, b] = [...accepted].sort((x, y) => Number(isChaCha(x)) - Number(isChaCha(y)));
  if (a === undefined || b === undefined) return;
  const picked = async (suites: readonly number[]): Promise<number | undefined> =>
    (await ask({ version: 'TLSv1.2', suites, groups: GROUPS_12, alpn: [], statusRequest: false }))?.hello.suite;
  const [first, second] = [await picked([a, b]), await picked([b, a])];
  if (first !== undefined && second !== undefined) yield first === second;
}

function isChaCha(code: number): boolean {
  return suiteName(code).includes('CHACHA20');
}

/** A hello without a key share is answered by a HelloRetryRequest, which names the group (RFC 8446 §4.1.4). */
async function* groupsOf13(ask: Ask, suites: readonly number[]): AsyncIterable<number> {
  let left = ALL_GROUPS;
  while (suites.length > 0 && left.length > 0) {
    const flight = await ask({ version: 'TLSv1.3', suites, groups: left, alpn: [], statusRequest: false });
    const group = flight?.hello.version === 'TLSv1.3' ? flight.group : null;
    if (group === null || !left.includes(group)) return;
    yield group;
    left = left.filter((code) => code !== group);
  }
}

/**
 * RFC 8422 §5.1: the groups of the hello limit the curve of an ECDSA certificate too, so that one without it may be refused
 * whatever else the server takes. Curves that certificates have are therefore offered on, last, as long as anything else comes.
 */
async function* groupsOf12(ask: Ask, flights: readonly ServerFlight[]): AsyncIterable<number> {
  const version = flights.at(-1)?.hello.version ?? null;
  const suites = flights
    .filter(({ hello }) => hello.version === version && /^TLS_ECDHE_/.test(suiteName(hello.suite)))
    .map(({ hello }) => hello.suite);
  let left = GROUPS_12;
  let last: readonly number[] = [];
  while (version !== null && suites.length > 0 && left.length > 0) {
    const groups = [...left, ...last];
    const flight = await ask({ version, suites, groups, alpn: [], statusRequest: false });
    if (flight === null) return;
    const { group } = flight;
    if (group === null) throw new SweepCut('the server named no group');
    if (left.includes(group)) {
      yield group;
      left = left.filter((code) => code !== group);
      if (CURVES_OF_CERTIFICATES.includes(group)) last = [...last, group];
    } else if (last.includes(group)) {
      // Its own order decides, or there is no other: once more without.
      last = [];
    } else return;
  }
}

const CURVES_OF_CERTIFICATES: readonly number[] = [0x17, 0x18, 0x19];

function distinctChains(flights: readonly ServerFlight[]): (readonly Uint8Array[])[] {
  const chains: (readonly Uint8Array[])[] = [];
  for (const { chain } of flights) {
    const [leaf] = chain ?? [];
    if (chain && leaf && !chains.some(([other]) => other && bytesEqual(other, leaf))) chains.push(chain);
  }
  return chains;
}
