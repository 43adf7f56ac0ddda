/** What `fullchain ca rotate` does: another intermediate, or another root in three steps. */
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { nextStep, type RotationStep } from '../../core/rotation/root-rotation.ts';
import { formatRfc3339 } from '../../core/time/instant.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import type { CertificateRecord } from '../../flow/ca/store-ports.ts';
import { readReady } from '../authority-files.ts';
import { rootKeyPath } from '../authority-keys.ts';
import type { IntermediateFlags, RootFlags } from '../cli/ca-rotate.ts';
import { type Context, passwordSource, print } from '../cli/context.ts';
import { readConfig } from '../config.ts';
import { type RotatedIntermediate, rotateIntermediate } from '../programs/rotate-intermediate.ts';
import { type RotatedRoot, rotateRoot } from '../programs/rotate-root.ts';
import { certificateDocument, PHASES } from './ca-status.ts';

export async function rotateIntermediateCommand(context: Context, flags: IntermediateFlags): Promise<void> {
  const rotated = await rotateIntermediate(context.paths, {
    ...passwords(flags),
    prepareOnly: flags.prepare === true,
    rootKeyFile: flags.rootKey ?? null,
    algorithm: flags.intermediateAlgorithm ?? null,
    lifetimeSeconds: flags.intermediateLifetime ?? null,
    commonName: flags.intermediateCommonName ?? null,
  });
  const { root, previous, intermediate, keyFile, active, wasPrepared, resumed } = rotated;
  const running = readReady(context.paths) !== null;
  const document = {
    ok: true,
    phase: active ? 'active' : 'prepared',
    resumed,
    root: certificateDocument(root),
    intermediate: { ...certificateDocument(intermediate), keyFile },
    previous: previous && certificateDocument(previous),
    running,
    plan: intermediatePlan(rotated),
    next: `fullchain ca ${active ? 'status' : 'rotate intermediate'} --state ${context.paths.root}`,
  };
  print(context, document, () => [
    active ? ACTIVE[resumed ? 'resumed' : 'done'] : 'Another intermediate is prepared; the one before goes on issuing.',
    `  ${active ? 'issues now   ' : 'prepared     '}  ${line(intermediate)}`,
    ...(previous ? [`  issued before  ${line(previous)}`] : []),
    `  root           ${line(root)}, as before`,
    ...(active
      ? [
          '  Certificates of the one before stay valid, and its revocation list is still served; renewals come from the new one.',
        ]
      : []),
    ...(active || !wasPrepared ? [takenUp(running)] : []),
    ...planLines(document.plan),
    `Next: ${document.next}`,
  ]);
}

const ACTIVE = {
  done: 'The intermediate was replaced.',
  resumed: 'The rotation that had been cut short is finished.',
} as const;

/** What is to be done outside the authority. */
function intermediatePlan({ active, wasPrepared }: RotatedIntermediate): string[] {
  if (active && wasPrepared) return [];
  const how = 'fullchain apply on every host of a stack (a running agent does by itself, within five minutes)';
  return active
    ? [
        `let services that verify clients take up its revocation list: ${how};`,
        'until then they refuse clients that show a certificate of the new one. The next time without this gap: --prepare first.',
      ]
    : [
        `let services that verify clients take up its revocation list: ${how};`,
        'then let it issue: no client is refused for want of its list.',
      ];
}

function planLines(plan: readonly string[]): string[] {
  return plan.map((what, index) => `${index === 0 ? 'Then: ' : '      '}${what}`);
}

export async function rotateRootCommand(context: Context, flags: RootFlags): Promise<void> {
  const step = stepOf(flags);
  const result = await rotateRoot(context.paths, step, {
    ...passwords(flags),
    rootAlgorithm: flags.rootAlgorithm ?? null,
    rootLifetimeSeconds: flags.rootLifetime ?? null,
    rootCommonName: flags.rootCommonName ?? null,
    intermediateAlgorithm: flags.intermediateAlgorithm ?? null,
    intermediateLifetimeSeconds: flags.intermediateLifetime ?? null,
    offlineRootDirectory: flags.rootOnlyOffline ?? null,
    force: flags.force === true,
  });
  const { state, changed, retired, givenUp, replaced } = result;
  const running = readReady(context.paths) !== null;
  const following = nextStep(state.phase);
  const next = following && `fullchain ca rotate root --${following} --state ${context.paths.root}`;
  const document = {
    ok: true,
    step,
    changed,
    phase: state.phase,
    active: certificateDocument(state.roots.active),
    bundle: state.roots.bundle.map(certificateDocument),
    retired: retired.map(certificateDocument),
    givenUp: givenUp.map(leafDocument),
    replaced: replaced.map(leafDocument),
    running,
    plan: plan(result),
    next,
  };
  print(context, document, () => [
    changed ? DONE[step] : `${DONE[step]} Nothing was changed: it had been done.`,
    `  rotation  ${PHASES[state.phase]}`,
    `  issues    below ${line(state.roots.active)}`,
    ...state.roots.bundle.slice(1).map((root) => `  trusted   ${line(root)}`),
    ...retired.map((root) => `  retired   ${line(root)}`),
    ...givenUp.map((leaf) => `  given up  ${leaf.names.join(', ') || leaf.subject}  serial ${leaf.serial}`),
    ...(replaced.length > 0
      ? [
          `  Of the certificates below the old root ${replaced.length} in force had been replaced: a newer one has the same names.`,
        ]
      : []),
    ...retiredKeys(context, retired),
    ...(changed ? [takenUp(running)] : []),
    ...planLines(plan(result)),
    ...(next ? [`Next: ${next}`] : []),
  ]);
}

const DONE: Readonly<Record<RotationStep, string>> = {
  prepare: 'A new root is prepared, and trusted beside the old one.',
  activate: 'The new root is active: what is issued from now on leads to it.',
  retire: 'The old root is trusted no more.',
  cancel: 'The new root is dropped: it had issued nothing but its own intermediate.',
};

/** What is to be done outside the authority before its next step. */
function plan({ state, step }: RotatedRoot): string[] {
  switch (state.phase) {
    case 'prepared':
      return [
        'let every host take up both roots: fullchain apply (a running agent does by itself), trust install or /roots.pem elsewhere;',
        'then activate: from then on certificates lead to the new root.',
      ];
    case 'activated':
      return [
        'let every certificate be renewed: fullchain rotate (a running agent does by itself), ACME clients at their next renewal;',
        'then retire the old root: from then on its certificates are refused.',
      ];
    default:
      return [
        `let every host forget the ${step === 'cancel' ? 'new' : 'old'} root: fullchain apply, trust uninstall or /roots.pem elsewhere.`,
      ];
  }
}

/** Nobody needs the key of a retired root, and whoever finds it can still deceive hosts that were forgotten. */
function retiredKeys({ paths }: Context, retired: readonly Certificate[]): string[] {
  const { offlineRootDirectory: offlineDirectory } = readConfig(paths.config);
  return retired.map(
    (root) => `  its key   ${rootKeyPath(paths, root, { file: null, offlineDirectory })}: destroy it once all is well`,
  );
}

function takenUp(running: boolean): string {
  return running
    ? 'The running authority takes it up within a few seconds; no restart is needed.'
    : 'No authority is running here; the next start takes it up.';
}

/** @throws OperatorFault usage unless exactly one step is named */
function stepOf({ prepare, activate, retire, cancel }: RootFlags): RotationStep {
  const steps = Object.entries({ prepare, activate, retire, cancel }).flatMap(([step, chosen]) =>
    chosen ? [step] : [],
  );
  if (steps.length !== 1) throw new OperatorFault('usage', 'say one step: --prepare, --activate, --retire or --cancel');
  return steps[0] as RotationStep;
}

function passwords(flags: {
  readonly passwordFile?: string;
  readonly askPassword?: boolean;
  readonly rootPasswordFile?: string;
}) {
  return {
    password: passwordSource(flags.passwordFile, 'FULLCHAIN_PASSWORD', flags.askPassword === true),
    rootPassword: passwordSource(flags.rootPasswordFile, 'FULLCHAIN_ROOT_PASSWORD'),
  };
}

function leafDocument({ serial, names, subject, notAfter, fingerprint }: CertificateRecord) {
  return { serial, fingerprint, subject, names, notAfter: formatRfc3339(notAfter) };
}

function line(certificate: Certificate): string {
  const { subject, key, notAfter } = certificateDocument(certificate);
  return `${subject}  ${key}  until ${notAfter}`;
}
