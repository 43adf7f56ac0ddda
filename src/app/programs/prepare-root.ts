/** The first step to another root: it is made, with an intermediate below it, and trusted beside the old one. Keys first, then records and signatures. */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hexFromBytes } from '../../core/bytes/hex.ts';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { successorSubject } from '../../core/rotation/successor-subject.ts';
import { formatRfc3339 } from '../../core/time/instant.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { basicConstraints } from '../../core/x509/basic-constraints.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { keyIdentifierOf } from '../../core/x509/key-identifier.ts';
import { keyAlgorithmOf, parseSubjectPublicKeyInfo } from '../../core/x509/public-key.ts';
import { writeFileAtomically } from '../../edge/files/atomic-file.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { publicKeyDer } from '../../edge/signer/key-pair.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { issueIntermediate, issueRoot, listSigner } from '../../flow/ca/authority-certificates.ts';
import { storeFirstCrls } from '../../flow/ca/publish-crl.ts';
import type { Store } from '../../flow/ca/store-ports.ts';
import { issuingPassword, openIssuingKey, openKey, openRootKey, rootKeyPath } from '../authority-keys.ts';
import { readConfig } from '../config.ts';
import { findPassword, type PasswordOptions } from '../passwords.ts';
import type { RootRotationState } from '../root-rotation-state.ts';
import { type BegunCertificate, type RootRotation, writeRotation } from '../rotation-journal.ts';
import { issuingCertificate } from '../trusted-roots.ts';
import {
  algorithmOf,
  begunCertificate,
  intermediatePlan,
  lifetimeAsBefore,
  newKey,
  newSerial,
  type PrivateKey,
  signingKey,
  writeCertificates,
  writeKey,
} from './authority-pair.ts';
import { begunKeyFiles } from './begun-keys.ts';

export interface PrepareRootOptions {
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
}

/** A new root and an intermediate below it, both at rest, and the root in the bundle. The old one goes on issuing. */
export async function prepareRoot(
  paths: StatePaths,
  state: RootRotationState,
  options: PrepareRootOptions,
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
  await storeFirstCrls(
    store,
    listSigner(certificate, rootSigning),
    listSigner(parseCertificate(intermediateDer), signingKey(algorithmOf(intermediateKey), intermediateKey)),
    wallClock(),
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
  { password, rootPassword }: PrepareRootOptions,
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
  const files = begunKeyFiles(paths, journal);
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

async function beginRoot(
  paths: StatePaths,
  { roots: { active } }: RootRotationState,
  options: PrepareRootOptions,
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
  const files = begunKeyFiles(paths, journal);
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
function offlineDirectoryFor(paths: StatePaths, { offlineRootDirectory }: PrepareRootOptions): string | null {
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
