/** One look of the agent at one member: planned, brought to what the stack file says, and what came of it. */
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { Stack } from '../../core/stack/stack.ts';
import type { Instant } from '../../core/time/instant.ts';
import { applyPlan } from '../../flow/agent/apply-plan.ts';
import type { Looked } from '../../flow/agent/keep-stack.ts';
import { settledError } from './settle-members.ts';
import { planMember, planServedMember, type StackMember } from './stack-members.ts';
import type { StackWorld } from './stack-world.ts';

export async function lookAtMember(world: StackWorld, stack: Stack, member: StackMember): Promise<Looked> {
  let notAfter: Instant | null = null;
  try {
    const plan = await planServedMember(world, stack, member, false);
    notAfter = plan.installed?.chain[0]?.validity.notAfter ?? null;
    const result = await applyPlan(world, plan);
    if (result.ok) {
      const { renewal } = result.action === 'none' ? plan : await planMember(world, stack, member, false);
      const { notes = [] } = result;
      return { kind: 'good', changed: result.action !== 'none', renewAt: renewal.renewAt, notes };
    }
    const failed = result.steps.find(({ ok }) => !ok);
    return {
      kind: 'failed',
      error: { step: failed?.step ?? 'confirm', detail: failed?.detail ?? '', remedy: failed?.remedy ?? null },
      notAfter,
      retryAfterSeconds: result.retryAfterSeconds ?? null,
    };
  } catch (fault) {
    const wait = fault instanceof OperatorFault ? fault.facts.retryAfterSeconds : null;
    return {
      kind: 'failed',
      error: settledError(fault, member),
      notAfter,
      retryAfterSeconds: typeof wait === 'number' ? wait : null,
    };
  }
}
