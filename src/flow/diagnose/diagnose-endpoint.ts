/**
 * What is wrong between a client and a server: a handshake as the client would do it and the first words of the protocol, since
 * some refusals come only there; and where that fails, the questions that tell its causes apart. One cause, one finding.
 */
import { type CauseId, causeFinding } from '../../core/diagnosis/causes.ts';
import { chainFindings } from '../../core/diagnosis/chain-causes.ts';
import type { Finding, FindingPlace } from '../../core/diagnosis/finding.ts';
import { sortFindings } from '../../core/diagnosis/finding.ts';
import { clientRefusalOf, refusedClientFinding } from '../../core/diagnosis/refused-client.ts';
import type { ProbeFailure } from '../../core/probe/endpoint-facts.ts';
import { sniOf, type Target } from '../../core/probe/target.ts';
import { tlsPolicy } from '../../core/services/tls-policy.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import { type Instant, instantFromSeconds } from '../../core/time/instant.ts';
import { authorityInformationAccess } from '../../core/x509/authority-information-access.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { formatName } from '../../core/x509/name.ts';
import type { Attempt, AttemptResult } from '../probe/attempt.ts';
import type { Identified } from '../probe/identify.ts';
import { namesOf, refusalOf } from '../probe/probe-endpoint.ts';
import { failureOf } from '../probe/probe-failure.ts';
import type { Endpoint } from '../probe/questions.ts';
import { certificatesOf } from '../probe/second-looks.ts';
import type { Diagnosed, DiagnoseOptions, DiagnosePorts } from './diagnose-ports.ts';
import { answeredHttp, type PostgresRefusal, postgresRefusal } from './first-answer.ts';
import { isCommonGround, negotiate } from './negotiation.ts';
import { noTls } from './no-tls.ts';

/**
 * As a client does: the addresses of a name one after the other, until one lets itself be connected to.
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
  for (const dial of dials) {
    const diagnosed = await diagnoseAddress(ports, target, dial, options);
    if (diagnosed.reachable) return diagnosed;
    first ??= diagnosed;
  }
  return first ?? unresolved(target);
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

/** One look at one address, and what is known of it. */
interface Case {
  readonly ports: DiagnosePorts;
  readonly target: Target;
  readonly dial: HostPort;
  readonly endpoint: Endpoint;
  readonly base: Attempt;
  readonly options: DiagnoseOptions;
  readonly where: FindingPlace;
}

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
  };
  if (limits.isNarrowed && !(await isCommonGround(ports, endpoint, limits))) {
    const { finding } = await negotiate(ports, endpoint, limits, one.where);
    if (finding !== null) return refusal(one, finding);
  }
  const look = await lookUnlessPlaintext(one);
  if ('protocol' in look) return withoutTls(one, SILENT, look);
  return look.kind === 'established' ? established(one, look) : refused(one, look);
}

/** To a server of TLS, also a slow one, this is long. */
const SILENCE_MS = 2000;

const SILENT: ProbeFailure = { id: 'no-answer', detail: 'a ClientHello was met with silence', protocol: null };

/** A server that waits for the end of a line says nothing to a ClientHello: who speaks there is asked before the time is up. */
async function lookUnlessPlaintext({ ports, base, dial, options }: Case): Promise<AttemptResult | Identified> {
  const enough = new AbortController();
  const look = ports.handshake({ ...base, signal: enough.signal });
  const early = await Promise.race([look, ports.patience(SILENCE_MS).then(() => null)]);
  if (early !== null) return early;
  const spoken = await ports.identify(dial, options.timeoutMs);
  if (spoken === null) return look;
  enough.abort();
  return spoken;
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
    suites: limits.isNarrowed ? 'DEFAULT' : USUAL_SUITES,
    exchange: true,
    flight: true,
    timeoutMs,
    ...(client && { client }),
    ...(url?.user != null && { user: url.user }),
    ...(protocol === 'mysql' && url?.user != null && options.password !== null && { password: options.password }),
  };
}

type Refused = Extract<AttemptResult, { kind: 'refused' }>;
type Established = Extract<AttemptResult, { kind: 'established' }>;

/** The handshake did not come to its end, or was taken back right after it. */
async function refused(one: Case, look: Refused): Promise<Diagnosed> {
  const { ports, endpoint, options, where } = one;
  const said = look.code ?? look.why;
  const client = clientRefusal(one, look, said);
  if (client !== null) return refusal(one, client, look);
  if (look.flight === null) {
    const seen = await refusalOf(ports, endpoint, look);
    if (seen.kind === 'no-tls') return withoutTls(one, failureOf(seen.result));
  }
  const { finding } = await negotiate(ports, endpoint, options.limits, where);
  return refusal(one, finding ?? (await localPolicy(one, look, said)) ?? refusesAll(one, said), look);
}

/** Where only the port said that it is TLS, what answers decides what is spoken; a URL or --starttls is taken at its word. */
async function withoutTls(one: Case, failure: ProbeFailure, known: Identified | null = null): Promise<Diagnosed> {
  const { ports, target, dial, options } = one;
  const { finding, spoken } = await noTls(ports, target, dial, failure, options.timeoutMs, known);
  const isGuess = target.protocol === 'tls' && target.url === null;
  if (spoken === null || !isGuess || finding.id !== 'starttls-needed')
    return { ...refusal(one, finding), reachable: !UNREACHABLE.includes(failure.id) };
  const diagnosed = await diagnoseAddress(ports, { ...target, protocol: spoken }, dial, options);
  return { ...diagnosed, findings: sortFindings([...diagnosed.findings, { ...finding, severity: 'info' }]) };
}

const UNREACHABLE: readonly string[] = ['name-not-resolved', 'connection-refused', 'connect-timeout'];

function clientRefusal(one: Case, look: Refused, said: string): Finding | null {
  if (look.by !== 'server' || isLocal(said)) return null;
  const asked = look.flight?.acceptedAuthorities ?? null;
  const refusalSaid = clientRefusalOf(said);
  if (asked === null && refusalSaid !== 'required' && (refusalSaid === null || one.options.client === null))
    return null;
  return refusedClient(one, refusalSaid ?? 'unsaid', look.why, asked ?? []);
}

function refusedClient(
  { target, options, ports, where }: Case,
  refusalSaid: Parameters<typeof refusedClientFinding>[0]['refusal'],
  said: string,
  asked: readonly Uint8Array[],
): Finding {
  return refusedClientFinding({
    where,
    host: target.host,
    refusal: refusalSaid,
    said,
    acceptedAuthorities: namesOf(asked),
    shown: options.clientChain,
    now: ports.clock(),
  });
}

function isLocal(said: string): boolean {
  return /^ERR_(?:SSL|OSSL)_/.test(said) && !isAlert(said);
}

/** Of OpenSSL's codes those of an alert that came: it says so, or has a version in front. */
function isAlert(said: string): boolean {
  return /^ERR_SSL_(?:.*_ALERT_|TLSV1_|TLSV13_|SSLV3_)/.test(said);
}

/** The library of this client refuses, and with its security level at the lowest it would not. */
async function localPolicy({ ports, base, where }: Case, look: Refused, said: string): Promise<Finding | null> {
  if (!isLocal(said)) return null;
  const lax = await ports.handshake({ ...base, suites: 'DEFAULT:@SECLEVEL=0', exchange: false });
  if (lax.kind === 'refused' && lax.code === look.code) return null;
  return causeFinding('local-policy', {
    subject: 'the TLS library of this client',
    where,
    what: `This client's own library ends the handshake: ${look.why}.`,
    confidence: lax.kind === 'established' ? 'certain' : 'likely',
    evidence: { said: look.why, code: look.code, withoutPolicy: lax.kind === 'established' ? lax.version : lax.why },
  });
}

/** It takes versions, suites and groups, and no handshake; or nothing at all. */
function refusesAll({ dial, where }: Case, said: string): Finding {
  const id: CauseId = /UNRECOGNIZED_NAME/.test(said) || !isAlert(said) ? 'handshake-refused' : 'key-type-mismatch';
  return causeFinding(id, {
    subject: formatHostPort(dial),
    where,
    what:
      id === 'key-type-mismatch'
        ? 'The server refuses every handshake, although both sides have everything in common: as it does when its key is not of the kind of its certificate.'
        : `The server ends every handshake (${said}), although both sides have everything in common.`,
    confidence: 'likely',
    evidence: { said },
    remedy: {
      text: 'Compare key and certificate on the server’s host, and look into its log ("no shared cipher", "no suitable signature algorithm"); that decides.',
      command: `fullchain diagnose --cert FILE --key FILE`,
    },
  });
}

function refusal({ target, dial }: Case, finding: Finding, look: Refused | null = null): Diagnosed {
  const leaf = certificatesOf(look?.flight?.chain ?? [])[0];
  return {
    target,
    address: dial.host,
    reachable: true,
    findings: [finding],
    served: leaf ?? null,
    seen: null,
  };
}

async function established(one: Case, look: Established): Promise<Diagnosed> {
  const { target, dial, ports } = one;
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

/** What the server says to the first words: nginx and PostgreSQL let everybody shake hands, and refuse here. */
function firstAnswerFindings(one: Case, { answer, flight }: Established): Finding[] {
  const { protocol } = one.target;
  const asked = flight?.acceptedAuthorities ?? [];
  if (protocol === 'https' || protocol === 'tls') {
    const http = answeredHttp(answer);
    if (http === null || ![400, 495, 496].includes(http.status)) return [];
    const refusalSaid = clientRefusalOf(http.text);
    return refusalSaid === null ? [] : [refusedClient(one, refusalSaid, `HTTP ${http.status}`, asked)];
  }
  if (protocol === 'mysql') return mysqlFindings(one, answer ?? '', flight?.acceptedAuthorities ?? null);
  const refusalSaid = protocol === 'postgres' ? postgresRefusal(answer) : null;
  if (refusalSaid === null) return [];
  return refusalSaid.kind === 'certificate-required'
    ? [refusedClient(one, 'required', refusalSaid.message, asked)]
    : [wrongUser(one, refusalSaid)];
}

/** "Access denied" is also the answer to a user who has to show a certificate, or another one. */
function mysqlFindings(one: Case, answer: string, asked: readonly Uint8Array[] | null): Finding[] {
  if (!answer.startsWith('1045 ') || asked === null) return [];
  const { target, options, where } = one;
  const user = target.url?.user ?? '';
  const [leaf] = options.clientChain;
  const remedy = {
    text: 'See what the user has to show, REQUIRE X509 or SUBJECT: that decides between certificate and password.',
    command: `mariadb -e "SHOW CREATE USER '${user.replace(/[^\w.-]/g, '')}'"`,
  };
  if (leaf === undefined)
    return [
      causeFinding('client-certificate-required', {
        subject: user,
        where,
        what: `The server asks for client certificates, none was shown, and ${JSON.stringify(user)} is denied access with this password.`,
        confidence: 'likely',
        evidence: { said: answer, acceptedAuthorities: namesOf(asked) },
        remedy,
      }),
    ];
  return [
    causeFinding('client-certificate-wrong-user', {
      subject: formatName(leaf.subject),
      where,
      what: `The certificate is accepted, and ${JSON.stringify(user)} is denied access with it and this password.`,
      confidence: 'possible',
      evidence: { said: answer, user, certificate: formatName(leaf.subject) },
      remedy,
    }),
  ];
}

function wrongUser({ options, target, where }: Case, { message, user }: PostgresRefusal): Finding {
  const [leaf] = options.clientChain;
  const subject = leaf ? formatName(leaf.subject) : 'the client certificate';
  const name = /(?:^|,)CN=([^,]*)/.exec(subject)?.[1];
  return causeFinding('client-certificate-wrong-user', {
    subject,
    where,
    what: `The certificate names ${name === undefined ? subject : JSON.stringify(name)}, and the login is of the user ${JSON.stringify(user)}.`,
    evidence: { said: message, user, certificate: subject },
    words: { host: target.host, user: name },
  });
}

/** Only where the answer cannot be misread: MariaDB says "access denied" to plaintext and to a wrong password alike. */
async function plaintextFindings({ ports, target, dial, options, where }: Case): Promise<Finding[]> {
  if (target.protocol !== 'postgres') return [];
  const answer = await ports.plaintext('postgres', dial, options.timeoutMs);
  if (answer.kind !== 'service') return [];
  return [
    causeFinding('plaintext-accepted', {
      subject: formatHostPort(dial),
      where,
      what: 'The server speaks TLS to who asks for it, and serves a client in plaintext too.',
      evidence: { said: answer.detail },
    }),
  ];
}
