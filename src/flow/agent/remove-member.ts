/**
 * What apply put there is taken out: first the configuration, then the service is told, and only when it took that up
 * are the files gone that it read.
 */
import { commandLine } from '../../core/services/action-text.ts';
import type { Footprint } from '../../core/services/footprint.ts';
import type { MemberName } from '../../core/stack/member-name.ts';
import type { ConfigurationPorts, HostPorts, InstallPorts } from './agent-ports.ts';
import type { ApplyResult } from './apply-result.ts';
import { failedStep, type Step, StepFailed, type StepName } from './step.ts';

export interface RemovePorts {
  readonly install: Pick<InstallPorts, 'versions' | 'remove'>;
  readonly configuration: ConfigurationPorts;
  readonly host: Pick<HostPorts, 'run' | 'isListening'>;
}

/** Of a file that is made; one that exists keeps its own. */
const NEW_FILE_MODE = 0o600;

/** Never throws for what the world does: a fault is a step that failed. */
export async function removeMember(
  ports: RemovePorts,
  member: MemberName,
  footprints: readonly Footprint[],
): Promise<ApplyResult> {
  const steps: Step[] = [];
  let at: StepName = 'configure';
  const done = (detail: string): void => {
    steps.push({ step: at, ok: true, detail, remedy: null });
  };
  let found: readonly Footprint[] = [];
  try {
    found = footprints.filter((footprint) => isThere(ports, member, footprint));
    const edits = found.flatMap((footprint) => removalEdits(ports, member, footprint));
    for (const { path, after } of edits) ports.configuration.write(path, after, NEW_FILE_MODE);
    if (edits.length > 0) done(`taken out: ${edits.map(({ path }) => path).join(', ')}`);
    at = 'reload';
    // Also when only files are left: an earlier run may have ended before the service was told.
    for (const footprint of toldOnce(found)) done(await tell(ports, footprint));
    at = 'install';
    for (const { install } of footprints)
      if (install !== null && ports.install.remove(install)) done(`${install.directory} is gone`);
  } catch (fault) {
    steps.push(failedStep(fault, at));
  }
  const ok = steps.every((step) => step.ok);
  const action = ok ? (found.length > 0 ? 'removed' : 'none') : 'failed';
  return { name: member.name, ok, action, certificate: null, steps };
}

/** Whether anything of it is still on the host. */
export function isThere(
  ports: Pick<RemovePorts, 'install' | 'configuration'>,
  member: MemberName,
  footprint: Footprint,
): boolean {
  const { install } = footprint;
  return (
    (install !== null && ports.install.versions(install).length > 0) ||
    removalEdits(ports, member, footprint).length > 0
  );
}

function removalEdits(
  { configuration }: Pick<RemovePorts, 'configuration'>,
  { name }: MemberName,
  footprint: Footprint,
): { readonly path: string; readonly after: string | null }[] {
  return footprint.configuration
    .map((change) => configuration.preview(change, name))
    .filter(({ before, after }) => before !== after);
}

/** Those whose service has something to take up, each way of telling it once. */
function toldOnce(footprints: readonly Footprint[]): Footprint[] {
  const told = footprints.filter(({ removal, configuration }) => removal !== null && configuration.length > 0);
  return [...new Map(told.map((footprint) => [JSON.stringify(footprint.removal), footprint])).values()];
}

/** @throws StepFailed when the service may still be reading the files */
async function tell({ host }: Pick<RemovePorts, 'host'>, { removal, address }: Footprint): Promise<string> {
  if (removal === null) return 'nothing is to be told';
  const { ok, output } = await host.run(removal);
  if (ok) return 'done';
  // Whoever does not run reads no files.
  if (address !== null && !(await host.isListening(address)))
    return `the service does not run, and was not told: ${output}`;
  throw new StepFailed(
    'reload',
    `the service was not told, so its files stay for now: ${output}`,
    `Run it by hand: ${commandLine(removal)} — then again: fullchain apply --remove`,
  );
}
