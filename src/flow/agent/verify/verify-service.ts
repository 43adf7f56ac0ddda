/**
 * Proof, not belief: what a client sees of a service, and what it must be refused. Every check id is there for every
 * service with an address; one that does not apply has `ok: null` and says why.
 */

import { DerError } from '../../../core/asn1/der-reader.ts';
import { serviceProtocol } from '../../../core/services/service-protocol.ts';
import { startText } from '../../../core/services/start-text.ts';
import { formatHostPort } from '../../../core/stack/host-port.ts';
import type { HostPort } from '../../../core/stack/stack.ts';
import { formatRfc3339 } from '../../../core/time/instant.ts';
import { type Certificate, parseCertificate } from '../../../core/x509/certificate.ts';
import type { Attempt, AttemptResult } from '../../probe/attempt.ts';
import { serverNameOf } from '../confirm-served.ts';
import type { ServicePlan } from '../plan-service.ts';
import { clients, plaintext } from './access-checks.ts';
import {
  CHECK_IDS,
  type Check,
  type CheckId,
  finding,
  lackedIdentity,
  TIMEOUT_MS,
  untried,
  type VerifyPorts,
} from './check.ts';
import { chain, foreignCa, names, type SeenAt, served, wrongName } from './identity-checks.ts';
import { protocols, suites } from './policy-checks.ts';
import { settingsRemedy } from './settings-remedy.ts';

export { CHECK_IDS, type Check, type CheckId, isUntried, untried, type VerifyPorts } from './check.ts';

type Finding = Omit<Check, 'id'>;

export async function verifyService(
  ports: VerifyPorts,
  plan: ServicePlan,
  address: HostPort,
): Promise<readonly Check[]> {
  const { service, kind, desired } = plan;
  // What the service demands of clients must be met where something else is looked at.
  const client = ports.own !== null && 'client' in ports.own ? ports.own.client : null;
  const lacked = lackedIdentity(ports.own, service);
  const base: Attempt = {
    protocol: serviceProtocol(kind, plan.service),
    address,
    serverName: serverNameOf(service.names),
    anchors: null,
    exchange: false,
    timeoutMs: TIMEOUT_MS,
    ...(client && { client }),
    // There the certificate's name is the user.
    ...(service.clients.kind === 'required-names' && { user: service.clients.names[0] ?? '' }),
  };
  const look = await ports.handshake({ ...base, flight: true });
  const local = { key: key(ports.keyFlaw(desired.install)), renewal: renewal(plan, ports) };
  const down = unreachable(look);
  const found: Record<CheckId, Finding> =
    down === null
      ? {
          served: served(plan, await lookEverywhere(ports, base, look)),
          chain: chain(sentChain(look), ports),
          names: await names(ports, plan, base, lacked),
          'wrong-name': await wrongName(ports, base, lacked),
          'foreign-ca': await foreignCa(ports, base, lacked),
          plaintext: await plaintext(ports, plan, address),
          protocols: await protocols(ports, plan, base, lacked),
          suites: await suites(ports, plan, base),
          clients: await clients(ports, plan, base),
          ...local,
        }
      : {
          ...nothingThere(down, plan),
          ...(hasAnswered(look) && {
            served: finding(false, SERVED, down, settingsRemedy('Switch TLS on', plan)),
            plaintext: await plaintext(ports, plan, address),
          }),
          ...local,
        };
  return CHECK_IDS.map((id) => ({ id, ...found[id] }));
}

/** Why there is nothing to look at; null: there was a TLS server, whatever it thought of us. */
function unreachable(look: AttemptResult): string | null {
  if (look.kind === 'established' || look.flight !== null) return null;
  if (hasAnswered(look)) return look.by === 'preamble' ? look.why : `it does not speak TLS (${look.why})`;
  return look.by === 'network' ? look.why : null;
}

/** It runs, and knows no TLS: it says so, or answers a ClientHello with what is no record of TLS. */
function hasAnswered(look: AttemptResult): boolean {
  return look.kind === 'refused' && (look.by === 'preamble' || look.code === 'ERR_SSL_WRONG_VERSION_NUMBER');
}

const SERVED = 'the installed certificate at every address';

/** One cause, said once: what could not be tried has not failed on its own account. */
function nothingThere(
  why: string,
  { service, kind, desired }: ServicePlan,
): Record<Exclude<CheckId, 'key' | 'renewal'>, Finding> {
  const remedy = `Start ${service.name}${startText(desired)} — then look at its log: it is a ${kind.name}`;
  const not = untried(why);
  return {
    served: finding(false, SERVED, why, remedy),
    chain: not,
    names: not,
    'wrong-name': not,
    'foreign-ca': not,
    plaintext: not,
    protocols: not,
    suites: not,
    clients: not,
  };
}

async function lookEverywhere(ports: VerifyPorts, base: Attempt, first: AttemptResult): Promise<readonly SeenAt[]> {
  const { host, port } = base.address;
  const [, ...others] = await ports.addresses(host);
  const seenAt = (at: HostPort, look: AttemptResult): SeenAt => {
    const leaf = look.kind === 'established' ? look.leaf : look.flight?.chain?.[0];
    const why = look.kind === 'refused' ? look.why : 'a certificate that cannot be read';
    return { at: formatHostPort(at), leaf: leaf ? (parsed([leaf])[0] ?? null) : null, why };
  };
  return [
    seenAt(base.address, first),
    ...(await Promise.all(
      others.map(async (ip) =>
        seenAt({ host: ip, port }, await ports.handshake({ ...base, address: { host: ip, port }, flight: true })),
      ),
    )),
  ];
}

function sentChain(look: AttemptResult) {
  return parsed(look.flight?.chain ?? (look.kind === 'established' ? [look.leaf] : []));
}

/** Up to the first that is none: a server may send what it likes. */
function parsed(ders: readonly Uint8Array[]): readonly Certificate[] {
  const certificates: Certificate[] = [];
  try {
    for (const der of ders) certificates.push(parseCertificate(der));
  } catch (fault) {
    if (!(fault instanceof DerError)) throw fault;
  }
  return certificates;
}

function key(flaw: string | null): Finding {
  return finding(
    flaw === null,
    'matches the certificate; the service’s user reads it and nobody else',
    flaw ?? 'as it should be',
    'Owner and mode as they were: fullchain apply; a new key, where others could read this one: fullchain rotate',
  );
}

function renewal({ renewal: decision, service }: ServicePlan, ports: VerifyPorts): Finding {
  const wanted = 'not yet due, or due and an agent alive that will do it';
  const at = decision.renewAt === null ? '' : `; next at ${formatRfc3339(decision.renewAt)}`;
  if (!decision.due) return finding(true, wanted, decision.why, '');
  const alive = ports.agentAlive();
  return finding(
    alive,
    wanted,
    `${decision.why}${at}${alive ? '; the agent will do it' : '; no agent is running'}`,
    `Renew now: fullchain rotate ${service.name}`,
  );
}
