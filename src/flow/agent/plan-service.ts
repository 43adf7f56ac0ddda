/** What one service needs: its kind decides from facts about the host. */

import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { Facts, ServiceKind } from '../../core/services/service-kind.ts';
import { serviceProtocol } from '../../core/services/service-protocol.ts';
import type { ServiceSpec } from '../../core/stack/stack.ts';
import { type InstallPlan, type InstallWish, type PlanPorts, planInstall } from './install-plan.ts';

export interface ServicePlan extends InstallPlan {
  readonly service: ServiceSpec;
  readonly kind: ServiceKind;
}

/**
 * @param asked a rotation was asked for
 * @throws OperatorFault service-unsupported where what is on the host cannot do what is asked; what reading facts throws
 */
export async function planService(
  ports: PlanPorts,
  service: ServiceSpec,
  kind: ServiceKind,
  asked: boolean,
): Promise<ServicePlan> {
  const facts = await factsOf(ports, service, kind);
  const unsupported = kind.unsupported(service, facts);
  if (unsupported !== null) throw new OperatorFault('service-unsupported', `services.${service.name}: ${unsupported}`);
  return { ...(await planInstall(ports, serviceWish(ports, service, kind, facts), asked)), service, kind };
}

/** Also where the service has changed into something that is not supported: what was brought there can still be taken out. */
export async function anyServiceWish(ports: PlanPorts, service: ServiceSpec, kind: ServiceKind): Promise<InstallWish> {
  return serviceWish(ports, service, kind, await factsOf(ports, service, kind));
}

function factsOf({ host }: PlanPorts, service: ServiceSpec, kind: ServiceKind): Promise<Facts> {
  return host.facts(kind.facts(service), service.runAs === null ? kind.users : [service.runAs]);
}

function serviceWish(ports: PlanPorts, service: ServiceSpec, kind: ServiceKind, facts: Facts): InstallWish {
  const verifyClients = service.clients.kind !== 'none';
  const revocationLists = verifyClients ? ports.revocationLists() : null;
  const challengeWebroot = ports.challengeWebroot(service.issuer);
  return {
    member: { kind: 'service', name: service.name },
    wanted: {
      issuer: service.issuer,
      profile: kind.profile(service),
      names: service.names,
      key: service.key,
      lifetimeSeconds: service.lifetimeSeconds,
      commonName: null,
    },
    endpoint: service.address && { protocol: serviceProtocol(kind, service), address: service.address },
    desired: kind.desired(service, facts, {
      verifyClients,
      ...(revocationLists !== null && { revocationLists }),
      ...(challengeWebroot !== null && { challengeWebroot }),
    }),
    // A service of the stack verifies members of the stack, whoever issued its own certificate.
    trust: verifyClients || service.issuer === 'internal' ? ports.stackTrust() : null,
  };
}
