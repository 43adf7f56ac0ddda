/** `verify`: what is served, what is refused, and whether clients get in, by handshakes. */
import { SERVICE_KIND_TABLE } from '../../core/services/service-kinds.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import type { ClientSpec, ServiceSpec, Stack } from '../../core/stack/stack.ts';
import { handshake } from '../../edge/probe/service-handshake.ts';
import type { MemberError } from '../../flow/agent/keep-stack.ts';
import { planClient } from '../../flow/agent/plan-client.ts';
import { planService } from '../../flow/agent/plan-service.ts';
import { type ConnectCheck, verifyClient } from '../../flow/agent/verify/verify-client.ts';
import { CHECK_IDS, type Check, untried, verifyService } from '../../flow/agent/verify/verify-service.ts';
import { type Context, print } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import type { StackFlags } from '../cli/stack.ts';
import { type Settled, settleMembers } from '../programs/settle-members.ts';
import { chosenMembers, type StackMember } from '../programs/stack-members.ts';
import type { StackWorld } from '../programs/stack-world.ts';
import { withStack } from './with-stack.ts';

export async function verify(context: Context, flags: StackFlags, names: readonly string[]): Promise<void> {
  await withStack(context, flags, async (stack, world) => {
    const members = chosenMembers(stack, names);
    const [seen, connected] = await Promise.all([
      settleMembers(
        members.filter((member) => member.kind === 'service'),
        ({ service }) => checksOf(world, service),
      ),
      settleMembers(
        members.filter((member) => member.kind === 'client'),
        ({ client }) => connectsOf(world, stack, client),
      ),
    ]);
    const services = seen.map(serviceAnswer);
    const clients = connected.map(clientAnswer);
    const ok = [...services, ...clients].every((member) => member.ok);
    print(context, { stack: stack.name, ok, services, clients }, () => [
      ...services.flatMap(({ name, kind, address, ok, checks, error }) => [
        `${mark(ok)} ${name}  ${kind}  ${address ?? 'no address'}`,
        ...errorLines(error),
        ...checks.flatMap(({ id, ...check }) => failureLines(id, check)),
      ]),
      ...clients.flatMap(({ name, ok, connects, error }) => [
        `${mark(ok)} ${name}  client  ${connects.map(({ service }) => service).join(', ')}`,
        ...errorLines(error),
        ...connects.flatMap(({ service, ...check }) => failureLines(service, check)),
      ]),
    ]);
    if (!ok) process.exitCode = 1;
  });
}

async function checksOf(world: StackWorld, service: ServiceSpec): Promise<readonly Check[]> {
  const plan = await planService(world, service, SERVICE_KIND_TABLE[service.kind], false);
  return service.address === null ? [] : verifyService(await world.verification(service), plan, service.address);
}

async function connectsOf(world: StackWorld, stack: Stack, client: ClientSpec): Promise<readonly ConnectCheck[]> {
  const plan = await planClient(world, client, stack.services, false);
  return verifyClient({ handshake, install: world.install }, plan, client, stack.services);
}

function serviceAnswer({ member: { service }, found, error }: Settled<readonly Check[], ServiceMember>) {
  const { name, kind, address } = service;
  const checks = found ?? (address === null ? [] : CHECK_IDS.map((id) => ({ id, ...untried(error.detail) })));
  return { name, kind, address: address && formatHostPort(address), ...judged(checks, error), checks };
}

function clientAnswer({ member: { client }, found, error }: Settled<readonly ConnectCheck[], ClientMember>) {
  const connects = found ?? client.connects.map((service) => ({ service, ...untried(error.detail) }));
  return { name: client.name, ...judged(connects, error), connects };
}

type ServiceMember = Extract<StackMember, { kind: 'service' }>;
type ClientMember = Extract<StackMember, { kind: 'client' }>;

function judged(checks: readonly Pick<Check, 'ok'>[], error: MemberError | null): Judged {
  return { ok: error === null && checks.every(({ ok }) => ok !== false), ...(error && { error }) };
}

interface Judged {
  readonly ok: boolean;
  /** Why nothing was tried. */
  readonly error?: MemberError;
}

function mark(ok: boolean): string {
  return ok ? paint('green', '✓', process.stdout) : paint('red', '✗', process.stdout);
}

interface Shown {
  readonly ok: boolean | null;
  readonly wanted: string;
  readonly observed: string;
  readonly remedy: string | null;
}

function errorLines(error: MemberError | undefined): string[] {
  return error === undefined ? [] : [`    ${error.detail}`, `    next: ${error.remedy}`];
}

function failureLines(id: string, { ok, wanted, observed, remedy }: Shown): string[] {
  // What a server says may be bytes of its protocol.
  const shown = observed.replace(/[\p{Cc}\p{Cs}]+/gu, ' ');
  return ok === false ? [`    ${id}: wanted ${wanted}; ${shown}`, `    next: ${remedy}`] : [];
}
