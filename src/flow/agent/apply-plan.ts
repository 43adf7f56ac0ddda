/**
 * One member to TLS: issue → stage → check → install → configure → reload → confirm. Only a handshake that shows the new
 * certificate ends it well; whatever fails before, what was proven to work is back in place, reloaded and confirmed, and the
 * report says what to do. A certificate that was obtained is kept for the next try: an issuer is not asked twice for one renewal.
 *
 * A crash at any line leaves the old version or the new one behind `current`, complete, and marked as not yet served before
 * its service could have been told anything; the next run finishes it.
 */

import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { type Pair, type ProvenPair, provePair } from '../../core/renewal/stage-pair.ts';
import { commandLine } from '../../core/services/action-text.ts';
import type { Action } from '../../core/services/service-kind.ts';
import { saysStopped, startText } from '../../core/services/start-text.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import type { ConfigurationPorts, HostPorts, InstalledVersion, InstallPorts, Obtain, TakeUp } from './agent-ports.ts';
import { type ApplyResult, applyResult } from './apply-result.ts';
import { confirmServed } from './confirm-served.ts';
import { type FileEdit, type InstallPlan, isSettled, plannedNotes, wishedFootprint } from './install-plan.ts';
import type { MemberRecords } from './member-records.ts';
import { failedStep, type Step, StepFailed, type StepName } from './step.ts';

export interface ApplyPorts {
  readonly obtain: Obtain;
  readonly install: InstallPorts;
  readonly configuration: ConfigurationPorts;
  readonly host: HostPorts;
  readonly records: Pick<MemberRecords, 'remember'>;
}

/** How many versions are kept, the one in use included. */
const KEPT_VERSIONS = 5;

/** Never throws for what the world does: a fault is a step that failed. */
export async function applyPlan(ports: ApplyPorts, plan: InstallPlan): Promise<ApplyResult> {
  let lock: { readonly release: () => void } | null;
  try {
    ports.records.remember(plan.member, wishedFootprint(plan));
    if (isSettled(plan)) return applyResult(plan, 'none', plan.installed?.chain[0], []);
    lock = ports.install.lock(plan.desired.install);
  } catch (fault) {
    return applyResult(plan, 'failed', plan.installed?.chain[0], [failedStep(fault, 'stage')]);
  }
  if (lock === null) return applyResult(plan, 'failed', plan.installed?.chain[0], [busy(plan)]);
  try {
    return await applyLocked(ports, plan);
  } finally {
    lock.release();
  }
}

async function applyLocked(ports: ApplyPorts, plan: InstallPlan): Promise<ApplyResult> {
  const work = new Work(ports, plan);
  try {
    work.sameAsPlanned();
    work.repair();
    await work.prepare();
    await work.install();
    await work.configure();
    await work.confirm();
    return { ...applyResult(plan, work.action(), work.leaf, work.steps), ...noted(plan) };
  } catch (fault) {
    work.steps.push(failedStep(fault, work.at));
    const action = work.touched ? await work.restore() : 'failed';
    return {
      ...applyResult(plan, action, plan.installed?.chain[0], work.steps),
      ...retryAfter(fault),
    };
  }
}

/** One run. Fields say how far it has come, which is what has to be undone. */
class Work {
  readonly steps: Step[] = [];
  at: StepName = 'issue';
  /** Something on disk is no longer as it was found. */
  touched = false;
  leaf: Certificate | undefined;
  private version: number | null;
  private written: FileEdit[] = [];
  private readonly ports: ApplyPorts;
  private readonly plan: InstallPlan;

  constructor(ports: ApplyPorts, plan: InstallPlan) {
    this.ports = ports;
    this.plan = plan;
    this.version = plan.installed?.number ?? null;
    this.leaf = plan.installed?.chain[0];
  }

  /** Another agent, with a state of its own, may have been here since. */
  sameAsPlanned(): void {
    const { desired, installed } = this.plan;
    const current = this.ports.install.readCurrent(desired.install);
    const number = current && 'number' in current ? current.number : null;
    if (number !== (installed?.number ?? null))
      throw new StepFailed(
        'stage',
        'another agent changed this pair at the same time',
        'Run it again: fullchain apply',
      );
  }

  /** What is there, as it was put there: whatever follows is beside it, or reads it. */
  repair(): void {
    const { desired, drift, installed } = this.plan;
    if (drift.length === 0) return;
    this.at = 'install';
    if (installed !== null) this.ports.install.mark(desired.install, installed.number, this.wantedTakeUp());
    this.ports.install.repair(desired.install);
    this.done('install', `put right: ${drift.map(({ path, why }) => `${path} (${why})`).join(', ')}`);
  }

  /** What must be in force before a certificate is ordered: the listener that answers for it. */
  async prepare(): Promise<void> {
    const edits = this.plan.edits.filter(({ beforeIssue }) => beforeIssue);
    if (edits.length === 0 || !this.plan.renewal.due) return;
    this.write(edits);
    await this.checkConfiguration();
    await this.takeUp('restart');
  }

  /** A new version, or the same pair with another bundle, behind `current`. */
  async install(): Promise<void> {
    const { desired, renewal, pending, installed, trustChanged } = this.plan;
    if (!renewal.due && !trustChanged) return;
    const { install } = this.ports;
    if (renewal.due && pending !== null) {
      this.version = pending.number;
      this.done('stage', `version ${pending.number}, obtained by an earlier try, is used`);
    } else {
      const pair = await this.newPair();
      this.at = 'stage';
      this.version = install.stage(desired.install, pair, this.wantedTakeUp());
      this.done('stage', `version ${this.version} beside ${installed ? `version ${installed.number}` : 'nothing yet'}`);
    }
    this.at = 'check';
    this.leaf = this.readBack(this.version).chain[0];
    this.done('check', 'key, chain, dates, names and usages are as asked, as written');
    this.at = 'install';
    this.touched = true;
    install.activate(desired.install, this.version);
    this.done('install', desired.install.directory);
  }

  async configure(): Promise<void> {
    const edits = this.plan.edits.filter((edit) => !this.written.includes(edit));
    const { desired, installed } = this.plan;
    if (edits.length > 0) {
      // A crash after the first file must not leave a service that was never told.
      if (this.version !== null && this.version === installed?.number)
        this.ports.install.mark(desired.install, this.version, this.wantedTakeUp());
      this.write(edits);
    }
    if (this.written.length > 0) this.done('configure', this.written.map(({ path }) => path).join(', '));
    await this.checkConfiguration();
    const action = await this.takeUp(this.wantedTakeUp());
    this.done('reload', action === null ? 'nobody was told: no reload is known or needed here' : commandLine(action));
  }

  async confirm(): Promise<void> {
    this.at = 'confirm';
    const { desired, endpoint } = this.plan;
    await confirmServed(this.ports.host, this.plan, this.leaf);
    this.done(
      'confirm',
      endpoint === null
        ? 'no address to look at: the loop is closed at "installed"'
        : 'the new certificate is served at every address',
    );
    if (this.version === null) return;
    this.ports.install.mark(desired.install, this.version, this.ports.host.clock());
    this.prune(this.version);
  }

  action(): ApplyResult['action'] {
    const { renewal, trustChanged, drift, edits } = this.plan;
    if (renewal.due) return 'issued';
    return trustChanged || drift.length > 0 ? 'installed' : edits.length > 0 ? 'configured' : 'reloaded';
  }

  /** Back to what was seen served last, unless it has expired since: then the new pair is the better one. */
  async restore(): Promise<'restored' | 'failed'> {
    const { desired, proven, installed } = this.plan;
    const { install, host } = this.ports;
    try {
      for (const edit of [...this.written].reverse()) this.ports.configuration.write(edit.path, edit.before, edit.mode);
      const back = proven && !expired(proven, host.clock()) ? proven : null;
      if (back !== null && back.number !== this.version) install.activate(desired.install, back.number);
      else if (back === null && installed === null && (this.written.length > 0 || install.hasPutAside(desired.install)))
        install.activate(desired.install, null);
      await this.takeUp(this.written.some(({ isData }) => !isData) ? 'restart' : 'reload');
      if (back !== null) {
        await confirmServed(host, this.plan, back.chain[0]);
        install.mark(desired.install, back.number, host.clock());
      }
      this.prune(back?.number ?? this.version);
      this.steps.push({
        step: 'install',
        ok: true,
        detail:
          back !== null
            ? `the old pair is back in place and served${this.isRevoked(back) ? `, although it is ${this.plan.renewal.why}: there is no other` : ''}`
            : 'the old configuration is back in place; there is no earlier pair that could be',
        remedy: null,
      });
      return back !== null ? 'restored' : 'failed';
    } catch (fault) {
      const failed = failedStep(fault, 'install');
      this.steps.push({ ...failed, detail: `putting the old state back: ${failed.detail}` });
      return 'failed';
    }
  }

  /** A pair that is refused by some is better than one that nobody is served; but it must be said. */
  private isRevoked({ chain: [leaf] }: InstalledVersion): boolean {
    const { renewal, installed } = this.plan;
    return renewal.reason === 'revoked' && leaf?.fingerprint === installed?.chain[0]?.fingerprint;
  }

  private done(step: StepName, detail: string): void {
    this.steps.push({ step, ok: true, detail, remedy: null });
  }

  /** A changed configuration may want more than a new pair does. */
  private wantedTakeUp(): TakeUp {
    const { edits, installed } = this.plan;
    if (edits.some(({ isData }) => !isData)) return 'restart';
    return installed?.confirmedAt === null ? installed.takeUp : 'reload';
  }

  private async newPair(): Promise<ProvenPair> {
    const { renewal, wanted, trust, installed, desired, anchors } = this.plan;
    const { install, host, obtain } = this.ports;
    const previous = installed && install.readPair(desired.install, installed.number);
    let pair: Pair;
    if (renewal.due) {
      this.at = 'issue';
      pair = await obtain(wanted, previous);
      this.done('issue', renewal.why);
    } else {
      if (previous === null) throw new Error('a bundle without a pair');
      pair = { ...previous, anchors };
    }
    this.at = 'check';
    const purpose = wanted.profile === 'client' ? 'client' : 'server';
    const proof = provePair(pair, { names: wanted.names, purpose, trust }, host.clock());
    if ('flaw' in proof)
      throw new StepFailed(
        'check',
        `what the issuer returned is not what was asked for: ${proof.flaw}`,
        'Look at the issuer; nothing was installed.',
      );
    return proof;
  }

  /** What is on disk is what counts: a disk may lie, and somebody else may write there. */
  private readBack(number: number): InstalledVersion {
    const { desired } = this.plan;
    const version = this.ports.install.readVersion(desired.install, number);
    if ('number' in version) return version;
    throw new StepFailed(
      'check',
      `version ${number} is not as it was written: ${version.flaw}`,
      `Look who else writes there: ls -l ${desired.install.directory}/versions/${number}`,
    );
  }

  private write(edits: readonly FileEdit[]): void {
    this.at = 'configure';
    this.touched = true;
    for (const edit of edits) {
      this.written.push(edit);
      this.ports.configuration.write(edit.path, edit.after, edit.mode);
    }
  }

  private async checkConfiguration(): Promise<void> {
    this.at = 'configure';
    const { check } = this.plan.desired;
    if (check === null) return;
    const { ok, output } = await this.ports.host.run(check);
    if (ok) return;
    throw new StepFailed(
      'configure',
      `the service's own check refuses the configuration: ${output}`,
      `Run it by hand: ${commandLine(check)}`,
    );
  }

  /** @returns what was done; null: nobody has to be told */
  private async takeUp(how: TakeUp): Promise<Action | null> {
    this.at = 'reload';
    const { reload, restart } = this.plan.desired;
    const action = how === 'restart' && restart !== null ? restart : reload;
    if (action === null) return null;
    const { ok, output } = await this.ports.host.run(action);
    if (!ok) throw await this.notTakenUp(action, output);
    return action;
  }

  /** Nobody takes up anything where nobody runs: that is no fault of the command. */
  private async notTakenUp(action: Action, output: string): Promise<StepFailed> {
    const { desired, endpoint, proven } = this.plan;
    // Before TLS is up nobody has to listen there, and nothing can be concluded.
    const isGone = proven !== null && endpoint !== null && !(await this.ports.host.isListening(endpoint.address));
    return new StepFailed(
      'reload',
      `reloading failed: ${output}`,
      isGone || saysStopped(output)
        ? `Start the service, which does not run${startText(desired)} — then again: fullchain apply`
        : `Run it by hand: ${commandLine(action)}`,
    );
  }

  /** The one in use, and of the others the newest, a pending one among them. */
  private prune(inUse: number | null): void {
    const { install } = this.ports;
    const layout = this.plan.desired.install;
    const others = install.versions(layout).filter((number) => number !== inUse);
    install.prune(layout, [...(inUse === null ? [] : [inUse]), ...others.slice(0, KEPT_VERSIONS - 1)]);
  }
}

function expired({ chain: [leaf] }: InstalledVersion, now: Instant): boolean {
  return leaf === undefined || now > leaf.validity.notAfter;
}

function busy({ desired }: InstallPlan): Step {
  return failedStep(
    new OperatorFault('agent-busy', `another agent is changing ${desired.install.directory}`, {
      path: `${desired.install.directory}/.lock`,
    }),
    'stage',
  );
}

function noted(plan: InstallPlan): Pick<ApplyResult, 'notes'> {
  const notes = plannedNotes(plan);
  return notes.length === 0 ? {} : { notes };
}

function retryAfter(fault: unknown): { readonly retryAfterSeconds?: number } {
  const seconds = fault instanceof OperatorFault ? fault.facts.retryAfterSeconds : undefined;
  return typeof seconds === 'number' ? { retryAfterSeconds: seconds } : {};
}
