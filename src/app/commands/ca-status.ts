/** `fullchain ca status`: roots, intermediates, how far a rotation is, how long everything lasts, and what comes next. */
import { existsSync } from 'node:fs';
import { nextStep, type RotationPhase } from '../../core/rotation/root-rotation.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { formatRfc3339, type Instant } from '../../core/time/instant.ts';
import { contains, lifetimeSeconds, remainingSeconds } from '../../core/time/validity-period.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { formatName } from '../../core/x509/name.ts';
import { describeKey } from '../../core/x509/public-key.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { authorityCertificates, readReady } from '../authority-files.ts';
import { keyIdOf, keyPathOf, rootKeyPath } from '../authority-keys.ts';
import { type Context, print } from '../cli/context.ts';
import { readConfig } from '../config.ts';
import { intermediateRotationState } from '../intermediate-rotation-state.ts';
import { type RootRotationState, rootRotationState } from '../root-rotation-state.ts';
import { nextIntermediate, previousIntermediates, retiredRoots } from '../trusted-roots.ts';

type Role =
  | 'root'
  | 'next-root'
  | 'previous-root'
  | 'retired-root'
  | 'intermediate'
  | 'next-intermediate'
  | 'previous-intermediate';

export interface AuthorityRow {
  readonly role: Role;
  readonly subject: string;
  readonly key: string;
  readonly serial: string;
  readonly fingerprint: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly remaining: string;
  /** Where its key lies, if it is on this host. */
  readonly keyFile: string | null;
}

export interface RotationDocument {
  readonly phase: RotationPhase;
  readonly startedAt: string | null;
  /** A replacement of the intermediate was cut short. */
  readonly intermediateInterrupted: boolean;
  /** Another intermediate is there, with its revocation list, and the old one issues. */
  readonly intermediatePrepared: boolean;
}

/** Every certificate of the authority. @throws OperatorFault not-initialised, state-incomplete, key-mismatch */
export function authorityRows(paths: StatePaths): AuthorityRow[] {
  const { intermediate } = authorityCertificates(paths);
  const { phase, journal, roots, others } = rootRotationState(paths);
  const offlineDirectory = readConfig(paths.config).offlineRootDirectory;
  const now = wallClock();
  const rootFile = (root: Certificate): string => {
    const offline = root.fingerprint === roots.active.fingerprint ? offlineDirectory : journal?.offlineRootDirectory;
    return rootKeyPath(paths, root, { file: null, offlineDirectory: offline ?? null });
  };
  const root = (role: Role) => (certificate: Certificate) => row(role, certificate, rootFile(certificate), now);
  const issuer = (role: Role) => (certificate: Certificate) =>
    row(role, certificate, keyPathOf(paths.intermediateKey, keyIdOf(certificate)), now);
  const isPreparing = phase === 'preparing' || phase === 'prepared' || phase === 'cancelling';
  const next = isPreparing ? nextIntermediate(paths) : intermediateRotationState(paths).prepared;
  const previous = previousIntermediates(paths).filter(({ fingerprint }) => fingerprint !== intermediate.fingerprint);
  return [
    root('root')(roots.active),
    ...others.map(root(isPreparing ? 'next-root' : 'previous-root')),
    issuer('intermediate')(intermediate),
    ...(next ? [issuer('next-intermediate')(next)] : []),
    ...previous.map(issuer('previous-intermediate')),
    ...retiredRoots(paths).map(root('retired-root')),
  ];
}

export function showStatus(context: Context): void {
  const { paths } = context;
  const { root, intermediate } = authorityCertificates(paths);
  const state = rootRotationState(paths);
  const config = readConfig(paths.config);
  const running = readReady(paths);
  const certificates = authorityRows(paths);
  const { phase: intermediatePhase } = intermediateRotationState(paths);
  const rotation: RotationDocument = {
    phase: state.phase,
    startedAt: state.journal?.startedAt ?? null,
    intermediateInterrupted: intermediatePhase === 'interrupted',
    intermediatePrepared: intermediatePhase === 'prepared',
  };
  const next = nextCommand(paths, state, rotation, root, intermediate, wallClock());
  const document = {
    name: config.name,
    state: paths.root,
    rootFingerprint: root.fingerprint,
    running,
    certificates,
    rotation,
    next,
  };
  print(context, document, () => [
    `${config.name}  ${running ? `running at ${running.url} (pid ${running.pid})` : 'not running'}`,
    `  root fingerprint  ${root.fingerprint}`,
    ...certificates.map(
      (entry) =>
        `  ${entry.role.padEnd(21)}  ${entry.subject}  ${entry.key}  until ${entry.notAfter} (${entry.remaining})`,
    ),
    `  rotation of the root  ${PHASES[state.phase]}`,
    ...(rotation.intermediateInterrupted ? ['  a rotation of the intermediate was cut short'] : []),
    ...(rotation.intermediatePrepared
      ? ['  another intermediate is prepared: its list is handed out, the old one issues']
      : []),
    ...(next ? [`  next: ${next}`] : []),
  ]);
}

export const PHASES: Readonly<Record<RotationPhase, string>> = {
  none: 'none under way',
  preparing: 'preparing: it was cut short',
  prepared: 'prepared: both roots are trusted, the old one issues',
  activating: 'activating: it was cut short',
  activated: 'activated: both roots are trusted, the new one issues',
  cancelling: 'cancelling: it was cut short',
};

/** When so much of a lifetime is left, its successor takes time to spread. */
const ROTATE_AT_FRACTION_LEFT = 1 / 4;

/** The command that comes next for the authority; null when nothing is to be done. */
export function nextCommand(
  paths: StatePaths,
  state: RootRotationState,
  rotation: Pick<RotationDocument, 'intermediateInterrupted' | 'intermediatePrepared'>,
  root: Certificate,
  intermediate: Certificate,
  now: Instant,
): string | null {
  const command = (rest: string): string => `fullchain ca rotate ${rest} --state ${paths.root}`;
  if (rotation.intermediateInterrupted || rotation.intermediatePrepared) return command('intermediate');
  const step = nextStep(state.phase);
  if (step !== null) return command(`root --${step}`);
  const isShort = ({ validity }: Certificate): boolean =>
    remainingSeconds(validity, now) < lifetimeSeconds(validity) * ROTATE_AT_FRACTION_LEFT;
  if (isShort(root)) return command('root --prepare');
  return isShort(intermediate) ? command('intermediate --prepare') : null;
}

/** What the answers of `ca` say of a certificate. */
export function certificateDocument({ subject, publicKey, serial, fingerprint, validity }: Certificate) {
  return {
    subject: formatName(subject),
    key: describeKey(publicKey),
    serial,
    fingerprint,
    notBefore: formatRfc3339(validity.notBefore),
    notAfter: formatRfc3339(validity.notAfter),
  };
}

function row(role: Role, certificate: Certificate, keyFile: string, now: Instant): AuthorityRow {
  const remaining = remainingSeconds(certificate.validity, now);
  return {
    role,
    ...certificateDocument(certificate),
    remaining: contains(certificate.validity, now) ? `${formatDuration(remaining)} left` : 'not valid now',
    keyFile: existsSync(keyFile) ? keyFile : null,
  };
}
