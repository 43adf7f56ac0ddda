/** `verify`: what is served and what is refused, by handshakes. */
import { SERVICE_KIND_TABLE } from '../../core/services/service-kinds.ts';
import type { ServiceSpec, Stack } from '../../core/stack/stack.ts';
import { planService } from '../../flow/agent/plan-service.ts';
import { verifyService } from '../../flow/agent/verify/verify-service.ts';
import { type Context, print } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import type { StackFlags } from '../cli/stack.ts';
import { chosenMembers } from '../programs/stack-members.ts';
import { withStack } from './with-stack.ts';

export async function verify(context: Context, flags: StackFlags, names: readonly string[]): Promise<void> {
  await withStack(context, flags, async (stack, world) => {
    const services = await Promise.all(
      chosenServices(stack, names).map(async (service) => {
        const plan = await planService(world, service, SERVICE_KIND_TABLE[service.kind], false);
        const checks =
          service.address === null ? [] : await verifyService(await world.verification(service), plan, service.address);
        const address = service.address && `${service.address.host}:${service.address.port}`;
        return { name: service.name, kind: service.kind, address, ok: checks.every(({ ok }) => ok !== false), checks };
      }),
    );
    const ok = services.every((service) => service.ok);
    print(context, { stack: stack.name, ok, services }, () =>
      services.flatMap((service) => [
        `${service.ok ? paint('green', '✓', process.stdout) : paint('red', '✗', process.stdout)} ${service.name}  ${service.kind}  ${service.address ?? 'no address'}`,
        ...service.checks
          .filter((check) => check.ok === false)
          .flatMap((check) => [
            `    ${check.id}: wanted ${check.wanted}; ${check.observed}`,
            `    next: ${check.remedy}`,
          ]),
      ]),
    );
    if (!ok) process.exitCode = 1;
  });
}

function chosenServices(stack: Stack, names: readonly string[]): readonly ServiceSpec[] {
  return chosenMembers(stack, names).flatMap((member) => (member.kind === 'service' ? [member.service] : []));
}
