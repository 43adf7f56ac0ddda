/** `verify`: what is served, what is refused, and whether clients get in, by handshakes. */
import { SERVICE_KIND_TABLE } from '../../core/services/service-kinds.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import type { ClientSpec, HostPort, ServiceSpec, Stack } from '../../core/stack/stack.ts';
import { handshake } from '../../edge/probe/service-handshake.ts';
import { planClient } from '../../flow/agent/plan-client.ts';
import { planService } from '../../flow/agent/plan-service.ts';
import { type ConnectCheck, verifyClient } from '../../flow/agent/verify/verify-client.ts';
import { CHECK_IDS, type Check, isUntried, untried, verifyService } from '../../flow/agent/verify/verify-service.ts';
import { type Context, print } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import type { StackFlags } from '../cli/stack.ts';
import { detailAt, type Settled, type SettledError, settleMembers } from '../programs/settle-members.ts';
import { chosenMembers, type StackMember } from '../programs/stack-members.ts';
import type { StackWorld } from '../programs/stack-world.ts';
import { authorityAnswer, authorityLines, exitOf, lackingRoots } from './authority-trouble.ts';
import { withObservedStack } from './with-stack.ts';

export async function verify(context: Context, flags: StackFlags, names: readonly string[]): Promise<void> {
  await withObservedStack(context, flags, async (stack, world, trouble) => {
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
    const withoutIdentity = seen.find(({ found }) => found !== null && found.fault !== null)?.found ?? null;
    const told = trouble ?? (withoutIdentity && { fault: withoutIdentity.fault, roots: 'known' });
    const exit = exitOf(
      [...services, ...clients].every(({ ok }) => ok),
      withoutIdentity ? told : lackingRoots(told),
    );
    print(context, { stack: stack.name, ok: exit === 0, services, clients, ...authorityAnswer(told) }, () => [
      ...authorityLines(told),
      ...services.flatMap(({ name, kind, address, ok, checks, error }) => [
        `${mark(ok)} ${name}  ${kind}  ${address ?? 'no address'}`,
        ...(error ? [`    ${detailAt(error)}`, `    next: ${error.remedy}`] : []),
        ...(withoutIdentity === null || error ? [] : untriedLines(checks)),
        ...checks.flatMap(({ id, ...check }) => failureLines(id, check)),
      ]),
      ...clients.flatMap(({ name, ok, connects, error }) => [
        `${mark(ok)} ${name}  client  ${connects.map(({ service }) => service).join(', ')}`,
        ...(error ? [`    ${detailAt(error)}`, `    next: ${error.remedy}`] : []),
        ...connects.flatMap(({ service, ...check }) => failureLines(service, check)),
      ]),
    ]);
    process.exitCode = exit;
  });
}

interface Verified {
  readonly checks: readonly Check[];
  /** Why no certificate could be had to try with; null: there was one, or none was needed. */
  readonly fault: unknown;
}

async function checksOf(world: StackWorld, service: ServiceSpec): Promise<Verified> {
  const plan = await planService(world, service, SERVICE_KIND_TABLE[service.kind], false);
  if (service.address === null) return { checks: [], fault: null };
  const ports = await world.verification(service);
  const fault = ports.own !== null && 'fault' in ports.own ? ports.own.fault : null;
  return { checks: await verifyService(ports, plan, service.address), fault };
}

async function connectsOf(world: StackWorld, stack: Stack, client: ClientSpec): Promise<readonly ConnectCheck[]> {
  const plan = await planClient(world, client, stack.services, false);
  return verifyClient({ handshake, install: world.install }, plan, client, stack.services);
}

function serviceAnswer({ member: { service }, found, error }: Settled<Verified, ServiceMember>) {
  const { name, kind, address } = service;
  const checks = found === null ? nothingTried(address, error.detail) : found.checks;
  return { name, kind, address: address && formatHostPort(address), ...judged(checks, error), checks };
}

function nothingTried(address: HostPort | null, why: string): readonly Check[] {
  return address === null ? [] : CHECK_IDS.map((id) => ({ id, ...untried(why) }));
}

function clientAnswer({ member: { client }, found, error }: Settled<readonly ConnectCheck[], ClientMember>) {
  const connects = found ?? client.connects.map((service) => ({ service, ...untried(error.detail) }));
  return { name: client.name, ...judged(connects, error), connects };
}

type ServiceMember = Extract<StackMember, { kind: 'service' }>;
type ClientMember = Extract<StackMember, { kind: 'client' }>;

function judged(checks: readonly Pick<Check, 'ok'>[], error: SettledError | null): Judged {
  return { ok: error === null && checks.every(({ ok }) => ok !== false), ...(error && { error }) };
}

interface Judged {
  readonly ok: boolean;
  /** Why nothing was tried. */
  readonly error?: SettledError;
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

function untriedLines(checks: readonly Check[]): string[] {
  const ids = checks.filter(isUntried).map(({ id }) => id);
  return ids.length === 0 ? [] : [`    not tried: ${ids.join(', ')}`];
}

function failureLines(id: string, { ok, wanted, observed, remedy }: Shown): string[] {
  // What a server says may be bytes of its protocol.
  const shown = observed.replace(/[\p{Cc}\p{Cs}]+/gu, ' ');
  return ok === false ? [`    ${id}: wanted ${wanted}; ${shown}`, `    next: ${remedy}`] : [];
}
