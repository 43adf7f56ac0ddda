/** Digests: deterministic and synchronous, so core may compute them. */
import { hash } from 'node:crypto';

export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}

/** For key identifiers and OCSP CertIDs that others made, never for signatures. */
export function sha1(bytes: Uint8Array): Uint8Array {
  return hash('sha1', bytes, 'buffer');
}
