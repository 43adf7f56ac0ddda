/** The members of a stack: its services and its clients, planned and taken out alike. */
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { Footprint } from '../../core/services/footprint.ts';
import { SERVICE_KIND_TABLE } from '../../core/services/service-kinds.ts';
import { memberId } from '../../core/stack/member-name.ts';
import type { ClientSpec, ServiceSpec, Stack } from '../../core/stack/stack.ts';
import type { HostPorts } from '../../flow/agent/agent-ports.ts';
import { heldAgainstService } from '../../flow/agent/confirm-served.ts';
import { type InstallPlan, type InstallWish, type PlanPorts, wishedFootprint } from '../../flow/agent/install-plan.ts';
import { clientWish, planClient } from '../../flow/agent/plan-client.ts';
import { anyServiceWish, planService } from '../../flow/agent/plan-service.ts';

export type StackMember =
  | { readonly kind: 'service'; readonly name: string; readonly service: ServiceSpec }
  | { readonly kind: 'client'; readonly name: string; readonly client: ClientSpec };

/** Clients first: a service that begins to ask for certificates then meets clients that have one. */
export function stackMembers({ clients, services }: Pick<Stack, 'clients' | 'services'>): readonly StackMember[] {
  return [
    ...clients.map((client) => ({ kind: 'client', name: client.name, client }) as const),
    ...services.map((service) => ({ kind: 'service', name: service.name, service }) as const),
  ];
}

/**
 * @param names "NAME" is every member of that name, "services/NAME" and "clients/NAME" are one; none: all
 * @throws OperatorFault usage for a name that there is not
 */
export function chosenMembers(stack: Stack, names: readonly string[]): readonly StackMember[] {
  const members = stackMembers(stack);
  const isCalled = (member: StackMember, name: string): boolean => member.name === name || memberId(member) === name;
  for (const name of names) {
    if (!members.some((member) => isCalled(member, name)))
      throw new OperatorFault('usage', `the stack has no service and no client named ${JSON.stringify(name)}`);
  }
  return names.length === 0 ? members : members.filter((member) => names.some((name) => isCalled(member, name)));
}

/** @throws OperatorFault as planService, planClient */
export function planMember(ports: PlanPorts, stack: Stack, member: StackMember, asked: boolean): Promise<InstallPlan> {
  return member.kind === 'client'
    ? planClient(ports, member.client, stack.services, asked)
    : planService(ports, member.service, SERVICE_KIND_TABLE[member.service.kind], asked);
}

/** As planMember; and where nothing is to be done, whether a client sees it so. @throws OperatorFault as planMember */
export async function planServedMember(
  ports: PlanPorts & { readonly host: Pick<HostPorts, 'servedFingerprint'> },
  stack: Stack,
  member: StackMember,
  asked: boolean,
): Promise<InstallPlan> {
  return heldAgainstService(ports.host, await planMember(ports, stack, member, asked));
}

/** What is wished there, also where it could not be planned. @throws OperatorFault as planMember */
export function memberWish(ports: PlanPorts, stack: Stack, member: StackMember): Promise<InstallWish> {
  return member.kind === 'client'
    ? clientWish(ports, member.client, stack.services)
    : anyServiceWish(ports, member.service, SERVICE_KIND_TABLE[member.service.kind]);
}

/** What apply brings there, for taking it out. @throws OperatorFault as planMember */
export async function memberFootprint(ports: PlanPorts, stack: Stack, member: StackMember): Promise<Footprint> {
  return wishedFootprint(await memberWish(ports, stack, member));
}
