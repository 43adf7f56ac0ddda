/** Initialising a state directory: keys, passwords, certificates, provisioners; config.json last of all. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { parseDnsName } from '../../core/x509/dns-name.ts';
import { writeFileAtomically } from '../../edge/files/atomic-file.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { encryptPrivateKey } from '../../edge/signer/encrypted-key.ts';
import { openSqliteStore } from '../../edge/store/sqlite-store.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { type AuthorityPlan, initialiseAuthority } from '../../flow/ca/initialise-authority.ts';
import type { AuthorityConfig } from '../config.ts';
import type { PasswordOptions } from '../passwords.ts';
import { newKey, signingKey } from './authority-pair.ts';
import { completeState, inNewState, type NewPasswords, newStatePasswords } from './new-state.ts';

export interface InitialiseOptions {
  readonly name: string;
  readonly dnsNames: readonly string[];
  readonly rootAlgorithm: KeyAlgorithm;
  readonly intermediateAlgorithm: KeyAlgorithm;
  readonly plan: AuthorityPlan;
  readonly config: Partial<AuthorityConfig>;
  /** Passwords of the issuing key, the root key and the token key. */
  readonly password: PasswordOptions;
  readonly rootPassword: PasswordOptions;
  readonly provisionerPassword: PasswordOptions;
  /** Leave the root key (and its certificate) here and never in the state. */
  readonly offlineRootDirectory: string | null;
  readonly maxLifetimeSeconds?: number;
}

export interface Initialised {
  readonly rootFingerprint: string;
  /** Files with generated passwords that the operator should know about. */
  readonly generated: NewPasswords['generated'];
}

/** @throws OperatorFault already-initialised, state-locked, state-unwritable, state-exposed, algorithm-unsupported, issuance-refused … */
export function initialise(paths: StatePaths, options: InitialiseOptions): Promise<Initialised> {
  const offline = options.offlineRootDirectory === null ? null : offlineDirectory(options.offlineRootDirectory, paths);
  return inNewState(paths, offline, () => makeAuthority(paths, options, offline));
}

async function makeAuthority(
  paths: StatePaths,
  options: InitialiseOptions,
  offline: string | null,
): Promise<Initialised> {
  const [rootKey, intermediateKey] = await Promise.all([
    newKey(options.rootAlgorithm),
    newKey(options.intermediateAlgorithm),
  ]);
  const { issuing, root, provisioner, generated } = await newStatePasswords(paths, options, offline);

  const store = openSqliteStore(paths.database);
  try {
    const now = wallClock();
    const certificates = await initialiseAuthority(
      store,
      {
        root: signingKey(options.rootAlgorithm, rootKey),
        intermediate: signingKey(options.intermediateAlgorithm, intermediateKey),
      },
      options.plan,
      randomBytes,
      now,
    );
    const rootPem = pemFromDer('CERTIFICATE', certificates.root);
    writeFileAtomically(
      offline ? join(offline, 'root_ca_key') : paths.rootKey,
      encryptPrivateKey(rootKey, root, randomBytes),
      0o600,
    );
    if (offline) writeFileAtomically(join(offline, 'root_ca.crt'), rootPem, 0o644);
    writeFileAtomically(paths.intermediateKey, encryptPrivateKey(intermediateKey, issuing, randomBytes), 0o600);
    writeFileAtomically(paths.rootCertificate, rootPem, 0o644);
    writeFileAtomically(paths.intermediateCertificate, pemFromDer('CERTIFICATE', certificates.intermediate), 0o644);

    await completeState(
      paths,
      store,
      {
        name: options.name,
        dnsNames: options.dnsNames,
        config: options.config,
        offlineRootDirectory: offline,
        maxLifetimeSeconds: options.maxLifetimeSeconds,
        tokenPassword: provisioner,
      },
      now,
    );
    return {
      rootFingerprint: parseCertificate(certificates.root).fingerprint,
      generated,
    };
  } finally {
    store.close();
  }
}

/** @throws OperatorFault usage when it lies inside the state directory */
function offlineDirectory(directory: string, paths: StatePaths): string {
  const offline = resolve(directory);
  if (offline === paths.root || offline.startsWith(`${paths.root}/`)) {
    throw new OperatorFault('usage', 'the directory for the offline root lies inside the state directory');
  }
  return offline;
}

/** The names of a host that nobody has named: its own, and loopback. */
export function defaultDnsNames(): string[] {
  const own = parseDnsName(hostname());
  return [...new Set([...(own ? [own] : []), 'localhost', '127.0.0.1', '::1'])];
}
