/** The roots of this host's authority: what peers are to trust, and to which of them new certificates lead. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorFault } from '../core/faults/operator-faults.ts';
import { type Certificate, isIssuedBy, verifyCertificateSignature } from '../core/x509/certificate.ts';
import { readCertificates } from '../edge/files/certificate-files.ts';
import type { StatePaths } from '../edge/files/state-directory.ts';

export interface TrustedRoots {
  /** The root above the intermediate that issues now. */
  readonly active: Certificate;
  /** What peers are to trust now, the active one first: more than one while a root is being replaced. */
  readonly bundle: readonly Certificate[];
}

/**
 * Read from the files. Which root is active follows from who signed the intermediate, so that replacing that one file
 * changes both at once, and a crash cannot come between them.
 *
 * @throws OperatorFault state-incomplete, key-mismatch, input-unreadable, input-invalid
 */
export function trustedRoots(paths: StatePaths): TrustedRoots {
  return rootsAbove(issuingCertificate(paths), paths);
}

/** @throws OperatorFault as trustedRoots does */
export function rootsAbove(intermediate: Certificate, paths: StatePaths): TrustedRoots {
  const roots = certificatesAt(paths.rootCertificate, paths);
  const active = roots.find((root) => isAbove(root, intermediate));
  if (!active)
    throw new OperatorFault(
      'key-mismatch',
      `${paths.intermediateCertificate} was not issued by ${paths.rootCertificate}`,
      { path: paths.intermediateCertificate },
    );
  return { active, bundle: [active, ...roots.filter((root) => root !== active)] };
}

export function isAbove(root: Certificate, intermediate: Certificate): boolean {
  return isIssuedBy(intermediate, root) && verifyCertificateSignature(intermediate, root);
}

/** The intermediate in use. @throws OperatorFault state-incomplete */
export function issuingCertificate(paths: StatePaths): Certificate {
  return first(certificatesAt(paths.intermediateCertificate, paths), paths.intermediateCertificate);
}

/** The intermediate that is prepared and issues nothing yet. @throws OperatorFault input-invalid */
export function nextIntermediate(paths: StatePaths): Certificate | null {
  if (!existsSync(paths.nextIntermediateCertificate)) return null;
  return first(readCertificates(paths.nextIntermediateCertificate), paths.nextIntermediateCertificate);
}

/** Intermediates that issued before, in no order. @throws OperatorFault input-invalid */
export function previousIntermediates(paths: StatePaths): Certificate[] {
  if (!existsSync(paths.issuers)) return [];
  return readdirSync(paths.issuers)
    .filter((name) => /^[0-9a-f]+\.crt$/.test(name))
    .flatMap((name) => readCertificates(join(paths.issuers, name)).slice(0, 1));
}

/** Roots that are trusted no more. @throws OperatorFault input-invalid */
export function retiredRoots(paths: StatePaths): Certificate[] {
  if (!existsSync(paths.retired)) return [];
  return readdirSync(paths.retired)
    .filter((name) => /^[0-9a-f]{64}\.crt$/.test(name))
    .flatMap((name) => readCertificates(join(paths.retired, name)).slice(0, 1));
}

function certificatesAt(path: string, paths: StatePaths): Certificate[] {
  if (!existsSync(path)) throw new OperatorFault('state-incomplete', `${path} is missing`, { path: paths.root });
  return readCertificates(path);
}

function first(certificates: readonly Certificate[], path: string): Certificate {
  const [certificate] = certificates;
  if (!certificate) throw new OperatorFault('state-incomplete', `${path} holds no certificate`, { path });
  return certificate;
}
