/**
 * What is wrong between a client and a server: a handshake as the client would do it and the first words of the protocol, since
 * some refusals come only there; and where that fails, the questions that tell its causes apart. One cause, one finding.
 */
import { causeFinding } from '../../core/diagnosis/causes.ts';
import { chainFindings } from '../../core/diagnosis/chain-causes.ts';
import type { Finding } from '../../core/diagnosis/finding.ts';
import { sortFindings } from '../../core/diagnosis/finding.ts';
import type { ProbeFailure } from '../../core/probe/endpoint-facts.ts';
import { starttlsOf } from '../../core/probe/protocol.ts';
import { databaseOf, sniOf, type Target } from '../../core/probe/target.ts';
import { tlsPolicy } from '../../core/services/tls-policy.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import { type Instant, instantFromSeconds } from '../../core/time/instant.ts';
import { isPostQuantum } from '../../core/tls/named-groups.ts';
import { authorityInformationAccess } from '../../core/x509/authority-information-access.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import type { Attempt, AttemptResult } from '../probe/attempt.ts';
import { isGuess, spokenAt } from '../probe/guess.ts';
import { EVERYTHING, refusalOf } from '../probe/probe-endpoint.ts';
import { failureOf } from '../probe/probe-failure.ts';
import type { Endpoint } from '../probe/questions.ts';
import { isForgery } from '../probe/refusal-code.ts';
import { certificatesOf } from '../probe/second-looks.ts';
import { firstAnswerFindings, plaintextFindings } from './after-handshake.ts';
import type { Case, Established, Refused } from './case.ts';
import type { Diagnosed, DiagnoseOptions, DiagnosePorts } from './diagnose-ports.ts';
import { answeredHttp } from './first-answer.ts';
import { CLASSICAL_GROUPS, shortTaken, USUAL_GROUPS } from './long-hello.ts';
import { isCommonGround, negotiate } from './negotiation.ts';
import { noTls } from './no-tls.ts';
import { clientRefusal, cutShort, forged, localPolicy, refusedName, refusesAll } from './refusals.ts';

/** Of one name. */
const MOST_ADDRESSES = 8;

/**
 * As a client does: the addresses of a name one after the other, until one lets itself be connected to. The others of the name are looked at
 * too, since what happens to one client in two is wrong at one of them: what is wrong only there is said with its address.
 *
 * @param dials where the target is looked at; empty: its name has no address
 */
export async function diagnoseEndpoint(
  ports: DiagnosePorts,
  target: Target,
  dials: readonly HostPort[],
  options: DiagnoseOptions,
): Promise<Diagnosed> {
  let first: Diagnosed | null = null;
  const places = dials.slice(0, MOST_ADDRESSES);
  for (const [index, dial] of places.entries()) {
    const diagnosed = await diagnoseAddress(ports, target, dial, options);
    if (diagnosed.reachable) {
      const others = places.slice(index + 1).map((other) => diagnoseAddress(ports, target, other, options));
      return { ...diagnosed, findings: withOthers(diagnosed.findings, await Promise.all(others)) };
    }
    first ??= diagnosed;
  }
  return first ?? unresolved(target);
}

/** Where nobody listens clients go on to the next address at once. */
function withOthers(findings: readonly Finding[], others: readonly Diagnosed[]): readonly Finding[] {
  const known = new Set(findings.map(({ id }) => id));
  const only = others.flatMap(({ address, reachable, findings: there }) =>
    there.flatMap((finding): Finding[] =>
      known.has(finding.id) || !reachable
        ? []
        : [{ ...finding, what: `At ${address}: ${finding.what}`, evidence: { ...finding.evidence, address } }],
    ),
  );
  return sortFindings([...findings, ...only]);
}

export function unresolved(target: Target): Diagnosed {
  const { host, text } = target;
  const finding = causeFinding('name-not-resolved', {
    subject: host,
    where: { target: text },
    what: `${host} has no address.`,
    words: { host },
  });
  return { target, address: null, reachable: false, findings: [finding], served: null, seen: null };
}

function withFinding(diagnosed: Diagnosed, finding: Finding): Diagnosed {
  return { ...diagnosed, findings: sortFindings([finding, ...diagnosed.findings]) };
}

/** Of each question in plaintext. */
const IDENTIFY_MS = 2000;

async function diagnoseAddress(
  ports: DiagnosePorts,
  target: Target,
  dial: HostPort,
  options: DiagnoseOptions,
): Promise<Diagnosed> {
  const { protocol, host } = target;
  const { limits, timeoutMs } = options;
  const endpoint: Endpoint = { protocol, address: dial, serverName: sniOf(host), timeoutMs };
  const one: Case = {
    ports,
    target,
    dial,
    endpoint,
    base: attemptOf(target, dial, options),
    options,
    where: { target: target.text },
    identify: once(() => ports.identify(dial, Math.min(timeoutMs, IDENTIFY_MS))),
  };
  const spoken = isGuess(target) ? await spokenAt(ports, { ...one.base, alpn: [] }) : null;
  if (spoken !== null) return diagnoseAddress(ports, { ...target, protocol: spoken }, dial, options);
  if (limits.isNarrowed && !(await isCommonGround(ports, endpoint, limits))) {
    const { finding, unseen, server } = await negotiate(ports, endpoint, limits, one.where);
    if (finding !== null) return refusal(one, [finding]);
    if (unseen !== null && server.versions.length > 0) return refusal(one, [cutShort(one, unseen, null)]);
  }
  const look = await lookUnlessSilent(one);
  if ('early' in look) return look.early === 'tls' ? tlsService(one) : withoutTls(one, SILENT);
  if (look.kind === 'established') return established(one, look);
  const short = await shortTaken(one, look);
  return short === null ? refused(one, look) : withFinding(await established(one, short.look), short.finding);
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | null = null;
  return () => {
    asked ??= ask();
    return asked;
  };
}

/** To a server of TLS, also a slow one, this is long. */
const SILENCE_MS = 2000;

const SILENT: ProbeFailure = { id: 'no-answer', detail: 'a ClientHello was met with silence', protocol: null };

/**
 * A server that waits for the end of a line says nothing to a ClientHello, and one that waits for a ClientHello does not greet:
 * which of them it is, is asked before the time is up.
 */
async function lookUnlessSilent(one: Case): Promise<AttemptResult | { readonly early: 'tls' | 'plaintext' }> {
  const { ports, base, target } = one;
  const enough = new AbortController();
  const look = handshakeOf(one, enough.signal);
  const early = await Promise.race([look, ports.patience(SILENCE_MS).then(() => null)]);
  if (early !== null) return early;
  const isTls = starttlsOf(base.protocol) !== null && (await speaksTlsFirst(one));
  if (!isTls && (await one.identify()) === null) return look;
  enough.abort();
  return { early: isTls && target.protocol !== 'tls' ? 'tls' : 'plaintext' };
}

/** Where nobody knows what is inside TLS, HTTP is offered: a server that takes it is one that answers a request. */
async function handshakeOf({ ports, base }: Case, signal: AbortSignal): Promise<AttemptResult> {
  const look = await ports.handshake({ ...base, signal });
  const isStrict = look.kind === 'refused' && /NO_APPLICATION_PROTOCOL/.test(look.code ?? '');
  if (!isStrict) return look;
  const { alpn: _unknown, ...without } = base;
  return ports.handshake({ ...without, signal });
}

async function speaksTlsFirst({ ports, endpoint }: Case): Promise<boolean> {
  const { serverName, address, timeoutMs } = endpoint;
  const answer = await ports.readFlight({
    ...{ protocol: 'tls', address },
    timeoutMs: Math.min(timeoutMs, IDENTIFY_MS),
    hello: { ...EVERYTHING, serverName },
  });
  return answer.kind === 'flight' || answer.kind === 'alert';
}

function tlsService(one: Case): Diagnosed {
  const { target, dial, where } = one;
  return refusal(one, [
    causeFinding('tls-service', {
      subject: formatHostPort(dial),
      where,
      what: `${formatHostPort(dial)} speaks TLS from the first byte; a client of ${target.protocol} begins in plaintext.`,
      evidence: { protocol: target.protocol },
      remedy: {
        text: 'Connect to the port that begins in plaintext, or have the client begin with TLS (smtps://, imaps://, ldaps://).',
        command: `fullchain diagnose ${formatHostPort(target)}`,
      },
    }),
  ]);
}

/** Mozilla's intermediate suites, as OpenSSL calls them; a client that was narrowed has been asked for by hellos of our own. */
const USUAL_SUITES = ((policy) => [...policy.suites13, ...policy.suites12].join(':'))(tlsPolicy('intermediate'));

function attemptOf({ protocol, host, url }: Target, dial: HostPort, options: DiagnoseOptions): Attempt {
  const { limits, client, timeoutMs } = options;
  const [oldest, newest] = [limits.versions[0], limits.versions.at(-1)];
  return {
    protocol,
    address: dial,
    serverName: host,
    anchors: null,
    versions: {
      min: oldest === undefined || oldest === 'SSLv3' ? 'TLSv1' : oldest,
      max: newest === undefined || newest === 'SSLv3' ? 'TLSv1' : newest,
    },
    ...(limits.isNarrowed
      ? { suites: 'DEFAULT', ...(limits.groups.some(isPostQuantum) ? {} : { groups: CLASSICAL_GROUPS }) }
      : { suites: USUAL_SUITES, groups: USUAL_GROUPS }),
    // Who is greeted with a request that it does not know may close, and is none the worse for it.
    ...(protocol === 'tls' ? { exchange: 'listen', alpn: ['http/1.1'] } : { exchange: true }),
    flight: true,
    timeoutMs,
    ...(client && { client }),
    ...(url?.user != null && { user: url.user }),
    ...(databaseOf(url) !== null && { database: databaseOf(url) ?? '' }),
    ...(protocol === 'mysql' && url?.user != null && options.password !== null && { password: options.password }),
  };
}

/** The handshake did not come to its end, or was taken back right after it. */
async function refused(one: Case, look: Refused): Promise<Diagnosed> {
  const { ports, endpoint, options, where } = one;
  const said = look.code ?? look.why;
  const client = clientRefusal(one, look, said);
  if (client !== null) return refusal(one, [client], look);
  const [shown] = certificatesOf(look.flight?.chain ?? []);
  if (isForgery(look.code) && shown) return refusal(one, [forged(one, shown, look.why)], look);
  if (look.flight === null) {
    const seen = await refusalOf(ports, endpoint, look);
    if (seen.kind === 'no-tls') return withoutTls(one, failureOf(seen.result));
  }
  const negotiation = await negotiate(ports, endpoint, options.limits, where);
  const known = negotiation.finding ?? (await localPolicy(one, look, said));
  return refusal(one, known ? [known] : refusesAll(one, said, negotiation), look);
}

/** Where only the port said that it is TLS, what answers decides what is spoken; a URL or --starttls is taken at its word. */
async function withoutTls(one: Case, failure: ProbeFailure): Promise<Diagnosed> {
  const { ports, target, dial, options } = one;
  const isConnected = !UNREACHABLE.includes(failure.id);
  const isUnclear = isConnected && failure.id !== 'tls-off' && failure.protocol === null;
  if (isUnclear && starttlsOf(target.protocol) !== null && (await speaksTlsFirst(one))) return tlsService(one);
  const { finding, spoken } = await noTls(one.identify, target, dial, failure);
  const named = finding.id === 'closed-by-peer' ? await refusedName(one) : null;
  if (named !== null) return refusal(one, [named]);
  if (spoken !== null && isGuess(target)) return diagnoseAddress(ports, { ...target, protocol: spoken }, dial, options);
  return { ...refusal(one, [finding]), reachable: isConnected };
}

const UNREACHABLE: readonly string[] = ['name-not-resolved', 'connection-refused', 'connect-timeout'];

function refusal({ target, dial }: Case, findings: readonly Finding[], look: Refused | null = null): Diagnosed {
  const leaf = certificatesOf(look?.flight?.chain ?? [])[0];
  return {
    target,
    address: dial.host,
    reachable: true,
    findings,
    served: leaf ?? null,
    seen: null,
  };
}

async function established(one: Case, seen: Established): Promise<Diagnosed> {
  const { target, dial, ports } = one;
  const look = seen.flight?.alpn === 'http/1.1' ? await withAnswer(one, seen) : seen;
  const now = ports.clock();
  const chain = certificatesOf(look.flight?.chain ?? [look.leaf]);
  const [leaf] = chain;
  const findings = [
    ...(await chainCauses(one, chain, look)),
    ...firstAnswerFindings(one, look),
    ...(await plaintextFindings(one)),
  ];
  return {
    target,
    address: dial.host,
    reachable: true,
    findings: sortFindings(findings),
    served: leaf ?? null,
    seen: { version: look.version, suite: look.suite, chain, at: now },
  };
}

/** A server of HTTP says more when it is asked: the time, and why it refuses. */
async function withAnswer({ ports, base }: Case, seen: Established): Promise<Established> {
  if (base.exchange === true) return seen;
  const asked = await ports.handshake({ ...base, exchange: true });
  return asked.kind === 'established' && answeredHttp(asked.answer) !== null ? { ...seen, answer: asked.answer } : seen;
}

async function chainCauses(
  { ports, target, options }: Case,
  [leaf, ...sent]: readonly Certificate[],
  { answer }: Established,
): Promise<Finding[]> {
  if (leaf === undefined) return [];
  const { trust } = options;
  const date = answeredHttp(answer)?.date ?? null;
  const served = { ...trust, chain: [leaf, ...sent] as const, target, now: ports.clock(), peerTime: timeOf(date) };
  const found = chainFindings(served);
  if (!found.some(({ id }) => id === 'unknown-ca')) return found;
  // The certificate says itself where its issuer is to be had.
  const [url] = authorityInformationAccess(sent.at(-1) ?? leaf).caIssuersUrls;
  const issuer = url === undefined ? null : await ports.fetchIssuer(url);
  return issuer === null ? found : chainFindings({ ...served, known: [...trust.known, issuer] });
}

function timeOf(date: string | null): Instant | null {
  const ms = date === null ? Number.NaN : Date.parse(date);
  return Number.isNaN(ms) ? null : instantFromSeconds(Math.floor(ms / 1000));
}
