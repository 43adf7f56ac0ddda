/** One look of the agent at one service: planned, brought to what the stack file says, and what came of it. */
import { OperatorFault, remedyOf } from '../../core/faults/operator-faults.ts';
import { SERVICE_KIND_TABLE } from '../../core/services/service-kinds.ts';
import type { ServiceSpec } from '../../core/stack/stack.ts';
import type { Instant } from '../../core/time/instant.ts';
import { applyPlan } from '../../flow/agent/apply-plan.ts';
import type { Looked } from '../../flow/agent/keep-stack.ts';
import { planService } from '../../flow/agent/plan-service.ts';
import type { StackWorld } from './stack-world.ts';

export async function lookAtService(world: StackWorld, service: ServiceSpec): Promise<Looked> {
  let notAfter: Instant | null = null;
  try {
    const kind = SERVICE_KIND_TABLE[service.kind];
    const plan = await planService(world, service, kind, false);
    notAfter = plan.installed?.chain[0]?.validity.notAfter ?? null;
    const result = await applyPlan(world, plan);
    if (result.ok) {
      const { renewal } = result.action === 'none' ? plan : await planService(world, service, kind, false);
      return { kind: 'good', changed: result.action !== 'none', renewAt: renewal.renewAt };
    }
    const failed = result.steps.find(({ ok }) => !ok);
    return {
      kind: 'failed',
      error: { step: failed?.step ?? 'confirm', detail: failed?.detail ?? '', remedy: failed?.remedy ?? null },
      notAfter,
      retryAfterSeconds: result.retryAfterSeconds ?? null,
    };
  } catch (fault) {
    const remedy = fault instanceof OperatorFault ? remedyOf(fault) : null;
    return {
      kind: 'failed',
      error: {
        step: 'plan',
        detail: fault instanceof Error ? fault.message : String(fault),
        remedy: remedy && (remedy.command ? `${remedy.text} ${remedy.command}` : remedy.text),
      },
      notAfter,
      retryAfterSeconds: null,
    };
  }
}
