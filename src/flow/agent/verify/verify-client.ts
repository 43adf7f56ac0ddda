/** Whether a client of the stack gets in where it connects, with what lies in its directory and nothing else. */
import { pemFromDer } from '../../../core/bytes/pem.ts';
import { reachableName } from '../../../core/services/connection-url.ts';
import { SERVICE_KIND_TABLE } from '../../../core/services/service-kinds.ts';
import type { ClientSpec, ServiceSpec } from '../../../core/stack/stack.ts';
import { printable } from '../../../core/x509/describe.ts';
import { formatGeneralName } from '../../../core/x509/general-name.ts';
import type { ClientIdentity } from '../../probe/attempt.ts';
import type { InstallPorts } from '../agent-ports.ts';
import type { InstallPlan } from '../install-plan.ts';
import { isRefusal } from './access-checks.ts';
import { type Check, finding, TIMEOUT_MS, type VerifyPorts } from './check.ts';

/** Of what a service said. */
const LONGEST_ANSWER = 200;

export interface ConnectCheck extends Omit<Check, 'id'> {
  readonly service: string;
}

/**
 * One check for each service that it connects to.
 *
 * @param services of the whole stack
 * @throws OperatorFault input-unreadable
 */
export async function verifyClient(
  ports: Pick<VerifyPorts, 'handshake'> & { readonly install: Pick<InstallPorts, 'readPair'> },
  { desired, installed, renewal }: InstallPlan,
  client: ClientSpec,
  services: readonly ServiceSpec[],
): Promise<readonly ConnectCheck[]> {
  const connected = services.filter(({ name }) => client.connects.includes(name));
  const wanted = 'gets in with its own certificate, by a verified address';
  // Whoever lets a revoked one in only has not heard of it.
  const flaw =
    installed === null
      ? 'nothing is installed for it'
      : renewal.reason === 'revoked'
        ? `its certificate is ${renewal.why}`
        : null;
  if (installed === null || flaw !== null) {
    const useless = finding(false, wanted, flaw ?? '', `Give it what it needs: fullchain apply clients/${client.name}`);
    return connected.map(({ name }) => ({ service: name, ...useless }));
  }
  const pair = ports.install.readPair(desired.install, installed.number);
  const identity = {
    certPem: pair.chain.map(({ raw }) => pemFromDer('CERTIFICATE', raw)).join(''),
    keyPem: pair.keyPem,
  };
  const anchors = installed.trust.map(({ raw }) => pemFromDer('CERTIFICATE', raw));
  return Promise.all(
    connected.map(async (service) => ({
      service: service.name,
      ...(await connects(ports, service, identity, anchors, client, wanted)),
    })),
  );
}

async function connects(
  { handshake }: Pick<VerifyPorts, 'handshake'>,
  service: ServiceSpec,
  identity: ClientIdentity,
  anchors: readonly string[],
  { names, name }: ClientSpec,
  wanted: string,
): Promise<Omit<Check, 'id'>> {
  const { address, clients, kind } = service;
  if (address === null) return finding(null, wanted, 'the stack file gives the service no address', '');
  const { protocol } = SERVICE_KIND_TABLE[kind];
  const result = await handshake({
    protocol,
    address,
    serverName: reachableName(service),
    anchors,
    exchange: 'login',
    timeoutMs: TIMEOUT_MS,
    ...(clients.kind !== 'none' && { client: identity }),
    ...(clients.kind === 'required-names' && { user: names[0] ? formatGeneralName(names[0]) : name }),
  });
  const why =
    result.kind === 'refused' ? result.why : isRefusal(protocol, result.answer ?? '') ? (result.answer ?? '') : null;
  return finding(
    why === null,
    wanted,
    why === null
      ? `${result.kind === 'established' ? result.version : ''} as ${reachableName(service)}`
      : printable(why.slice(0, LONGEST_ANSWER)),
    `Look at the service first: fullchain verify services/${service.name}`,
  );
}
