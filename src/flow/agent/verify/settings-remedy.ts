/** What to do about a setting of TLS that is not as it should be: apply sets it, or a person does, in a file of their own. */
import { commandLine } from '../../../core/services/action-text.ts';
import { isSettled } from '../install-plan.ts';
import type { ServicePlan } from '../plan-service.ts';

/** @param todo such as "Require TLS" */
export function settingsRemedy(todo: string, plan: ServicePlan): string {
  const { byHand, configuration, reload } = plan.desired;
  if (byHand) return `${todo}, which apply does not do here: in ${byHand.where}, ${byHand.write}`;
  if (!isSettled(plan)) return `${todo}: fullchain apply`;
  // What its files say is only what it began with.
  if (reload?.kind === 'redis')
    return `${todo}: the server was told otherwise since it was set up (CONFIG SET); to tell it all of it again: fullchain rotate ${plan.service.name}`;
  const paths = configuration.filter((change) => 'content' in change && !change.isData).map(({ path }) => path);
  const blocks = configuration.filter((change) => 'lines' in change && change.lines !== null).map(({ path }) => path);
  const where = [...paths, ...blocks].join(', ');
  const again = reload ? `: ${commandLine(reload)}` : '';
  return `${todo}: ${where} says so already, so look for what overrides it there or in another file; then reload${again}`;
}
