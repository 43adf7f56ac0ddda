/** `verify`: what is served, what is refused, and whether clients get in, by handshakes. */
import { SERVICE_KIND_TABLE } from '../../core/services/service-kinds.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import type { ClientSpec, ServiceSpec, Stack } from '../../core/stack/stack.ts';
import { handshake } from '../../edge/probe/service-handshake.ts';
import { planClient } from '../../flow/agent/plan-client.ts';
import { planService } from '../../flow/agent/plan-service.ts';
import { verifyClient } from '../../flow/agent/verify/verify-client.ts';
import { verifyService } from '../../flow/agent/verify/verify-service.ts';
import { type Context, print } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import type { StackFlags } from '../cli/stack.ts';
import { chosenMembers } from '../programs/stack-members.ts';
import type { StackWorld } from '../programs/stack-world.ts';
import { withStack } from './with-stack.ts';

export async function verify(context: Context, flags: StackFlags, names: readonly string[]): Promise<void> {
  await withStack(context, flags, async (stack, world) => {
    const members = chosenMembers(stack, names);
    const [services, clients] = await Promise.all([
      Promise.all(members.flatMap((member) => (member.kind === 'service' ? [verified(world, member.service)] : []))),
      Promise.all(
        members.flatMap((member) => (member.kind === 'client' ? [connected(world, stack, member.client)] : [])),
      ),
    ]);
    const ok = [...services, ...clients].every((member) => member.ok);
    print(context, { stack: stack.name, ok, services, clients }, () => [
      ...services.flatMap(({ name, kind, address, ok, checks }) => [
        `${mark(ok)} ${name}  ${kind}  ${address ?? 'no address'}`,
        ...checks.flatMap(({ id, ...check }) => failureLines(id, check)),
      ]),
      ...clients.flatMap(({ name, ok, connects }) => [
        `${mark(ok)} ${name}  client  ${connects.map(({ service }) => service).join(', ')}`,
        ...connects.flatMap(({ service, ...check }) => failureLines(service, check)),
      ]),
    ]);
    if (!ok) process.exitCode = 1;
  });
}

async function verified(world: StackWorld, service: ServiceSpec) {
  const plan = await planService(world, service, SERVICE_KIND_TABLE[service.kind], false);
  const { name, kind, address } = service;
  const checks = address === null ? [] : await verifyService(await world.verification(service), plan, address);
  return {
    name,
    kind,
    address: address && formatHostPort(address),
    ok: checks.every(({ ok }) => ok !== false),
    checks,
  };
}

async function connected(world: StackWorld, stack: Stack, client: ClientSpec) {
  const plan = await planClient(world, client, stack.services, false);
  const connects = await verifyClient({ handshake, install: world.install }, plan, client, stack.services);
  return { name: client.name, ok: connects.every(({ ok }) => ok !== false), connects };
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

function failureLines(id: string, { ok, wanted, observed, remedy }: Shown): string[] {
  // What a server says may be bytes of its protocol.
  const shown = observed.replace(/[\p{Cc}\p{Cs}]+/gu, ' ');
  return ok === false ? [`    ${id}: wanted ${wanted}; ${shown}`, `    next: ${remedy}`] : [];
}
