/** What became of one trust store. */

import { DerError } from '../../core/asn1/der-reader.ts';
import type { Hex } from '../../core/bytes/hex.ts';
import { pemBlocksLabelled } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';

export interface StoreChange {
  readonly store: 'system' | 'nss';
  readonly changed: boolean;
  /** The file or database. */
  readonly path: string;
  /** In words: "added to …". */
  readonly what: string;
}

/** What to remove: by fingerprint, by name, or by both. */
export interface RootSelector {
  readonly fingerprint: Hex | null;
  readonly name: string | null;
}

/** File names and NSS nicknames are made of this, so that no tool of the chain has to quote it. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** @throws OperatorFault usage */
export function checkStoreName(name: string): string {
  const bare = name.replace(/\.(?:crt|pem)$/, '');
  if (!NAME.test(bare))
    throw new OperatorFault(
      'usage',
      `${JSON.stringify(name)} is not a name for a store: letters, digits, ".", "_" and "-"`,
    );
  return bare;
}

/** Fingerprints of the certificates of a PEM text; those that are not well formed cannot be ours and are left out. */
export function fingerprintsIn(pem: string): Hex[] {
  return pemBlocksLabelled(pem, 'CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE').flatMap(({ der }) => {
    try {
      return [parseCertificate(der).fingerprint];
    } catch (cause) {
      if (cause instanceof DerError) return [];
      throw cause;
    }
  });
}

/** A failed write in words that name the privilege. */
export function storeFault(cause: unknown, path: string): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new OperatorFault(
      'trust-store-unwritable',
      `${path} may not be written by this user (${code})`,
      { path },
      cause,
    );
  return cause;
}
