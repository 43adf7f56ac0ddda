/**
 * What is to be done for one member of a stack, a service or a client: a pair, its bundle, files of configuration.
 * Gathered and decided; nothing is changed here.
 */
import { PROFILES } from '../../core/issuance/profile.ts';
import {
  type Installed,
  type RenewalDecision,
  type RootStanding,
  renewalDecision,
} from '../../core/renewal/renewal-due.ts';
import { newerListsText } from '../../core/revocation/newer-lists.ts';
import type { Revocation } from '../../core/revocation/revocation.ts';
import { commandLine } from '../../core/services/action-text.ts';
import { fixedPlacesText } from '../../core/services/fixed-places.ts';
import { type Footprint, footprintOf } from '../../core/services/footprint.ts';
import type { Desired, ServiceProtocol } from '../../core/services/service-kind.ts';
import { unifiedDiff } from '../../core/services/unified-diff.ts';
import type { MemberName } from '../../core/stack/member-name.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import type { KeyPurpose } from '../../core/x509/extended-key-usage.ts';
import { validatePath } from '../../core/x509/path.ts';
import type {
  ConfigurationPorts,
  Drift,
  Flawed,
  HostPorts,
  InstalledVersion,
  InstallPorts,
  WantedCertificate,
} from './agent-ports.ts';

export interface FileEdit {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly mode: number;
  readonly why: string;
  /** In force before a certificate is ordered. */
  readonly beforeIssue: boolean;
  /** Not settings but data: a reload takes it up. */
  readonly isData: boolean;
}

export interface InstallPlan {
  readonly member: MemberName;
  readonly wanted: WantedCertificate;
  /** Where a client would see the certificate; null: nowhere, and the loop closes at "installed". */
  readonly endpoint: { readonly protocol: ServiceProtocol; readonly address: HostPort } | null;
  readonly desired: Desired;
  /** As it was when this was planned: the number that `current` named, whatever was behind it. */
  readonly installed: InstalledVersion | null;
  /** The newest version that was seen served; often `installed` itself. */
  readonly proven: InstalledVersion | null;
  /** Obtained at an earlier try that failed after it: used in place of a new one. */
  readonly pending: InstalledVersion | null;
  readonly renewal: RenewalDecision;
  /** The bundle that is to lie beside the pair; null: the roots of the pair itself. */
  readonly trust: readonly Certificate[] | null;
  /** The pair stays and its bundle is replaced. */
  readonly trustChanged: boolean;
  readonly anchors: readonly Certificate[];
  /** What is not as it was installed. */
  readonly drift: readonly Drift[];
  /** Only files that change. */
  readonly edits: readonly FileEdit[];
  /** Why apply will first have one of its revocation lists signed anew, for people; null: they are the newest. */
  readonly listToSign: string | null;
  /** What a client sees in place of the installed certificate, although it was seen served once; null: not looked at, or as it should be. */
  readonly seenInstead: string | null;
}

export interface PlanPorts {
  readonly install: Pick<InstallPorts, 'readCurrent' | 'readVersion' | 'versions' | 'drift'>;
  readonly configuration: Pick<ConfigurationPorts, 'preview'>;
  readonly host: Pick<HostPorts, 'facts' | 'clock'>;
  /** The roots that certificates of this issuer may lead to: more than new ones do, while a root is being replaced. */
  readonly anchors: (issuer: string) => readonly Certificate[];
  /** Of these, the roots that a new certificate leads to. */
  readonly activeRoots: (issuer: string) => readonly Certificate[];
  /** The roots that members of this stack trust when they verify each other. */
  readonly stackTrust: () => readonly Certificate[];
  /** PEM of the lists by which services refuse clients that were revoked; null: there are none. */
  readonly revocationLists: () => string | null;
  /** Why one of them is to be signed anew, for people; null: it is not. */
  readonly listToSign: () => string | null;
  /** Where an issuer proves names by files below /.well-known/acme-challenge/; null: it does not. */
  readonly challengeWebroot: (issuer: string) => string | null;
  /** Of a certificate that leads to the issuer's roots; null: not revoked, or an ACME server's, which says it by its suggestion alone. */
  readonly revocation: (issuer: string, leaf: Certificate) => Revocation | null;
  /** When the issuer wants the certificate to be replaced (RFC 9773); null: it says nothing, or cannot be asked. */
  readonly suggestedRenewal: (issuer: string, leaf: Certificate) => Promise<Instant | null>;
}

export type InstallWish = Pick<InstallPlan, 'member' | 'wanted' | 'endpoint' | 'desired' | 'trust'>;

/** What apply puts there for it. */
export function wishedFootprint({ desired, endpoint }: Pick<InstallWish, 'desired' | 'endpoint'>): Footprint {
  return footprintOf(desired, endpoint?.address ?? null);
}

/** @param asked a rotation was asked for */
export async function planInstall(ports: PlanPorts, wish: InstallWish, asked: boolean): Promise<InstallPlan> {
  const { wanted, desired, member, trust } = wish;
  const now = ports.host.clock();
  const anchors = ports.anchors(wanted.issuer);
  const current = ports.install.readCurrent(desired.install);
  const installed = current && 'number' in current ? current : null;
  const stateOf = (version: InstalledVersion | Flawed | null): Installed =>
    installedState(ports, wanted.issuer, version, now);
  const suggested = installed?.chain[0] ? await ports.suggestedRenewal(wanted.issuer, installed.chain[0]) : null;
  const renewal = renewalDecision(stateOf(current), asWished(wanted), asked, now, suggested);
  const edits = desired.configuration.flatMap((change): FileEdit[] => {
    const { path, before, after } = ports.configuration.preview(change, member.name);
    const beforeIssue = change.kind === 'own-file' && change.beforeIssue === true;
    // Where there was none, settings that name it come along.
    const isData = change.kind === 'own-file' && change.isData === true && before !== null && after !== null;
    if (before === after) return [];
    const why = isData ? newerListsText(before, after, now) : change.why;
    return [{ path, before, after, mode: change.mode, why, beforeIssue, isData }];
  });
  return {
    ...wish,
    installed,
    proven: newestProven(ports, wish, installed),
    pending: renewal.due && !asked ? pendingVersion(ports, wish, installed, stateOf, now) : null,
    renewal,
    trustChanged: !renewal.due && installed !== null && trust !== null && !sameCertificates(installed.trust, trust),
    anchors,
    drift: ports.install.drift(desired.install),
    edits,
    listToSign: readsLists(desired) && !edits.some(({ isData }) => isData) ? ports.listToSign() : null,
    seenInstead: null,
  };
}

function readsLists({ configuration }: Desired): boolean {
  return configuration.some(
    (change) => change.kind === 'own-file' && change.isData === true && change.content !== null,
  );
}

/** Nothing to do, and nothing left over from a run that was cut short. */
export function isSettled({ renewal, edits, drift, trustChanged, installed, seenInstead }: InstallPlan): boolean {
  const isServed = installed !== null && installed.confirmedAt !== null && seenInstead === null;
  return isServed && !renewal.due && edits.length === 0 && drift.length === 0 && !trustChanged;
}

function newestProven(
  { install }: PlanPorts,
  { desired }: InstallWish,
  installed: InstalledVersion | null,
): InstalledVersion | null {
  if (installed?.confirmedAt != null) return installed;
  for (const number of install.versions(desired.install)) {
    const version = install.readVersion(desired.install, number);
    if ('number' in version && version.confirmedAt !== null) return version;
  }
  return null;
}

/** Newer than what is in use, never served, and as good as a new one would be. */
function pendingVersion(
  { install }: PlanPorts,
  { desired, wanted }: InstallWish,
  installed: InstalledVersion | null,
  stateOf: (version: InstalledVersion) => Installed,
  now: Instant,
): InstalledVersion | null {
  const [number] = install.versions(desired.install);
  if (number === undefined || number <= (installed?.number ?? 0)) return null;
  const version = install.readVersion(desired.install, number);
  if ('flaw' in version || version.confirmedAt !== null) return null;
  return renewalDecision(stateOf(version), asWished(wanted), false, now, null).due ? null : version;
}

/** An ACME server decides by itself what its certificates are good for: another one would be no better. */
function asWished(wanted: WantedCertificate): WantedCertificate & { readonly purposes: readonly KeyPurpose[] } {
  return { ...wanted, purposes: wanted.issuer === 'internal' ? PROFILES[wanted.profile].purposes : [] };
}

function installedState(
  ports: Pick<PlanPorts, 'anchors' | 'activeRoots' | 'revocation'>,
  issuer: string,
  current: InstalledVersion | Flawed | null,
  now: Instant,
): Installed {
  if (current === null) return { kind: 'missing' };
  if ('flaw' in current) return { kind: 'unreadable', why: current.flaw };
  const [leaf, ...intermediates] = current.chain;
  if (!leaf) return { kind: 'unreadable', why: 'the chain is empty' };
  // Whether it leads to one of our roots; that it has expired is a reason of its own.
  const at = now > leaf.validity.notAfter ? leaf.validity.notAfter : now;
  const leadsTo = (anchors: readonly Certificate[]): boolean =>
    validatePath({ leaf, intermediates, anchors, now: at, purpose: 'any' }).ok;
  const root: RootStanding = leadsTo(ports.activeRoots(issuer))
    ? 'active'
    : leadsTo(ports.anchors(issuer))
      ? 'outgoing'
      : 'unknown';
  return { kind: 'installed', leaf, root, revocation: root === 'unknown' ? null : ports.revocation(issuer, leaf) };
}

function sameCertificates(a: readonly Certificate[], b: readonly Certificate[]): boolean {
  return a.length === b.length && a.every(({ fingerprint }, index) => fingerprint === b[index]?.fingerprint);
}

export type PlannedAction = 'issue' | 'install' | 'configure' | 'reload' | 'restart' | 'none';

export interface PlannedChange {
  readonly action: PlannedAction;
  readonly why: string;
  readonly diff?: string;
  /** Of a reload or a restart: what is run. */
  readonly command?: string;
  /** Of the last change: what is run before it, and must succeed. */
  readonly check?: string;
}

/** The plan in the words of the `plan` answer: one line an action, "none" where nothing is to be done. */
export function plannedChanges(plan: InstallPlan): PlannedChange[] {
  const { desired, renewal, drift, edits, pending, trustChanged, listToSign } = plan;
  const changes: PlannedChange[] = [];
  const { directory, copies } = desired.install;
  const places = [directory, ...copies.map(({ to }) => to)].join(', ');
  if (renewal.due && pending === null) changes.push({ action: 'issue', why: renewal.why });
  if (renewal.due && pending !== null)
    changes.push({
      action: 'install',
      why: `version ${pending.number} in ${places}, obtained by an earlier try${fixedPlacesText(desired.install)}`,
    });
  else if (renewal.due)
    changes.push({
      action: 'install',
      why: `a new version in ${places}${fixedPlacesText(desired.install)}`,
    });
  if (trustChanged)
    changes.push({
      action: 'install',
      why: `the same pair in ${directory}, with another bundle of roots: ${rootNames(plan.trust)}`,
    });
  for (const { path, why } of drift) changes.push({ action: 'install', why: `${path}: ${why}` });
  const settings = edits.filter(({ isData }) => !isData);
  for (const { path, before, after, why } of settings)
    changes.push({ action: 'configure', why: `${path}: ${why}`, diff: unifiedDiff(before ?? '', after ?? '', path) });
  const lists = [...edits.filter(({ isData }) => isData).map(({ why }) => why), ...(listToSign ? [listToSign] : [])];
  const restart = settings.length > 0 ? desired.restart : null;
  const takeUp = restart ?? desired.reload;
  const whys = [...lists, ...(changes.length > 0 && takeUp ? [takeUp.why] : [])];
  if (whys.length > 0)
    changes.push({
      action: restart ? 'restart' : 'reload',
      why: whys.join('; '),
      ...(takeUp && { command: commandLine(takeUp) }),
    });
  else if (!isSettled(plan) && desired.reload)
    changes.push({
      action: 'reload',
      why: plan.seenInstead ?? 'the installed pair has not been seen served yet',
      command: commandLine(desired.reload),
    });
  const last = changes.pop();
  if (!last) return [{ action: 'none', why: renewal.why }];
  return [...changes, desired.check ? { ...last, check: commandLine(desired.check) } : last];
}

/** What a person should know of it. */
export function plannedNotes({ member, desired, drift, renewal }: InstallPlan): readonly string[] {
  const isExposed = drift.some((one) => one.isExposed) && !renewal.due;
  const exposed = `others could read the key, and may know it: "fullchain rotate ${member.name}" makes a new one`;
  return isExposed ? [...desired.notes, exposed] : desired.notes;
}

function rootNames(trust: readonly Certificate[] | null): string {
  return (trust ?? []).map(({ fingerprint }) => `${fingerprint.slice(0, 16)}…`).join(', ');
}
