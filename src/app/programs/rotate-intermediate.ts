/**
 * Another intermediate below the same root. Order: the decision, the key, the record, the signature, its first revocation
 * list; there a preparation ends, so that services have that list before anybody shows them a certificate of it. Then the
 * old one is put aside, and last comes the one file whose replacement makes the new one issue. Whatever is killed in between is
 * gone on with.
 */
import { existsSync, rmSync } from 'node:fs';
import { hexFromBytes } from '../../core/bytes/hex.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { successorSubject } from '../../core/rotation/successor-subject.ts';
import { formatRfc3339, type Instant } from '../../core/time/instant.ts';
import { remainingSeconds } from '../../core/time/validity-period.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { keyIdentifierOf } from '../../core/x509/key-identifier.ts';
import { keyAlgorithmOf, parseSubjectPublicKeyInfo } from '../../core/x509/public-key.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { publicKeyDer } from '../../edge/signer/key-pair.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { issueIntermediate, listSigner } from '../../flow/ca/authority-certificates.ts';
import { storeFirstCrls } from '../../flow/ca/publish-crl.ts';
import type { Store } from '../../flow/ca/store-ports.ts';
import { issuingPassword, keyIdOf, laterKeyPath, openIssuingKey, openKey, openRootKey } from '../authority-keys.ts';
import { readConfig } from '../config.ts';
import { intermediateRotationState } from '../intermediate-rotation-state.ts';
import type { PasswordOptions } from '../passwords.ts';
import { rootRotationState } from '../root-rotation-state.ts';
import { type IntermediateRotation, removeRotation, writeRotation } from '../rotation-journal.ts';
import { issuingCertificate, rootsAbove } from '../trusted-roots.ts';
import {
  algorithmOf,
  begunCertificate,
  intermediatePlan,
  keepIntermediate,
  lifetimeAsBefore,
  newKey,
  newSerial,
  openedSigningKey,
  signingKey,
  writeCertificates,
  writeKey,
} from './authority-pair.ts';
import { whileRotating } from './rotation-lock.ts';

export interface RotateIntermediateOptions {
  /** Make it, and let the old one go on issuing. */
  readonly prepareOnly: boolean;
  readonly password: PasswordOptions;
  readonly rootPassword: PasswordOptions;
  /** Where the key of the root is, when it is not in the state. */
  readonly rootKeyFile: string | null;
  /** null: as the one before. */
  readonly algorithm: KeyAlgorithm | null;
  readonly lifetimeSeconds: number | null;
  readonly commonName: string | null;
}

export interface RotatedIntermediate {
  readonly root: Certificate;
  /** Put aside now; null: nothing was. */
  readonly previous: Certificate | null;
  readonly intermediate: Certificate;
  readonly keyFile: string;
  /** Whether it issues now. */
  readonly active: boolean;
  /** It had been prepared by an earlier command: who asked since then has its revocation list. */
  readonly wasPrepared: boolean;
  /** It went on with one that had been cut short, whose name, key and lifetime hold. */
  readonly resumed: boolean;
}

/** @throws OperatorFault root-key-offline, password-wrong, issuance-refused, state-locked … ; then the old one goes on */
export function rotateIntermediate(
  paths: StatePaths,
  options: RotateIntermediateOptions,
): Promise<RotatedIntermediate> {
  return whileRotating(paths, (store) => rotate(paths, options, store));
}

async function rotate(
  paths: StatePaths,
  options: RotateIntermediateOptions,
  store: Store,
): Promise<RotatedIntermediate> {
  const current = issuingCertificate(paths);
  const { active: root } = rootsAbove(current, paths);
  const { journal: found, prepared } = intermediateRotationState(paths);
  const rotation: Rotation = { paths, root, wasPrepared: prepared !== null, resumed: false };
  if (found?.intermediate.keyId === keyIdOf(current)) {
    // Killed after the last step.
    tidy(paths);
    return result({ ...rotation, resumed: true }, null, current, true);
  }
  if (prepared !== null) {
    if (options.prepareOnly) return result(rotation, null, prepared, false);
    // An authority that cannot open its key issues nothing at all: looked at before, not after.
    openIssuingKey(paths, prepared, await issuingPassword(paths, options.password));
    return activate(rotation, current, prepared);
  }
  if (options.prepareOnly) refuseBesideRoot(paths);
  const now = wallClock();
  // The new key gets the password of the one in use, so that one password starts the authority.
  const password = await issuingPassword(paths, options.password);
  const issuing = openIssuingKey(paths, current, password);
  const rootKey = await openRootKey(paths, root, {
    file: options.rootKeyFile,
    offlineDirectory: readConfig(paths.config).offlineRootDirectory,
    rootPassword: options.rootPassword,
    password: options.password,
  });

  let journal = found?.root === root.fingerprint ? found : null;
  const begunKey = journal && laterKeyPath(paths.intermediateKey, journal.intermediate.keyId);
  const resumed = begunKey !== null && existsSync(begunKey);
  let key = resumed ? openKey(begunKey, [password]).key : null;
  if (journal === null || key === null) {
    key = await newKey(options.algorithm ?? keyAlgorithmOf(current.publicKey) ?? issuing.algorithm);
    journal = plan(options, root, current, publicKeyDer(key), now);
    writeRotation(paths.intermediateRotation, journal);
    writeKey(laterKeyPath(paths.intermediateKey, journal.intermediate.keyId), key, password);
  }
  const { intermediate } = journal;
  const written = journal;
  const publicKey = publicKeyDer(key);
  const der = await begunCertificate(
    store,
    intermediate.serial,
    (serial) => writeRotation(paths.intermediateRotation, { ...written, intermediate: { ...intermediate, serial } }),
    (serial) =>
      issueIntermediate(
        store,
        { certificate: root, key: openedSigningKey(rootKey) },
        publicKey,
        intermediatePlan(intermediate, root, wallClock()),
        serial,
        wallClock(),
      ),
  );
  await storeFirstCrls(
    store,
    listSigner(root, openedSigningKey(rootKey)),
    listSigner(parseCertificate(der), signingKey(algorithmOf(key), key)),
    wallClock(),
  );
  const made = parseCertificate(der);
  if (!options.prepareOnly) return activate({ ...rotation, resumed }, current, made);
  writeCertificates(paths.nextIntermediateCertificate, [der]);
  return result({ ...rotation, resumed }, null, made, false);
}

interface Rotation extends Pick<RotatedIntermediate, 'root' | 'wasPrepared' | 'resumed'> {
  readonly paths: StatePaths;
}

function activate(rotation: Rotation, current: Certificate, next: Certificate): RotatedIntermediate {
  const { paths } = rotation;
  keepIntermediate(paths, current);
  writeCertificates(paths.intermediateCertificate, [next.raw]);
  tidy(paths);
  return result(rotation, current, next, true);
}

/** The journal last: while it is there, the same command comes here again. */
function tidy(paths: StatePaths): void {
  if (intermediateRotationState(paths).prepared !== null) rmSync(paths.nextIntermediateCertificate, { force: true });
  removeRotation(paths.intermediateRotation);
}

/** One intermediate at a time waits: the one below a root that is prepared may be it. */
function refuseBesideRoot(paths: StatePaths): void {
  const { phase } = rootRotationState(paths);
  if (phase !== 'none' && phase !== 'activated')
    throw new OperatorFault(
      'rotation-order',
      'a new root is prepared, and with it an intermediate: activate that one, or replace the one in use at once, without --prepare',
      { path: paths.root },
    );
}

/** @throws OperatorFault issuance-refused when a lifetime that was asked for reaches beyond the root */
function plan(
  options: RotateIntermediateOptions,
  root: Certificate,
  current: Certificate,
  publicKey: Uint8Array,
  now: Instant,
): IntermediateRotation {
  const left = remainingSeconds(root.validity, now);
  if (options.lifetimeSeconds !== null && options.lifetimeSeconds > left)
    throw new OperatorFault(
      'issuance-refused',
      `the intermediate would outlive its root, which is valid until ${formatRfc3339(root.validity.notAfter)}`,
    );
  return {
    version: 1,
    startedAt: formatRfc3339(now),
    root: root.fingerprint,
    intermediate: {
      keyId: hexFromBytes(keyIdentifierOf(parseSubjectPublicKeyInfo(publicKey))),
      serial: newSerial(),
      subject: successorSubject(current.subject, options.commonName),
      lifetimeSeconds: options.lifetimeSeconds ?? lifetimeAsBefore(current),
    },
  };
}

function result(
  { paths, root, wasPrepared, resumed }: Rotation,
  previous: Certificate | null,
  intermediate: Certificate,
  active: boolean,
): RotatedIntermediate {
  const keyFile = laterKeyPath(paths.intermediateKey, keyIdOf(intermediate));
  return { root, previous, intermediate, keyFile, active, wasPrepared, resumed };
}
