/** Gather and decide for one service: what is there, what is to be, and why. Nothing is changed here. */
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { type Installed, type RenewalDecision, renewalDecision } from '../../core/renewal/renewal-due.ts';
import type { Desired, Facts, ServiceKind } from '../../core/services/service-kind.ts';
import { unifiedDiff } from '../../core/services/unified-diff.ts';
import type { ServiceSpec } from '../../core/stack/stack.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { validatePath } from '../../core/x509/path.ts';
import type { ConfigurationPorts, HostPorts, InstalledVersion, InstallPorts } from './agent-ports.ts';

export interface FileEdit {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly mode: number;
  readonly why: string;
}

export interface ServicePlan {
  readonly service: ServiceSpec;
  readonly kind: ServiceKind;
  readonly facts: Facts;
  readonly desired: Desired;
  readonly installed: InstalledVersion | null;
  readonly renewal: RenewalDecision;
  /** Only files that change. */
  readonly edits: readonly FileEdit[];
}

export interface PlanPorts {
  readonly install: Pick<InstallPorts, 'readCurrent'>;
  readonly configuration: Pick<ConfigurationPorts, 'preview'>;
  readonly host: Pick<HostPorts, 'facts' | 'clock'>;
  /** The roots that a certificate of this service may lead to. */
  readonly anchors: (service: ServiceSpec) => readonly Certificate[];
}

export async function planService(
  ports: PlanPorts,
  service: ServiceSpec,
  kind: ServiceKind,
  asked: boolean,
): Promise<ServicePlan> {
  const facts = await ports.host.facts(kind.facts(service), service.runAs === null ? kind.users : [service.runAs]);
  const unsupported = kind.unsupported(service, facts);
  if (unsupported !== null) throw new OperatorFault('usage', `services.${service.name}: ${unsupported}`);
  const desired = kind.desired(service, facts, { verifyClients: service.clients.kind !== 'none' });
  const current = ports.install.readCurrent(desired.install);
  const now = ports.host.clock();
  const renewal = renewalDecision(installedState(current, ports.anchors(service), now), service, asked, now);
  const edits = desired.configuration.flatMap((change): FileEdit[] => {
    const { path, before, after } = ports.configuration.preview(change, service.name);
    const mode = change.kind === 'own-file' ? change.mode : 0o600;
    return before === after ? [] : [{ path, before, after, mode, why: change.why }];
  });
  const installed = current && 'number' in current ? current : null;
  return { service, kind, facts, desired, installed, renewal, edits };
}

function installedState(
  current: InstalledVersion | { readonly flaw: string } | null,
  anchors: readonly Certificate[],
  now: Parameters<typeof renewalDecision>[3],
): Installed {
  if (current === null) return { kind: 'missing' };
  if ('flaw' in current) return { kind: 'unreadable', why: current.flaw };
  const [leaf, ...intermediates] = current.chain;
  if (!leaf) return { kind: 'unreadable', why: 'the chain is empty' };
  // Whether it leads to one of our roots; that it has expired is a reason of its own.
  const at = now > leaf.validity.notAfter ? leaf.validity.notAfter : now;
  return {
    kind: 'installed',
    leaf,
    chainsToTrust: validatePath({ leaf, intermediates, anchors, now: at, purpose: 'any' }).ok,
  };
}

export type PlannedAction = 'issue' | 'install' | 'configure' | 'reload' | 'restart' | 'none';

export interface PlannedChange {
  readonly service: string;
  readonly action: PlannedAction;
  readonly why: string;
  readonly diff?: string;
}

/** The plan in the words of the `plan` answer: one line an action, "none" where nothing is to be done. */
export function plannedChanges(plan: ServicePlan): PlannedChange[] {
  const { service, desired, renewal, edits, installed } = plan;
  const line = (action: PlannedAction, why: string, diff?: string): PlannedChange => ({
    service: service.name,
    action,
    why,
    ...(diff !== undefined && { diff }),
  });
  const changes: PlannedChange[] = [];
  if (renewal.due) {
    changes.push(line('issue', renewal.why));
    changes.push(line('install', `a new version in ${desired.install.directory}`));
  }
  for (const edit of edits)
    changes.push(
      line('configure', `${edit.path}: ${edit.why}`, unifiedDiff(edit.before ?? '', edit.after ?? '', edit.path)),
    );
  const restart = edits.length > 0 && desired.restart !== null;
  if (restart && desired.restart) changes.push(line('restart', desired.restart.why));
  else if (changes.length > 0 && desired.reload) changes.push(line('reload', desired.reload.why));
  else if (changes.length === 0 && installed && installed.confirmedAt === null && desired.reload) {
    changes.push(line('reload', 'the installed pair has not been seen served yet'));
  }
  return changes.length > 0 ? changes : [line('none', renewal.why)];
}
