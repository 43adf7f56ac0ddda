/**
 * The state directory of an authority: where each thing lies, and whether it is safe to use.
 *
 *   config.json                     names, lifetimes, validation policy
 *   certs/root_ca.crt               the roots to trust: one, or while a root is replaced two, the active one first
 *   certs/intermediate_ca.crt       what issues: to replace this file is to issue from another intermediate
 *   certs/next_intermediate_ca.crt  an intermediate that is prepared and issues nothing yet
 *   certs/issuers/KEYID.crt         intermediates that issued before
 *   certs/retired/FINGERPRINT.crt   roots that are trusted no more
 *   secrets/root_ca_key             secrets/intermediate_ca_key            encrypted PKCS#8, 0600
 *   secrets/root_ca_key-KEYID       secrets/intermediate_ca_key-KEYID      the same, of those that came later
 *   secrets/password …              generated passwords, 0600, where the operator gave none
 *   db/fullchain.db                 what was issued, ordered, revoked
 *   ready.json                      where the running authority listens
 *   authority.lock                  held by the running authority
 *   root-rotation.json              how far the replacement of the root is, while there is one
 *   intermediate-rotation.json      what a replacement of the intermediate has begun or prepared
 *   rotation.lock                   held by whoever replaces either
 *   agent/STACK/services/NAME.json  what failed, and when it is tried again
 *   members/STACK/services/NAME.json  what apply set up, to be taken out again
 */
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OperatorFault } from '../../core/faults/operator-faults.ts';

export interface StatePaths {
  readonly root: string;
  readonly config: string;
  readonly rootCertificate: string;
  readonly intermediateCertificate: string;
  readonly rootKey: string;
  readonly intermediateKey: string;
  readonly password: string;
  readonly rootPassword: string;
  readonly provisionerPassword: string;
  readonly database: string;
  readonly ready: string;
  readonly lock: string;
  /** Present while an initialisation runs, or was cut short. */
  readonly initialising: string;
  readonly issuers: string;
  readonly retired: string;
  /** The intermediate that is prepared, below a root that is prepared or below the active one. */
  readonly nextIntermediateCertificate: string;
  readonly rootRotation: string;
  readonly intermediateRotation: string;
  readonly rotationLock: string;
}

export function statePaths(directory: string): StatePaths {
  const root = resolve(directory);
  return {
    root,
    config: join(root, 'config.json'),
    rootCertificate: join(root, 'certs', 'root_ca.crt'),
    intermediateCertificate: join(root, 'certs', 'intermediate_ca.crt'),
    rootKey: join(root, 'secrets', 'root_ca_key'),
    intermediateKey: join(root, 'secrets', 'intermediate_ca_key'),
    password: join(root, 'secrets', 'password'),
    rootPassword: join(root, 'secrets', 'root_password'),
    provisionerPassword: join(root, 'secrets', 'provisioner_password'),
    database: join(root, 'db', 'fullchain.db'),
    ready: join(root, 'ready.json'),
    lock: join(root, 'authority.lock'),
    initialising: join(root, 'initialising'),
    issuers: join(root, 'certs', 'issuers'),
    retired: join(root, 'certs', 'retired'),
    nextIntermediateCertificate: join(root, 'certs', 'next_intermediate_ca.crt'),
    rootRotation: join(root, 'root-rotation.json'),
    intermediateRotation: join(root, 'intermediate-rotation.json'),
    rotationLock: join(root, 'rotation.lock'),
  };
}

/** Whether an authority was initialised here: config.json is written last. */
export function isInitialised(paths: StatePaths): boolean {
  return existsSync(paths.config);
}

/**
 * Creates the directory (0700) if it is missing, and refuses one that others may read or that we cannot write.
 * An empty directory of ours is closed rather than refused: nothing has lain open in it.
 *
 * @throws OperatorFault state-unwritable, state-exposed
 */
export function prepareStateDirectory(paths: StatePaths): void {
  guardWritable(paths.root, () => mkdirSync(paths.root, { recursive: true, mode: 0o700 }));
  const { mode, uid } = statSync(paths.root);
  if (!statSync(paths.root).isDirectory())
    throw new OperatorFault('state-unwritable', `${paths.root} is not a directory`, { path: paths.root });
  const own = process.getuid?.();
  if (own !== undefined && own !== 0 && uid !== own)
    throw new OperatorFault('state-unwritable', `${paths.root} belongs to another user`, { path: paths.root });
  if (mode & 0o077) {
    if (readdirSync(paths.root).length > 0) {
      throw new OperatorFault(
        'state-exposed',
        `${paths.root} has mode ${(mode & 0o777).toString(8)}: others may read it`,
        { path: paths.root },
      );
    }
    guardWritable(paths.root, () => chmodSync(paths.root, 0o700));
  }
  const access = constants.R_OK | constants.W_OK | constants.X_OK;
  guardWritable(paths.root, () => accessSync(paths.root, access));
  for (const part of ['certs', 'secrets', 'db'].map((name) => join(paths.root, name))) {
    guardWritable(part, () => {
      mkdirSync(part, { recursive: true, mode: 0o700 });
      // Whoever has run this once as root has left parts that are root's.
      accessSync(part, access);
    });
  }
}

/** @throws OperatorFault state-exposed when a secret can be read by others */
export function refuseExposedSecrets(paths: StatePaths): void {
  const directory = join(paths.root, 'secrets');
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    const path = join(directory, name);
    // Of a link the target counts: a link itself is open to everybody.
    const { mode } = statSync(path, { throwIfNoEntry: false }) ?? { mode: 0 };
    if (mode & 0o077)
      throw new OperatorFault('state-exposed', `${path} has mode ${(mode & 0o777).toString(8)}: others may read it`, {
        path,
      });
  }
}

function guardWritable(path: string, action: () => void): void {
  try {
    action();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (code === 'ENOSPC') throw new OperatorFault('disk-full', `no room to write in ${path}`, { path }, cause);
    if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOENT', 'EEXIST'].includes(code)) {
      throw new OperatorFault('state-unwritable', `${path} cannot be written (${code})`, { path }, cause);
    }
    throw cause;
  }
}
