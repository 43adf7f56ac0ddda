import type { Hex } from '../../core/bytes/hex.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { leavesOfOldRoot } from '../../core/rotation/leaves-of-old-root.ts';
import { remainingSeconds } from '../../core/time/validity-period.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { wallClock } from '../../edge/system/clock.ts';
import type { CertificateRecord, Store } from '../../flow/ca/store-ports.ts';
import { keyIdOf } from '../authority-keys.ts';
import type { RootRotationState } from '../root-rotation-state.ts';
import { removeRotation } from '../rotation-journal.ts';
import { isAbove, issuingCertificate, previousIntermediates } from '../trusted-roots.ts';
import { keepRoot, writeCertificates } from './authority-pair.ts';

export interface RetiredRoot {
  readonly retired: readonly Certificate[];
  /** Below the root that is retired: given up by force, and with a successor. */
  readonly givenUp: readonly CertificateRecord[];
  readonly replaced: readonly CertificateRecord[];
}

/** The old root leaves the bundle. @throws OperatorFault root-in-use */
export async function retireRoot(
  paths: StatePaths,
  { roots, others }: RootRotationState,
  options: { readonly force: boolean },
  store: Store,
): Promise<RetiredRoot> {
  const { inUse, replaced } = leavesOfOldRoot(await leavesInForce(store), isBelowOthers(paths, roots.active));
  if (inUse.length > 0 && !options.force) throw rootInUse(inUse);
  for (const root of others) keepRoot(paths, root);
  writeCertificates(paths.rootCertificate, [roots.active.raw]);
  removeRotation(paths.rootRotation);
  return { retired: others, givenUp: inUse, replaced };
}

/** Whether an issuer leads to another root than the active one. */
function isBelowOthers(paths: StatePaths, active: Certificate): (issuerKeyId: Hex) => boolean {
  const below = [issuingCertificate(paths), ...previousIntermediates(paths)].filter((intermediate) =>
    isAbove(active, intermediate),
  );
  const kept = new Set([keyIdOf(active), ...below.map(keyIdOf)]);
  return (issuerKeyId) => !kept.has(issuerKeyId);
}

const PAGE = 500;

/** Valid and not revoked; without authorities, and without the authority's own, whose key ends with its process. */
async function leavesInForce(store: Store): Promise<CertificateRecord[]> {
  const now = wallClock();
  const leaves: CertificateRecord[] = [];
  for (let below: number | undefined; ; ) {
    const page = await store.listCertificates({ state: 'valid', limit: PAGE, now, ...(below && { below }) });
    leaves.push(
      ...page
        .filter(({ provisioner }) => provisioner !== 'authority')
        .filter(isLeaf)
        .filter(isKept),
    );
    below = page.at(-1)?.id;
    if (page.length < PAGE || below === undefined) return leaves;
  }
}

function isLeaf({ profile }: CertificateRecord): boolean {
  return profile !== 'root' && profile !== 'intermediate';
}

/** Those that `verify` shows are for one handshake, and their keys are gone after it. */
function isKept({ names, subject }: CertificateRecord): boolean {
  return ![...names, subject].some((name) => name.includes('fullchain-verify'));
}

const NAMED = 10;

function rootInUse(leaves: readonly CertificateRecord[]): OperatorFault {
  const now = wallClock();
  const named = leaves
    .slice(0, NAMED)
    .map(
      ({ names, subject, serial, notAfter }) =>
        `${names.join(', ') || subject} (serial ${serial}, ${Math.ceil(remainingSeconds({ notBefore: now, notAfter }, now) / 86_400)} days left)`,
    );
  const rest = leaves.length > NAMED ? `; and ${leaves.length - NAMED} more` : '';
  return new OperatorFault(
    'root-in-use',
    `${leaves.length} certificate${leaves.length === 1 ? '' : 's'} below the old root would be refused from then on: ${named.join('; ')}${rest}`,
  );
}
