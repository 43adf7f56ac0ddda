/** A certificate signing request for a key that is at hand. */
import type { KeyObject } from 'node:crypto';
import { pemFromDer } from '../../core/bytes/pem.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { assembleCsr, encodeCsrInfo } from '../../core/x509/csr.ts';
import type { GeneralName } from '../../core/x509/general-name.ts';
import { publicKeyDer, signWith } from './key-pair.ts';

/** PKCS#10 (RFC 2986) as PEM, signed by the key itself. */
export async function newCsr(
  key: KeyObject,
  algorithm: KeyAlgorithm,
  names: readonly GeneralName[],
  commonName?: string,
): Promise<string> {
  const info = encodeCsrInfo({ publicKey: publicKeyDer(key), names, ...(commonName !== undefined && { commonName }) });
  return pemFromDer('CERTIFICATE REQUEST', assembleCsr(info, algorithm, await signWith(key, algorithm)(info)));
}
