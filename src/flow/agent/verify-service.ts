/**
 * Proof, not belief: what a client sees of a service, and what it must be refused. Every check id is there for every
 * service with an address; one that does not apply has `ok: null` and says why.
 */
import type { Desired, ServiceProtocol } from '../../core/services/service-kind.ts';
import { tlsPolicy } from '../../core/services/tls-policy.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import { formatRfc3339, type Instant } from '../../core/time/instant.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { validatePath } from '../../core/x509/path.ts';
import { serverNameOf } from './confirm-served.ts';
import type { ServicePlan } from './plan-service.ts';

export const CHECK_IDS = [
  'served',
  'chain',
  'names',
  'wrong-name',
  'foreign-ca',
  'plaintext',
  'protocols',
  'suites',
  'key',
  'clients',
  'renewal',
] as const;

export type CheckId = (typeof CHECK_IDS)[number];

export interface Check {
  readonly id: CheckId;
  /** null: does not apply, and `observed` says why. */
  readonly ok: boolean | null;
  readonly wanted: string;
  readonly observed: string;
  readonly remedy: string | null;
}

/** A client's attempt at a service. */
export interface Attempt {
  readonly protocol: ServiceProtocol;
  readonly address: HostPort;
  /** For SNI; and, with `anchors`, the name that must be in the certificate. */
  readonly serverName: string | null;
  /** PEM of the roots that are trusted; null: nothing is verified, only looked at. */
  readonly anchors: readonly string[] | null;
  readonly versions?: {
    readonly min: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
    readonly max: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  };
  /** OpenSSL's names. */
  readonly suites?: string;
  readonly client?: { readonly certPem: string; readonly keyPem: string };
  /** Exchange the first words of the protocol after the handshake. */
  readonly exchange: boolean;
  readonly timeoutMs: number;
}

export type AttemptResult =
  | {
      readonly kind: 'established';
      readonly chain: readonly Uint8Array[];
      readonly version: string;
      readonly suite: string;
      readonly answer: string | null;
    }
  | { readonly kind: 'refused'; readonly by: 'network' | 'preamble' | 'server' | 'client'; readonly why: string };

export interface TestIdentity {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface VerifyPorts {
  readonly handshake: (attempt: Attempt) => Promise<AttemptResult>;
  readonly plaintext: (
    protocol: ServiceProtocol,
    address: HostPort,
    timeoutMs: number,
  ) => Promise<{ readonly kind: 'service' | 'refused'; readonly detail: string }>;
  /** PEM of the roots of this service's issuer. */
  readonly anchors: readonly string[];
  /** A root that this stack does not trust, and identities to show to the service: made for the occasion. */
  readonly foreign: { readonly rootPem: string; readonly client: TestIdentity };
  /** A client certificate of the stack's own authority; null when it cannot be made (a remote issuer without a token). */
  readonly ownClient: TestIdentity | null;
  /** A certificate of the stack's own authority without clientAuth. */
  readonly ownServer: TestIdentity | null;
  /** Mode, owner and content of the installed key, as the service's user would find it. */
  readonly keyFlaw: (layout: Desired['install']) => string | null;
  readonly agentAlive: () => boolean;
  readonly clock: () => Instant;
}

const TIMEOUT_MS = 5000;
/** Reserved by RFC 6761: nobody lists it. */
const WRONG_NAME = 'not-listed.invalid';

export async function verifyService(
  ports: VerifyPorts,
  plan: ServicePlan,
  address: HostPort,
): Promise<readonly Check[]> {
  const { service, kind, installed, desired } = plan;
  const name = serverNameOf(service.names);
  // What the service demands of clients must be met where something else is looked at.
  const client = service.clients.kind === 'none' ? null : ports.ownClient;
  const base: Attempt = {
    protocol: kind.protocol,
    address,
    serverName: name,
    anchors: null,
    exchange: false,
    timeoutMs: TIMEOUT_MS,
    ...(client && { client }),
  };
  const look = await ports.handshake(base);
  const chain = look.kind === 'established' ? look.chain.map(parseCertificate) : [];
  const unreachable = look.kind === 'refused' ? `no handshake: ${look.why}` : null;

  return [
    served(installed?.chain[0], chain[0], unreachable),
    chainCheck(chain, ports, unreachable),
    await names(ports, plan, base, unreachable),
    await wrongName(ports, base, unreachable),
    await foreignCa(ports, base, name, unreachable),
    await plaintextCheck(ports, plan, address),
    await protocols(ports, plan, base, unreachable),
    await suites(ports, plan, base, unreachable),
    key(ports.keyFlaw(desired.install)),
    await clients(ports, plan, base),
    renewal(plan, ports),
  ];
}

function check(id: CheckId, ok: boolean | null, wanted: string, observed: string, remedy: string): Check {
  return { id, ok, wanted, observed, remedy: ok === false ? remedy : null };
}

function served(installed: Certificate | undefined, seen: Certificate | undefined, unreachable: string | null): Check {
  const wanted = installed
    ? `the installed certificate ${installed.fingerprint.slice(0, 16)}…`
    : 'an installed certificate';
  const observed = unreachable ?? (seen ? `${seen.fingerprint.slice(0, 16)}… is served` : 'nothing is served');
  return check(
    'served',
    installed !== undefined && installed.fingerprint === seen?.fingerprint,
    wanted,
    observed,
    'Reload the service: fullchain apply',
  );
}

function chainCheck(chain: readonly Certificate[], ports: VerifyPorts, unreachable: string | null): Check {
  const wanted = 'leaf and intermediates in order, leading to the stack’s root, without the root';
  const [leaf, ...intermediates] = chain;
  if (!leaf)
    return check('chain', false, wanted, unreachable ?? 'no certificate', 'Start the service, then: fullchain apply');
  const anchors = ports.anchors.map((pem) =>
    parseCertificate(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')),
  );
  const path = validatePath({ leaf, intermediates, anchors, now: ports.clock(), purpose: 'server' });
  if (!path.ok) return check('chain', false, wanted, path.detail, 'Install the whole chain: fullchain rotate');
  const expected = path.path.slice(0, -1).map(({ fingerprint }) => fingerprint);
  const sent = chain.map(({ fingerprint }) => fingerprint);
  const ok = expected.length === sent.length && expected.every((fingerprint, index) => fingerprint === sent[index]);
  return check(
    'chain',
    ok,
    wanted,
    ok
      ? `${sent.length} certificates, in order`
      : `${sent.length} certificates are sent; ${expected.length} in order would be right`,
    'Install the whole chain: fullchain rotate',
  );
}

async function names(
  { handshake, anchors }: VerifyPorts,
  { service }: ServicePlan,
  base: Attempt,
  unreachable: string | null,
): Promise<Check> {
  const wanted = 'a verifying client accepts every listed name';
  if (unreachable) return check('names', false, wanted, unreachable, 'Start the service');
  const refusals: string[] = [];
  let tried = 0;
  for (const name of service.names) {
    if ((name.kind !== 'dns' && name.kind !== 'ip') || name.value.startsWith('*.')) continue;
    tried++;
    const result = await handshake({ ...base, anchors, serverName: name.value });
    if (result.kind === 'refused') refusals.push(`${name.value}: ${result.why}`);
  }
  return check(
    'names',
    refusals.length === 0,
    wanted,
    refusals.length === 0 ? `${tried} names accepted` : refusals.join('; '),
    'Issue a certificate with all names: fullchain apply',
  );
}

async function wrongName(
  { handshake, anchors }: VerifyPorts,
  base: Attempt,
  unreachable: string | null,
): Promise<Check> {
  const wanted = `a verifying client refuses ${WRONG_NAME}`;
  if (unreachable) return check('wrong-name', false, wanted, unreachable, 'Start the service');
  const result = await handshake({ ...base, anchors, serverName: WRONG_NAME });
  const ok = result.kind === 'refused';
  return check(
    'wrong-name',
    ok,
    wanted,
    ok ? result.why : 'it was accepted',
    'The certificate names more than it should: list its names with fullchain cert inspect',
  );
}

async function foreignCa(
  { handshake, foreign }: VerifyPorts,
  base: Attempt,
  name: string | null,
  unreachable: string | null,
): Promise<Check> {
  const wanted = 'a client that trusts only another authority refuses it';
  if (unreachable) return check('foreign-ca', false, wanted, unreachable, 'Start the service');
  const result = await handshake({ ...base, anchors: [foreign.rootPem], serverName: name });
  const ok = result.kind === 'refused' && result.by === 'client';
  return check(
    'foreign-ca',
    ok,
    wanted,
    result.kind === 'refused' ? result.why : 'it was accepted',
    'The served chain leads to a foreign root: fullchain cert inspect the address',
  );
}

async function plaintextCheck(ports: VerifyPorts, { kind }: ServicePlan, address: HostPort): Promise<Check> {
  const { kind: answer, detail } = await ports.plaintext(kind.protocol, address, TIMEOUT_MS);
  return check(
    'plaintext',
    answer === 'refused',
    'a plaintext client gets no service',
    detail,
    'Require TLS in the configuration: fullchain apply',
  );
}

async function protocols(
  { handshake }: VerifyPorts,
  { service }: ServicePlan,
  base: Attempt,
  unreachable: string | null,
): Promise<Check> {
  const policy = tlsPolicy(service.tls);
  const wanted = `${policy.versions.join(' and ')}; nothing below`;
  if (unreachable) return check('protocols', false, wanted, unreachable, 'Start the service');
  const accepted: string[] = [];
  for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const) {
    const result = await handshake({ ...base, versions: { min: version, max: version } });
    if (result.kind === 'established') accepted.push(version);
  }
  const ok =
    accepted.length === policy.versions.length && policy.versions.every((version) => accepted.includes(version));
  return check(
    'protocols',
    ok,
    wanted,
    `accepted: ${accepted.join(', ') || 'none'}`,
    'Set the versions of the policy: fullchain apply',
  );
}

async function suites(
  { handshake }: VerifyPorts,
  { service }: ServicePlan,
  base: Attempt,
  unreachable: string | null,
): Promise<Check> {
  const policy = tlsPolicy(service.tls);
  const wanted = 'nothing outside the policy is negotiated';
  if (unreachable) return check('suites', false, wanted, unreachable, 'Start the service');
  if (!policy.versions.includes('TLSv1.2'))
    return check('suites', true, wanted, 'TLS 1.3 alone, whose suites are all of the policy', '');
  // Everything that OpenSSL knows except what the policy allows: no handshake may succeed.
  const others = `ALL:COMPLEMENTOFALL:${policy.suites12.map((suite) => `!${suite}`).join(':')}:@SECLEVEL=0`;
  const result = await handshake({ ...base, versions: { min: 'TLSv1.2', max: 'TLSv1.2' }, suites: others });
  return check(
    'suites',
    result.kind === 'refused',
    wanted,
    result.kind === 'refused' ? 'every other suite is refused' : `${result.suite} was negotiated`,
    'Set the suites of the policy: fullchain apply',
  );
}

function key(flaw: string | null): Check {
  return check(
    'key',
    flaw === null,
    'matches the certificate; the service’s user reads it and nobody else',
    flaw ?? 'as it should be',
    'Set owner and mode again: fullchain rotate',
  );
}

async function clients(
  { handshake, foreign, ownClient, ownServer }: VerifyPorts,
  { service }: ServicePlan,
  base: Attempt,
): Promise<Check> {
  const policy = service.clients.kind;
  if (policy === 'none') return check('clients', null, 'no client certificates', 'the stack file asks for none', '');
  if (ownClient === null || ownServer === null)
    return check(
      'clients',
      null,
      'client certificates as declared',
      'no client certificate could be made to try with',
      '',
    );
  const wanted =
    policy === 'optional'
      ? 'none sent: accepted; foreign or without clientAuth: refused; a right one: accepted'
      : 'none, foreign or without clientAuth: refused; a right one: accepted';
  const tries = async (client: TestIdentity | null): Promise<boolean> => {
    const { client: _own, ...without } = base;
    const result = await handshake({ ...without, exchange: true, ...(client && { client }) });
    return result.kind === 'established' && !isRefusal(base.protocol, result.answer ?? '');
  };
  const [none, other, server, right] = [
    await tries(null),
    await tries(foreign.client),
    await tries(ownServer),
    await tries(ownClient),
  ];
  const flaws = [
    none !== (policy === 'optional') ? `without a certificate: ${none ? 'accepted' : 'refused'}` : '',
    other ? 'a certificate of a foreign authority: accepted' : '',
    server ? 'a certificate without clientAuth: accepted' : '',
    right ? '' : 'a right certificate: refused',
  ].filter((flaw) => flaw !== '');
  return check(
    'clients',
    flaws.length === 0,
    wanted,
    flaws.join('; ') || 'as declared',
    'Apply the declared policy: fullchain apply',
  );
}

/** Refusals that come inside the protocol, after a handshake that went well. */
function isRefusal(protocol: ServiceProtocol, answer: string): boolean {
  if (protocol === 'postgres') return answer.startsWith('E') && /certificate|pg_hba|SSL/i.test(answer);
  if (protocol === 'https' || protocol === 'tls') return /^HTTP\/1\.[01] (400|403|495|496)/.test(answer);
  return false;
}

function renewal({ renewal: decision, service }: ServicePlan, ports: VerifyPorts): Check {
  const wanted = 'not yet due, or due and an agent alive that will do it';
  const at = decision.renewAt === null ? '' : `; next at ${formatRfc3339(decision.renewAt)}`;
  if (!decision.due) return check('renewal', true, wanted, decision.why, '');
  const alive = ports.agentAlive();
  return check(
    'renewal',
    alive,
    wanted,
    `${decision.why}${at}${alive ? '; the agent will do it' : '; no agent is running'}`,
    `Renew now: fullchain rotate ${service.name}`,
  );
}
