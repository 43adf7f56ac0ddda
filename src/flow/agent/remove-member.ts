/**
 * What apply put there is taken out: first the configuration, then the service is told, and only when it took that up
 * are the files gone that it read.
 */
import type { ApplyPorts, ApplyResult } from './apply-plan.ts';
import { commandLine } from './apply-plan.ts';
import type { InstallWish } from './install-plan.ts';
import { failedStep, type Step, StepFailed, type StepName } from './step.ts';

/** Of a file that is made; one that exists keeps its own. */
const NEW_FILE_MODE = 0o600;

/** Never throws for what the world does: a fault is a step that failed. */
export async function removeMember(
  ports: Pick<ApplyPorts, 'install' | 'configuration' | 'host'>,
  { member, desired }: Pick<InstallWish, 'member' | 'desired'>,
): Promise<ApplyResult> {
  const steps: Step[] = [];
  let at: StepName = 'configure';
  const done = (detail: string): void => {
    steps.push({ step: at, ok: true, detail, remedy: null });
  };
  let found = false;
  try {
    const edits = desired.configuration
      .map((change) =>
        ports.configuration.preview(
          change.kind === 'own-file' ? { ...change, content: null } : { ...change, lines: null },
          member.name,
        ),
      )
      .filter(({ before, after }) => before !== after);
    found = edits.length > 0 || ports.install.versions(desired.install).length > 0;
    for (const { path, after } of edits) ports.configuration.write(path, after, NEW_FILE_MODE);
    if (edits.length > 0) done(`taken out: ${edits.map(({ path }) => path).join(', ')}`);
    at = 'reload';
    const action = desired.removal ?? desired.restart ?? desired.reload;
    // Also when only files are left: an earlier run may have ended before the service was told.
    if (found && desired.configuration.length > 0 && action) {
      const { ok, output } = await ports.host.run(action);
      if (!ok)
        throw new StepFailed(
          'reload',
          `the service was not told, so its files stay for now: ${output}`,
          `Run it by hand: ${commandLine(action)} — then again: fullchain apply --remove`,
        );
      done('done');
    }
    at = 'install';
    found = ports.install.remove(desired.install) || found;
    if (found) done(`${desired.install.directory} is gone`);
  } catch (fault) {
    steps.push(failedStep(fault, at));
  }
  const ok = steps.every((step) => step.ok);
  return { name: member.name, ok, action: ok ? (found ? 'removed' : 'none') : 'failed', certificate: null, steps };
}
