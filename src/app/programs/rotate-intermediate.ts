/**
 * Another intermediate below the same root. Order: the decision, the key, the record, the signature, the old one put
 * aside, and last the one file whose replacement makes the new one issue. Whatever is killed in between is gone on with.
 */
import { existsSync } from 'node:fs';
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
import type { PasswordOptions } from '../passwords.ts';
import {
  type IntermediateRotation,
  readIntermediateRotation,
  removeRotation,
  writeRotation,
} from '../rotation-journal.ts';
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
  readonly previous: Certificate | null;
  readonly intermediate: Certificate;
  readonly keyFile: string;
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
  const found = readIntermediateRotation(paths.intermediateRotation);
  if (found?.intermediate.keyId === keyIdOf(current)) {
    // Killed after the last step.
    removeRotation(paths.intermediateRotation);
    return finished(paths, root, null, current, true);
  }
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
  keepIntermediate(paths, current);
  writeCertificates(paths.intermediateCertificate, [der]);
  removeRotation(paths.intermediateRotation);
  return finished(paths, root, current, parseCertificate(der), resumed);
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

function finished(
  paths: StatePaths,
  root: Certificate,
  previous: Certificate | null,
  intermediate: Certificate,
  resumed: boolean,
): RotatedIntermediate {
  return { root, previous, intermediate, keyFile: laterKeyPath(paths.intermediateKey, keyIdOf(intermediate)), resumed };
}
