/**
 * Taking over an authority that somebody has made by hand: its root goes on, its keys are encrypted, and an intermediate below it issues
 * from now on. The tree is only read. What was issued before stays valid, and is listed.
 */
import { randomBytes } from 'node:crypto';
import { bytesEqual } from '../../core/bytes/compare.ts';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { findAuthorities, rootFlaw } from '../../core/takeover/found-authority.ts';
import { remainingSeconds } from '../../core/time/validity-period.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { formatName } from '../../core/x509/name.ts';
import { writeFileAtomically } from '../../edge/files/atomic-file.ts';
import { type PkiTree, readPkiTree, type TreeKey } from '../../edge/files/pki-tree.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { decryptPrivateKey, encryptPrivateKey } from '../../edge/signer/encrypted-key.ts';
import { algorithmOfKey, publicKeyDer } from '../../edge/signer/key-pair.ts';
import { openSqliteStore } from '../../edge/store/sqlite-store.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { type IntermediatePlan, issueIntermediate, listSigner } from '../../flow/ca/authority-certificates.ts';
import { storeFirstCrls } from '../../flow/ca/publish-crl.ts';
import type { AuthorityConfig } from '../config.ts';
import { newKey, newSerial, type PrivateKey, signingKey } from './authority-pair.ts';
import {
  completeState,
  inNewState,
  type NewPasswordOptions,
  type NewPasswords,
  newStatePasswords,
} from './new-state.ts';

export interface ImportOptions extends NewPasswordOptions {
  /** Where the authority was made; a directory, or a file with both key and certificate. */
  readonly tree: string;
  /** Of the keys in it, where they are encrypted. */
  readonly keyPassword: Uint8Array | null;
  /** Fingerprint of the root, where the tree has several. */
  readonly rootFingerprint: string | null;
  readonly name: string | null;
  readonly dnsNames: readonly string[];
  readonly config: Partial<AuthorityConfig>;
  readonly intermediateAlgorithm: KeyAlgorithm;
  readonly intermediate: Pick<IntermediatePlan, 'lifetimeSeconds'> & { readonly commonName: string | null };
  readonly maxLifetimeSeconds?: number;
}

export interface Imported {
  readonly root: Certificate;
  readonly intermediate: Certificate;
  /** It was in the tree, and is the one that goes on. */
  readonly intermediateTaken: boolean;
  /** What the authority has issued, the earliest expiry first; with every file that has it. */
  readonly issued: readonly { readonly certificate: Certificate; readonly files: readonly string[] }[];
  /** Private keys of the authority that lie in the tree. */
  readonly authorityKeys: readonly TreeKey[];
  /** Other private keys there that not their owner alone can read. */
  readonly exposedKeys: readonly TreeKey[];
  readonly generated: NewPasswords['generated'];
}

/** A certificate of the tree whose key is there too. */
interface Held {
  readonly certificate: Certificate;
  readonly key: PrivateKey;
  readonly file: TreeKey;
}

/** @throws OperatorFault import-refused, password-wrong, input-unreadable, and what initialising a state throws; then nothing was made */
export async function importAuthority(paths: StatePaths, options: ImportOptions): Promise<Imported> {
  const tree = readPkiTree(options.tree);
  const held = heldCertificates(tree, options.keyPassword);
  const { root, intermediate, leaves } = chosen(tree, held, options);
  const taken = held.filter(({ certificate }) => [root, intermediate].some((one) => one?.certificate === certificate));
  const made = await inNewState(paths, null, () => makeState(paths, options, root, intermediate));
  const isAuthorityKey = (file: TreeKey): boolean => taken.some((one) => one.file.pem === file.pem);
  return {
    root: root.certificate,
    ...made,
    issued: leaves.map((certificate) => ({
      certificate,
      files: tree.certificates
        .filter((one) => one.certificate.fingerprint === certificate.fingerprint)
        .map(({ path }) => path),
    })),
    authorityKeys: tree.keys.filter(isAuthorityKey),
    exposedKeys: tree.keys.filter((file) => !isAuthorityKey(file) && (file.mode & 0o077) !== 0),
  };
}

/** Each once. Keys that the password does not open belong to somebody, but not to what can be taken over. */
function heldCertificates({ certificates, keys }: PkiTree, password: Uint8Array | null): readonly Held[] {
  const held = keys.flatMap((file) => {
    const key = opened(file, password);
    if (key === null) return [];
    const publicKey = publicKeyDer(key);
    // A key may have several: signed by itself, and by another authority.
    return certificates
      .filter(({ certificate }) => bytesEqual(certificate.publicKey.raw, publicKey))
      .map(({ certificate }): Held => ({ certificate, key, file }));
  });
  return [...new Map(held.map((one) => [one.certificate.fingerprint, one])).values()];
}

function opened({ pem }: TreeKey, password: Uint8Array | null): PrivateKey | null {
  try {
    return decryptPrivateKey(pem, password ?? new Uint8Array());
  } catch {
    // Another password, another kind of key, or damaged: whichever, it is not the key of what is taken over.
    return null;
  }
}

function chosen(tree: PkiTree, held: readonly Held[], { tree: path, rootFingerprint, keyPassword }: ImportOptions) {
  const all = tree.certificates.map(({ certificate }) => certificate);
  const candidates =
    rootFingerprint === null
      ? held
      : held.filter((one) => one.certificate.fingerprint === rootFingerprint || !isSelfSigned(one));
  const { roots, intermediates, leaves } = findAuthorities(all, candidates);
  const [root, second] = roots;
  const refuse = (what: string): OperatorFault => new OperatorFault('import-refused', `${path}: ${what}`, { path });
  if (!root) {
    const locked = tree.keys.filter(({ encrypted }) => encrypted).map((file) => file.path);
    if (locked.length > 0)
      throw refuse(
        keyPassword === null
          ? `${locked.join(', ')} is encrypted: give its password with --key-password-file`
          : `the password opens no key of an authority; encrypted is ${locked.join(', ')}`,
      );
    throw refuse('no self-signed authority whose private key is here too was found');
  }
  if (second && rootFingerprint === null)
    throw refuse(
      `several authorities with their keys are here; choose one with --root-fingerprint: ${roots
        .map(({ certificate }) => `${certificate.fingerprint} (${formatName(certificate.subject)})`)
        .join(', ')}`,
    );
  const flaw = rootFlaw(root.certificate, wallClock());
  if (flaw !== null) throw refuse(`${formatName(root.certificate.subject)} cannot be taken over: ${flaw}`);
  const now = wallClock();
  const intermediate = intermediates.find(({ certificate }) => isInForce(certificate, now)) ?? null;
  return { root, intermediate, leaves };
}

function isSelfSigned({ certificate }: Held): boolean {
  return formatName(certificate.subject) === formatName(certificate.issuer);
}

/** An intermediate goes on while it is valid; one that has little left is replaced by a new one. */
function isInForce({ validity }: Certificate, now: number): boolean {
  return now >= validity.notBefore && now < validity.notAfter;
}

async function makeState(paths: StatePaths, options: ImportOptions, root: Held, intermediate: Held | null) {
  const passwords = await newStatePasswords(paths, options, null);
  const rootKey = signingKey(algorithmOf(root), root.key);
  const issuingKey = intermediate?.key ?? (await newKey(options.intermediateAlgorithm));
  const store = openSqliteStore(paths.database);
  try {
    const now = wallClock();
    const left = remainingSeconds(root.certificate.validity, now);
    const certificate =
      intermediate?.certificate ??
      parseCertificate(
        await issueIntermediate(
          store,
          { certificate: root.certificate, key: rootKey },
          publicKeyDer(issuingKey),
          {
            subject: {
              commonName: options.intermediate.commonName ?? `${commonNameOf(root.certificate)} Intermediate`,
            },
            lifetimeSeconds: Math.min(options.intermediate.lifetimeSeconds, left),
            pathLength: 0,
          },
          newSerial(),
          now,
        ),
      );
    await storeFirstCrls(
      store,
      listSigner(root.certificate, rootKey),
      listSigner(
        certificate,
        signingKey(intermediate ? algorithmOf(intermediate) : options.intermediateAlgorithm, issuingKey),
      ),
      now,
    );
    writeFileAtomically(paths.rootKey, encryptPrivateKey(root.key, passwords.root, randomBytes), 0o600);
    writeFileAtomically(paths.intermediateKey, encryptPrivateKey(issuingKey, passwords.issuing, randomBytes), 0o600);
    writeFileAtomically(paths.rootCertificate, pemFromDer('CERTIFICATE', root.certificate.raw), 0o644);
    writeFileAtomically(paths.intermediateCertificate, pemFromDer('CERTIFICATE', certificate.raw), 0o644);
    const { config, dnsNames, maxLifetimeSeconds } = options;
    const name = options.name ?? commonNameOf(root.certificate);
    await completeState(
      paths,
      store,
      { name, dnsNames, config, offlineRootDirectory: null, maxLifetimeSeconds, tokenPassword: passwords.provisioner },
      now,
    );
    return { intermediate: certificate, intermediateTaken: intermediate !== null, generated: passwords.generated };
  } finally {
    store.close();
  }
}

/** @throws OperatorFault algorithm-unsupported */
function algorithmOf({ key, file }: Held): KeyAlgorithm {
  const algorithm = algorithmOfKey(key);
  if (algorithm !== null) return algorithm;
  throw new OperatorFault(
    'algorithm-unsupported',
    `${file.path} is a key of a kind that no certificate is signed with here`,
  );
}

function commonNameOf({ subject }: Certificate): string {
  return /(?:^|,)CN=([^,]*)/.exec(formatName(subject))?.[1] ?? 'Imported authority';
}
