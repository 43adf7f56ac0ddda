/**
 * Another root, in three steps (core/rotation/root-rotation.ts). Each is a row of files that are replaced one by one, in
 * an order in which every prefix is a working authority; whatever is killed is gone on with by the same step.
 */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Hex, hexFromBytes } from '../../core/bytes/hex.ts';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { leavesOfOldRoot } from '../../core/rotation/leaves-of-old-root.ts';
import { decideStep, type RotationStep } from '../../core/rotation/root-rotation.ts';
import { successorSubject } from '../../core/rotation/successor-subject.ts';
import { formatRfc3339 } from '../../core/time/instant.ts';
import { remainingSeconds } from '../../core/time/validity-period.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { basicConstraints } from '../../core/x509/basic-constraints.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { keyIdentifierOf } from '../../core/x509/key-identifier.ts';
import { keyAlgorithmOf, parseSubjectPublicKeyInfo } from '../../core/x509/public-key.ts';
import { writeFileAtomically } from '../../edge/files/atomic-file.ts';
import { readCertificates } from '../../edge/files/certificate-files.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { algorithmOfKey, publicKeyDer } from '../../edge/signer/key-pair.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { issueIntermediate, issueRoot } from '../../flow/ca/authority-certificates.ts';
import type { CertificateRecord, Store } from '../../flow/ca/store-ports.ts';
import {
  issuingPassword,
  keyIdOf,
  laterKeyPath,
  openIssuingKey,
  openKey,
  openRootKey,
  rootKeyPath,
} from '../authority-keys.ts';
import { readConfig } from '../config.ts';
import { findPassword, type PasswordOptions } from '../passwords.ts';
import { type RootRotationState, rootRotationState } from '../root-rotation-state.ts';
import { type BegunCertificate, type RootRotation, removeRotation, writeRotation } from '../rotation-journal.ts';
import { isAbove, issuingCertificate, previousIntermediates, retiredRoots } from '../trusted-roots.ts';
import {
  begunCertificate,
  intermediatePlan,
  keepIntermediate,
  keepRoot,
  lifetimeAsBefore,
  newKey,
  newSerial,
  type PrivateKey,
  signingKey,
  writeCertificates,
  writeKey,
} from './authority-pair.ts';
import { whileRotating } from './rotation-lock.ts';

export interface RotateRootOptions {
  readonly password: PasswordOptions;
  readonly rootPassword: PasswordOptions;
  /** Of the new root; null: as the one before. */
  readonly rootAlgorithm: KeyAlgorithm | null;
  readonly rootLifetimeSeconds: number | null;
  readonly rootCommonName: string | null;
  readonly intermediateAlgorithm: KeyAlgorithm | null;
  readonly intermediateLifetimeSeconds: number | null;
  /** Leave the new root's key there. null: where the old one's is. */
  readonly offlineRootDirectory: string | null;
  /** Retire although certificates below the old root are in use. */
  readonly force: boolean;
}

export interface RotatedRoot {
  readonly step: RotationStep;
  /** false: it had been done before. */
  readonly changed: boolean;
  readonly state: RootRotationState;
  readonly retired: readonly Certificate[];
  /** Below the root that is retired: given up by force, and with a successor. */
  readonly givenUp: readonly CertificateRecord[];
  readonly replaced: readonly CertificateRecord[];
}

/** @throws OperatorFault rotation-order, root-in-use, root-key-offline, password-wrong, issuance-refused, state-locked … */
export function rotateRoot(paths: StatePaths, step: RotationStep, options: RotateRootOptions): Promise<RotatedRoot> {
  return whileRotating(paths, async (store) => {
    const state = rootRotationState(paths);
    const decision = decideStep(step, state.phase, retiredRoots(paths).length > 0);
    if (decision.kind === 'refused') throw new OperatorFault('rotation-order', decision.why, { path: paths.root });
    const nothing = { retired: [], givenUp: [], replaced: [] };
    if (decision.kind === 'done') return { step, changed: false, state, ...nothing };
    if (step === 'prepare') await prepare(paths, state, options, store);
    if (step === 'activate') await activate(paths, state, options);
    const retired = step === 'retire' ? await retire(paths, state, options, store) : nothing;
    return { step, changed: true, state: rootRotationState(paths), ...retired };
  });
}

/** A new root and an intermediate below it, both at rest, and the root in the bundle. The old one goes on issuing. */
async function prepare(
  paths: StatePaths,
  state: RootRotationState,
  options: RotateRootOptions,
  store: Store,
): Promise<void> {
  const passwords = await newPasswords(paths, state, options);
  const { journal, rootKey, intermediateKey } =
    openBegun(paths, state.journal, passwords) ?? (await beginRoot(paths, state, options, passwords));
  let { root, intermediate } = journal;
  const write = (): void => writeRotation(paths.rootRotation, { ...journal, root, intermediate });

  const { subject, lifetimeSeconds, pathLength } = root;
  const rootSigning = signingKey(algorithmOf(rootKey), rootKey);
  const rootDer = await begunCertificate(
    store,
    root.serial,
    (serial) => {
      root = { ...root, serial };
      write();
    },
    (serial) =>
      issueRoot(
        store,
        rootSigning,
        { subject, lifetimeSeconds, ...(pathLength !== undefined && { pathLength }) },
        serial,
        wallClock(),
      ),
  );
  const certificate = parseCertificate(rootDer);
  const intermediateDer = await begunCertificate(
    store,
    intermediate.serial,
    (serial) => {
      intermediate = { ...intermediate, serial };
      write();
    },
    (serial) =>
      issueIntermediate(
        store,
        { certificate, key: rootSigning },
        publicKeyDer(intermediateKey),
        intermediatePlan(intermediate, certificate, wallClock()),
        serial,
        wallClock(),
      ),
  );
  writeCertificates(paths.nextIntermediateCertificate, [intermediateDer]);
  if (journal.offlineRootDirectory !== null)
    writeFileAtomically(
      join(journal.offlineRootDirectory, `root_ca-${root.keyId}.crt`),
      pemFromDer('CERTIFICATE', rootDer),
      0o644,
    );
  const known = state.roots.bundle.filter(({ fingerprint }) => fingerprint !== certificate.fingerprint);
  writeCertificates(paths.rootCertificate, [...known.map(({ raw }) => raw), rootDer]);
  writeRotation(paths.rootRotation, { ...journal, root, intermediate, phase: 'prepared' });
}

interface NewPasswords {
  readonly issuing: Uint8Array;
  readonly root: Uint8Array;
}

/** The passwords of the keys in use, each proven on its key as far as the key is here: the successors get the same. */
async function newPasswords(
  paths: StatePaths,
  { roots }: RootRotationState,
  { password, rootPassword }: RotateRootOptions,
): Promise<NewPasswords> {
  const issuing = await issuingPassword(paths, password);
  openIssuingKey(paths, issuingCertificate(paths), issuing);
  const offlineDirectory = readConfig(paths.config).offlineRootDirectory;
  const sources = { file: null, offlineDirectory, rootPassword, password };
  if (existsSync(rootKeyPath(paths, roots.active, sources)))
    return { issuing, root: (await openRootKey(paths, roots.active, sources)).password };
  // The old root's key is on another medium, and is not needed: a new root signs itself.
  const given =
    rootPassword.file !== undefined || rootPassword.environment
      ? await findPassword({ ...rootPassword, generated: paths.rootPassword }, 'the root key')
      : null;
  return { issuing, root: given ?? issuing };
}

interface BegunRoot {
  readonly journal: RootRotation;
  readonly rootKey: PrivateKey;
  readonly intermediateKey: PrivateKey;
}

/** What an interrupted preparation had: both keys, or it begins anew, since nothing was recorded before they were written. */
function openBegun(paths: StatePaths, journal: RootRotation | null, passwords: NewPasswords): BegunRoot | null {
  if (journal === null) return null;
  const files = keyFiles(paths, journal);
  if (!existsSync(files.root) || !existsSync(files.intermediate)) {
    for (const path of Object.values(files)) rmSync(path, { force: true });
    return null;
  }
  return {
    journal,
    rootKey: openKey(files.root, [passwords.root]).key,
    intermediateKey: openKey(files.intermediate, [passwords.issuing]).key,
  };
}

function keyFiles(paths: StatePaths, { root, intermediate, offlineRootDirectory }: RootRotation) {
  const base = offlineRootDirectory === null ? paths.rootKey : join(offlineRootDirectory, 'root_ca_key');
  return {
    root: laterKeyPath(base, root.keyId),
    intermediate: laterKeyPath(paths.intermediateKey, intermediate.keyId),
  };
}

async function beginRoot(
  paths: StatePaths,
  { roots: { active } }: RootRotationState,
  options: RotateRootOptions,
  passwords: NewPasswords,
): Promise<BegunRoot> {
  const current = issuingCertificate(paths);
  const offlineRootDirectory = offlineDirectoryFor(paths, options);
  const [rootKey, intermediateKey] = await Promise.all([
    newKey(options.rootAlgorithm ?? keyAlgorithmOf(active.publicKey) ?? 'ecdsa-p256'),
    newKey(options.intermediateAlgorithm ?? keyAlgorithmOf(current.publicKey) ?? 'ecdsa-p256'),
  ]);
  const pathLength = basicConstraints(active)?.pathLength ?? null;
  const journal: RootRotation = {
    version: 1,
    startedAt: formatRfc3339(wallClock()),
    phase: 'preparing',
    oldRoot: active.fingerprint,
    root: {
      ...begin(rootKey, active, options.rootCommonName, options.rootLifetimeSeconds),
      ...(pathLength !== null && pathLength > 0 && { pathLength }),
    },
    intermediate: begin(intermediateKey, current, null, options.intermediateLifetimeSeconds),
    offlineRootDirectory,
  };
  writeRotation(paths.rootRotation, journal);
  const files = keyFiles(paths, journal);
  writeKey(files.root, rootKey, passwords.root);
  writeKey(files.intermediate, intermediateKey, passwords.issuing);
  return { journal, rootKey, intermediateKey };
}

function begin(
  key: PrivateKey,
  predecessor: Certificate,
  commonName: string | null,
  lifetimeSeconds: number | null,
): BegunCertificate {
  return {
    keyId: hexFromBytes(keyIdentifierOf(parseSubjectPublicKeyInfo(publicKeyDer(key)))),
    serial: newSerial(),
    subject: successorSubject(predecessor.subject, commonName),
    lifetimeSeconds: lifetimeSeconds ?? lifetimeAsBefore(predecessor),
  };
}

/** A root that was kept offline has a successor that is kept offline. @throws OperatorFault root-key-offline, usage */
function offlineDirectoryFor(paths: StatePaths, { offlineRootDirectory }: RotateRootOptions): string | null {
  if (offlineRootDirectory !== null) {
    const directory = resolve(offlineRootDirectory);
    if (directory === paths.root || directory.startsWith(`${paths.root}/`))
      throw new OperatorFault('usage', 'the directory for the offline root lies inside the state directory');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return directory;
  }
  const before = readConfig(paths.config).offlineRootDirectory;
  if (before === null) return null;
  if (!statSync(before, { throwIfNoEntry: false })?.isDirectory())
    throw new OperatorFault(
      'root-key-offline',
      `the new root’s key belongs where the old one’s is, and ${before} is not here; name another directory with --root-only-offline`,
      { path: before },
    );
  return before;
}

function algorithmOf(key: PrivateKey): KeyAlgorithm {
  const algorithm = algorithmOfKey(key);
  if (algorithm === null)
    throw new OperatorFault('algorithm-unsupported', 'the key of the new root is of no known kind');
  return algorithm;
}

/** The prepared intermediate issues from now on; both roots stay trusted. */
async function activate(
  paths: StatePaths,
  { journal, roots }: RootRotationState,
  options: RotateRootOptions,
): Promise<void> {
  if (journal === null) throw new Error('there is no journal of what is to be activated');
  const current = issuingCertificate(paths);
  if (keyIdOf(current) !== journal.intermediate.keyId && roots.active.fingerprint === journal.oldRoot) {
    const [next] = existsSync(paths.nextIntermediateCertificate)
      ? readCertificates(paths.nextIntermediateCertificate)
      : [];
    if (!next)
      throw new OperatorFault('state-incomplete', `${paths.nextIntermediateCertificate} is missing`, {
        path: paths.nextIntermediateCertificate,
      });
    // An authority that cannot open its key issues nothing at all: looked at before, not after.
    openIssuingKey(paths, next, await issuingPassword(paths, options.password));
    keepIntermediate(paths, current);
    writeCertificates(paths.intermediateCertificate, [next.raw]);
  }
  const after = rootRotationState(paths);
  writeCertificates(
    paths.rootCertificate,
    after.roots.bundle.map(({ raw }) => raw),
  );
  const config = readConfig(paths.config);
  if (config.offlineRootDirectory !== journal.offlineRootDirectory)
    writeFileAtomically(
      paths.config,
      `${JSON.stringify({ ...config, offlineRootDirectory: journal.offlineRootDirectory }, null, 2)}\n`,
      0o600,
    );
  writeRotation(paths.rootRotation, { ...journal, phase: 'activated' });
  rmSync(paths.nextIntermediateCertificate, { force: true });
}

/** The old root leaves the bundle. @throws OperatorFault root-in-use */
async function retire(
  paths: StatePaths,
  { roots, others }: RootRotationState,
  options: RotateRootOptions,
  store: Store,
): Promise<Pick<RotatedRoot, 'retired' | 'givenUp' | 'replaced'>> {
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
    leaves.push(...page.filter(({ provisioner }) => provisioner !== 'authority').filter(isLeaf));
    below = page.at(-1)?.id;
    if (page.length < PAGE || below === undefined) return leaves;
  }
}

function isLeaf({ profile }: CertificateRecord): boolean {
  return profile !== 'root' && profile !== 'intermediate';
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
