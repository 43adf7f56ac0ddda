/**
 * Everything that one address of a target offers: a handshake to its end for what it shows of itself, a sweep for what it
 * takes, and what only a second look can tell (client certificates, application protocols, another chain).
 */
import { DerError } from '../../core/asn1/der-reader.ts';
import type { EndpointFacts, ProbeFailure, ProbeFailureId } from '../../core/probe/endpoint-facts.ts';
import type { Gap, GapField } from '../../core/probe/gap.ts';
import { type Protocol, starttlsOf } from '../../core/probe/protocol.ts';
import { nameOf, sniOf, type Target } from '../../core/probe/target.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import { addSeconds } from '../../core/time/instant.ts';
import { isWebProtocol } from '../../core/tls/application-protocols.ts';
import { SUITES_12 } from '../../core/tls/cipher-suites.ts';
import { GROUPS_12 } from '../../core/tls/named-groups.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { formatName, parseName } from '../../core/x509/name.ts';
import { alpnOf, type Offer, offerByHandshake, offerByHello } from './application-protocols.ts';
import type { Attempt, AttemptResult, ClientIdentity } from './attempt.ts';
import { brokenOff, UNFINISHED, unprovenOf, unseenOf, withLook } from './first-look.ts';
import { isGuess, spokenAt } from './guess.ts';
import type { Identified, Identify } from './identify.ts';
import { type FetchPage, lookAtWeb } from './look-at-web.ts';
import { patient } from './patience.ts';
import { failureOf, type NoFlight } from './probe-failure.ts';
import { type Endpoint, questioner, type SweepPorts } from './questions.ts';
import { isNoted, quietSweep, spared } from './quiet-sweep.ts';
import { isBroken } from './refusal-code.ts';
import { certificatesOf, clientPolicy, otherChain13, REFUSE_LATE } from './second-looks.ts';
import { type Sweep, sweep } from './sweep.ts';

export interface ProbePorts extends SweepPorts {
  readonly identify: Identify;
  readonly handshake: (attempt: Attempt) => Promise<AttemptResult>;
  readonly fetchPage: FetchPage;
}

export interface ProbeOptions {
  readonly client: ClientIdentity | null;
  /** Of each connection. */
  readonly timeoutMs: number;
  /** Where refusals are logged, be refused all the same. */
  readonly thorough: boolean;
  /** false: the server is known to refuse TLS 1.2, and would log it. */
  readonly may12: boolean;
}

/** Of hellos to one server; several implementations could not tell more. */
const MOST_CONNECTIONS = 400;
/** MySQL shuts a host out after 100 connections in a row that came to nothing (max_connect_errors). */
const MOST_CONNECTIONS_MYSQL = 60;
const LONGEST_SWEEP_SECONDS = 60;
const IMPATIENT_MS = 2000;
/** Of connect(2). */
const UNREACHABLE: readonly string[] = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'];
/** RFC 8446 §6.2. */
const PROTOCOL_VERSION = 70;

/** @param dial where the target is looked at: an address of its host, unless something else was asked for */
export async function probeEndpoint(
  ports: ProbePorts,
  target: Target,
  dial: HostPort,
  options: ProbeOptions,
): Promise<EndpointFacts> {
  const { protocol, host } = target;
  const { client, timeoutMs } = options;
  const base: Attempt = {
    protocol,
    address: dial,
    serverName: nameOf(target),
    anchors: null,
    versions: { min: 'TLSv1', max: 'TLSv1.3' },
    // In TLS 1.3 a certificate is refused only after the handshake.
    exchange: client ? 'listen' : false,
    flight: true,
    timeoutMs,
    ...(client && { client }),
  };
  const endpoint: Endpoint = { protocol, address: dial, serverName: sniOf(host), timeoutMs };
  const spoken = isGuess(target) ? await spokenAt(ports, base) : null;
  if (spoken !== null) return probeEndpoint(ports, { ...target, protocol: spoken }, dial, options);
  const first = await ports.handshake(base);
  const refusal = first.kind === 'refused' && first.flight === null ? await refusalOf(ports, endpoint, first) : null;
  if (refusal?.kind === 'no-tls') return withoutTls(ports, target, options, endpoint, refusal.result);
  // It speaks TLS: what broke off may go well another time.
  const look = isBroken(first) ? await patient(ports.handshake, ports.pause)(base) : first;
  const isServing = stillServing(ports, endpoint, base, options);
  const swept = withLook(await sweepOf(ports, endpoint, base, options, isServing), look);
  if (look.kind === 'refused' && swept.versions.length === 0)
    return nothing(target, dial.host, brokenOff(look, swept) ?? refusal?.failure ?? REFUSES_EVERYTHING, swept.gaps);
  return gather(ports, target, base, options, isServing, look, swept);
}

/** Whether the server does what it did at first: shakes hands, or at least answers a hello. */
function stillServing(
  { handshake, readFlight }: ProbePorts,
  { serverName, ...where }: Endpoint,
  base: Attempt,
  options: ProbeOptions,
): () => Promise<boolean> {
  return async () => {
    if ((await handshake({ ...base, exchange: false })).kind === 'established') return true;
    if (isQuiet(base.protocol, options)) return false;
    return (await readFlight({ ...where, hello: { ...EVERYTHING, serverName } })).kind === 'flight';
  };
}

type Refusal =
  | { readonly kind: 'no-tls'; readonly result: NoFlight }
  /** Of a server that speaks TLS; what would take hellos of our own is not known yet. */
  | { readonly kind: 'refused'; readonly failure: ProbeFailure };

/** Why a handshake came to nothing, before anything of the server was seen. */
export async function refusalOf(
  { readFlight }: Pick<SweepPorts, 'readFlight'>,
  { serverName, ...where }: Endpoint,
  { code, heard }: Extract<AttemptResult, { kind: 'refused' }>,
): Promise<Refusal> {
  if (heard !== undefined) return { kind: 'no-tls', result: { kind: 'not-tls', bytes: heard } };
  if (code === 'ETIMEDOUT') return { kind: 'no-tls', result: { kind: 'timeout', connected: false } };
  if (code !== null && UNREACHABLE.includes(code)) return { kind: 'no-tls', result: { kind: 'unreachable', code } };
  // It was waited for already.
  const timeoutMs = Math.min(where.timeoutMs, IMPATIENT_MS);
  const result = await readFlight({ ...where, timeoutMs, hello: { ...EVERYTHING, serverName } });
  if (result.kind !== 'flight' && result.kind !== 'alert') return { kind: 'no-tls', result };
  // protocol_version would be about TLS 1.2 alone, and the verdict is about all of them.
  const isTelling = result.kind === 'alert' && result.code !== PROTOCOL_VERSION;
  return { kind: 'refused', failure: isTelling ? failureOf(result) : REFUSES_EVERYTHING };
}

/** What only a second look tells, and all of it together. */
async function gather(
  ports: ProbePorts,
  target: Target,
  base: Attempt,
  options: ProbeOptions,
  isServing: () => Promise<boolean>,
  look: AttemptResult,
  swept: Sweep,
): Promise<EndpointFacts> {
  const { protocol } = target;
  const handshake = patient(ports.handshake, ports.pause);
  const isSpared = isQuiet(protocol, options);
  const leafOnly = look.kind === 'established' ? [look.leaf] : [];
  const chain = certificatesOf(look.flight?.chain ?? swept.chains[0] ?? leafOnly);
  const asked = look.flight?.acceptedAuthorities ?? swept.acceptedAuthorities;
  const [policy, alpn, others] = await Promise.all([
    asked === null
      ? { found: 'none' as const, cut: null }
      : clientPolicy(handshake, base, { mayLogIn: !isSpared, isServing }),
    alpnOf(offerTo(ports, base, options, isServing, swept), protocol, isSpared),
    isSpared || swept.versions.includes('TLSv1.2') ? { found: [], cut: null } : otherChain13(handshake, base, chain[0]),
  ]);
  const isWeb = protocol === 'https' || alpn.taken.some(isWebProtocol);
  const { web, gaps: webGaps } = isWeb ? await lookAtWeb(ports.fetchPage, target, base.address, options) : NO_WEB;
  return {
    target,
    address: base.address.host,
    failure: null,
    protocols: swept.versions,
    suites: swept.suites,
    serverOrder: swept.serverOrder,
    groups: swept.groups,
    primeBits: swept.primeBits,
    alpn: alpn.taken,
    alpnMismatch: alpn.mismatch,
    sessionTickets: look.kind === 'established' && look.tickets,
    ocspStapling: look.flight?.staplesStatus === true || swept.staplesStatus,
    clientCertificate: policy.found,
    acceptedAuthorities: namesOf(asked ?? []),
    chain,
    unproven: unprovenOf(look),
    otherChains: distinct([...swept.chains.map(certificatesOf), ...others.found], chain),
    clientRefused: options.client !== null && look.kind === 'refused' && look.by === 'server' ? look.why : null,
    web,
    traces: swept.traces,
    gaps: [
      ...swept.gaps,
      ...gapIf(unseenOf(look), chain.length > 0 ? UNFINISHED : ['chain', ...UNFINISHED], 'a handshake to its end'),
      ...gapIf(policy.cut, ['clientCertificate'], 'clients without a certificate'),
      ...(asked !== null && isSpared && REFUSE_LATE.includes(protocol)
        ? [spared(protocol, ['clientCertificate'], 'whether a login demands a client certificate')]
        : []),
      ...gapIf(alpn.cut, ['alpn'], 'application protocols'),
      ...gapIf(others.cut, ['otherChains'], 'another chain'),
      ...webGaps,
    ],
  };
}

function offerTo(
  ports: ProbePorts,
  base: Attempt,
  options: ProbeOptions,
  isServing: () => Promise<boolean>,
  { versions }: Sweep,
): Offer {
  const { protocol, address, timeoutMs } = base;
  if (isQuiet(protocol, options) || !versions.includes('TLSv1.2'))
    return offerByHandshake(patient(ports.handshake, ports.pause), base, isServing);
  const until = addSeconds(ports.clock(), LONGEST_SWEEP_SECONDS);
  const endpoint = { protocol, address, timeoutMs, serverName: sniOf(base.serverName ?? address.host) };
  const { ask } = questioner(ports, endpoint, { connections: MOST_CONNECTIONS_MYSQL, until, isServing });
  return offerByHello(ask, EVERYTHING);
}

const NO_WEB = { web: null, gaps: [] } as const;

function gapIf(why: string | null, fields: readonly GapField[], what: string): Gap[] {
  return why === null ? [] : [{ fields, what, why }];
}

/** What is left of a target that does not come to TLS. */
export function nothing(
  target: Target,
  address: string | null,
  failure: ProbeFailure,
  gaps: readonly Gap[] = [],
): EndpointFacts {
  return {
    target,
    address,
    failure,
    protocols: [],
    suites: [],
    serverOrder: null,
    groups: [],
    primeBits: null,
    alpn: [],
    alpnMismatch: null,
    sessionTickets: false,
    ocspStapling: false,
    clientCertificate: 'none',
    acceptedAuthorities: [],
    chain: [],
    unproven: null,
    otherChains: [],
    clientRefused: null,
    web: null,
    traces: [],
    gaps,
  };
}

const REFUSES_EVERYTHING: ProbeFailure = {
  id: 'handshake-refused',
  detail: 'every handshake is refused, whatever is offered',
  protocol: null,
};

/** A hello that offers what any server of TLS 1.2 could take. */
export const EVERYTHING = {
  version: 'TLSv1.2',
  suites: SUITES_12,
  groups: GROUPS_12,
  alpn: [],
  statusRequest: false,
} as const;

/** Where only the port said that it is TLS, what answers may say otherwise; a URL or --starttls is taken at its word. */
async function withoutTls(
  ports: ProbePorts,
  target: Target,
  options: ProbeOptions,
  endpoint: Endpoint,
  result: NoFlight,
): Promise<EndpointFacts> {
  const dial = endpoint.address;
  const impatient = { ...endpoint, timeoutMs: Math.min(endpoint.timeoutMs, IMPATIENT_MS) };
  const failure = failureOf(result);
  const spoken = UNCERTAIN.includes(failure.id) ? await ports.identify(dial, impatient.timeoutMs) : null;
  if (spoken?.starttls && isGuess(target))
    return probeEndpoint(ports, { ...target, protocol: spoken.starttls }, dial, options);
  // Who asked in the right way hears what came of it.
  const isOwn = spoken?.offersTls === true && spoken.starttls === starttlsOf(target.protocol);
  return nothing(target, dial.host, spoken && !isOwn ? spokenFailure(spoken) : failure);
}

/** What came fits more than one: what speaks there decides. */
const UNCERTAIN: readonly ProbeFailureId[] = ['no-answer', 'closed-by-peer', 'plaintext-service', 'starttls-needed'];

function spokenFailure({ protocol, offersTls }: Identified): ProbeFailure {
  return offersTls
    ? { id: 'starttls-needed', detail: `${protocol} is spoken there, whose TLS begins after a request`, protocol }
    : { id: 'plaintext-service', detail: `${protocol} is spoken there, in plaintext`, protocol };
}

function isQuiet(protocol: Protocol, { thorough }: ProbeOptions): boolean {
  return isNoted(protocol) && !thorough;
}

function sweepOf(
  ports: ProbePorts,
  endpoint: Endpoint,
  base: Attempt,
  options: ProbeOptions,
  isServing: () => Promise<boolean>,
): Promise<Sweep> {
  const { protocol } = endpoint;
  const until = addSeconds(ports.clock(), LONGEST_SWEEP_SECONDS);
  if (isQuiet(protocol, options)) {
    // A certificate that is refused would be refused, and logged, each time.
    const { client: _shown, ...withoutClient } = base;
    const quiet = { ...withoutClient, exchange: false } as const;
    return quietSweep(ports.handshake, { base: quiet, may12: options.may12, clock: ports.clock, until });
  }
  const connections = protocol === 'mysql' ? MOST_CONNECTIONS_MYSQL : MOST_CONNECTIONS;
  return sweep(ports, endpoint, { connections, until, isServing });
}

function distinct(
  chains: readonly (readonly Certificate[])[],
  known: readonly Certificate[],
): (readonly Certificate[])[] {
  const seen = new Set([known[0]?.fingerprint]);
  return chains.filter(([leaf]) => {
    if (leaf === undefined || seen.has(leaf.fingerprint)) return false;
    seen.add(leaf.fingerprint);
    return true;
  });
}

export function namesOf(ders: readonly Uint8Array[]): string[] {
  return ders.flatMap((der) => {
    try {
      return [formatName(parseName(der))];
    } catch (fault) {
      if (fault instanceof DerError) return [];
      throw fault;
    }
  });
}
