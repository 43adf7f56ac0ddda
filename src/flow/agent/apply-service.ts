/**
 * One service to TLS: issue → stage → check → install → configure → reload → confirm. Only a handshake that shows the new
 * certificate ends it well; whatever fails before, the old pair and the old configuration are back in place, reloaded and
 * confirmed, and the report says what to do.
 *
 * A crash at any line leaves either the old version or the new one behind `current`, complete; the next run sees an
 * unconfirmed version and finishes it.
 */

import { OperatorFault, remedyOf } from '../../core/faults/operator-faults.ts';
import { type ProvenPair, provePair } from '../../core/renewal/stage-pair.ts';
import type { Action } from '../../core/services/service-kind.ts';
import { formatRfc3339 } from '../../core/time/instant.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import type { ConfigurationPorts, HostPorts, InstallPorts, Obtain } from './agent-ports.ts';
import type { ServicePlan } from './plan-service.ts';

export type StepName = 'issue' | 'stage' | 'check' | 'install' | 'configure' | 'reload' | 'confirm';

export interface Step {
  readonly step: StepName;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy: string | null;
}

export interface ApplyResult {
  readonly name: string;
  readonly ok: boolean;
  readonly action: 'none' | 'issued' | 'configured' | 'reloaded' | 'restored';
  readonly certificate: { readonly fingerprint: string; readonly serial: string; readonly notAfter: string } | null;
  readonly steps: readonly Step[];
}

export interface ApplyPorts {
  readonly obtain: Obtain;
  readonly install: InstallPorts;
  readonly configuration: ConfigurationPorts;
  readonly host: HostPorts;
}

/** How long a service may take to serve what it was told to: old workers end, sockets come back. */
const CONFIRM_TRIES_MS = [0, 100, 200, 400, 800, 1600, 3200];

/** A step failed: the message is for the report, the remedy too. */
class StepFailed extends Error {
  readonly step: StepName;
  readonly remedy: string;
  constructor(step: StepName, message: string, remedy: string) {
    super(message);
    this.step = step;
    this.remedy = remedy;
  }
}

export async function applyService(ports: ApplyPorts, plan: ServicePlan): Promise<ApplyResult> {
  const { service, renewal, edits, installed } = plan;
  const steps: Step[] = [];
  const done = (step: StepName, detail: string): void => {
    steps.push({ step, ok: true, detail, remedy: null });
  };
  const unconfirmed = installed !== null && installed.confirmedAt === null;
  if (!renewal.due && edits.length === 0 && !unconfirmed)
    return { name: service.name, ok: true, action: 'none', certificate: summary(installed?.chain[0]), steps };

  let version = installed?.number ?? null;
  let leaf = installed?.chain[0];
  let touched = false;
  try {
    if (renewal.due) {
      const pair = await issue(ports, plan);
      done('issue', renewal.why);
      version = ports.install.stage(plan.desired.install, pair);
      done(
        'stage',
        `version ${version} beside the ${installed ? `version ${installed.number} in use` : 'place where it will be'}`,
      );
      done('check', 'key, chain, dates, names and usages are as asked');
      touched = true;
      ports.install.activate(plan.desired.install, version);
      done('install', plan.desired.install.directory);
      leaf = pair.chain[0];
    }
    touched = true;
    for (const edit of edits) ports.configuration.write(edit.path, edit.after, edit.mode);
    if (edits.length > 0) done('configure', edits.map(({ path }) => path).join(', '));
    await checkConfiguration(ports, plan);
    await reload(ports, plan, edits.length > 0);
    done('reload', 'done');
    await confirm(ports, plan, leaf);
    done(
      'confirm',
      service.address === null
        ? 'no address to look at: the loop is closed at "installed"'
        : 'the new certificate is served',
    );
    if (version !== null) ports.install.confirm(plan.desired.install, version, ports.host.clock());
    return {
      name: service.name,
      ok: true,
      action: renewal.due ? 'issued' : edits.length > 0 ? 'configured' : 'reloaded',
      certificate: summary(leaf),
      steps,
    };
  } catch (fault) {
    steps.push(failedStep(fault, steps));
    if (touched) await restore(ports, plan, steps);
    return {
      name: service.name,
      ok: false,
      action: touched ? 'restored' : 'none',
      certificate: summary(installed?.chain[0]),
      steps,
    };
  }
}

async function issue(ports: ApplyPorts, { service }: ServicePlan): Promise<ProvenPair> {
  const pair = await ports.obtain(service);
  const result = provePair(pair, { names: service.names, purpose: 'server' }, ports.host.clock());
  if ('flaw' in result)
    throw new StepFailed(
      'check',
      `what the issuer returned is not what was asked for: ${result.flaw}`,
      'Look at the issuer; nothing was installed.',
    );
  return result;
}

async function checkConfiguration(ports: ApplyPorts, { desired }: ServicePlan): Promise<void> {
  if (desired.check === null) return;
  const { ok, output } = await ports.host.run(desired.check);
  if (!ok)
    throw new StepFailed(
      'configure',
      `the service's own check refuses the configuration: ${output}`,
      `Run it by hand: ${commandLine(desired.check)}`,
    );
}

async function reload(ports: ApplyPorts, { desired }: ServicePlan, configurationChanged: boolean): Promise<void> {
  const action = configurationChanged && desired.restart !== null ? desired.restart : desired.reload;
  if (action === null) return;
  const { ok, output } = await ports.host.run(action);
  if (!ok) throw new StepFailed('reload', `reloading failed: ${output}`, `Run it by hand: ${commandLine(action)}`);
}

/** The exit status of a reload is evidence; the handshake is the proof. */
async function confirm(
  ports: ApplyPorts,
  { service, kind }: ServicePlan,
  leaf: Certificate | undefined,
): Promise<void> {
  if (service.address === null || leaf === undefined) return;
  let seen = '';
  for (const waitMs of CONFIRM_TRIES_MS) {
    await ports.host.sleep(waitMs);
    const served = await ports.host.servedFingerprint(kind.protocol, service.address, serverNameOf(service.names));
    if (served === leaf.fingerprint) return;
    seen = typeof served === 'string' ? `another certificate is served (${served.slice(0, 16)}…)` : served.why;
  }
  const { host, port } = service.address;
  throw new StepFailed(
    'confirm',
    `${host}:${port} does not serve the new certificate: ${seen}`,
    `Look at the service's log, then: fullchain cert inspect ${host}:${port}`,
  );
}

/** Old pair and old configuration back, reloaded and looked at. */
async function restore(ports: ApplyPorts, plan: ServicePlan, steps: Step[]): Promise<void> {
  const { desired, installed, edits } = plan;
  try {
    for (const edit of [...edits].reverse()) ports.configuration.write(edit.path, edit.before, edit.mode);
    if (installed) ports.install.activate(desired.install, installed.number);
    await reload(ports, plan, edits.length > 0 && desired.restart !== null);
    if (installed) await confirm(ports, plan, installed.chain[0]);
    steps.push({
      step: 'install',
      ok: true,
      detail: installed ? 'the old pair is back in place and served' : 'the old configuration is back in place',
      remedy: null,
    });
  } catch (fault) {
    steps.push({
      ...failedStep(fault, steps),
      detail: `putting the old state back: ${fault instanceof Error ? fault.message : String(fault)}`,
    });
  }
}

function failedStep(fault: unknown, before: readonly Step[]): Step {
  if (fault instanceof StepFailed) return { step: fault.step, ok: false, detail: fault.message, remedy: fault.remedy };
  const step = before.at(-1) === undefined ? 'issue' : nextStep(before.at(-1)?.step ?? 'issue');
  if (fault instanceof OperatorFault) {
    const { text, command } = remedyOf(fault);
    return { step, ok: false, detail: fault.message, remedy: command ? `${text} ${command}` : text };
  }
  return {
    step,
    ok: false,
    detail: fault instanceof Error ? fault.message : String(fault),
    remedy: 'See the cause; the next run tries again.',
  };
}

const ORDER: readonly StepName[] = ['issue', 'stage', 'check', 'install', 'configure', 'reload', 'confirm'];

function nextStep(step: StepName): StepName {
  return ORDER[ORDER.indexOf(step) + 1] ?? 'confirm';
}

/** The first plain name: what a client would ask for by SNI. */
export function serverNameOf(names: readonly { readonly kind: string; readonly value?: unknown }[]): string | null {
  const name = names.find(({ kind, value }) => kind === 'dns' && typeof value === 'string' && !value.startsWith('*.'));
  return typeof name?.value === 'string' ? name.value : null;
}

function commandLine(action: Action): string {
  switch (action.kind) {
    case 'command':
      return action.argv.join(' ');
    case 'shell':
      return action.command;
    case 'signal':
      return `kill -${action.signal.slice(3)} "$(head -1 ${action.pidFile})"`;
    case 'redis':
      return `redis-cli -h ${action.host} ${action.commands.map((command) => command.join(' ')).join('; ')}`;
  }
}

function summary(leaf: Certificate | undefined): ApplyResult['certificate'] {
  return leaf
    ? { fingerprint: leaf.fingerprint, serial: leaf.serial, notAfter: formatRfc3339(leaf.validity.notAfter) }
    : null;
}
