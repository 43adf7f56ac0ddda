/** The key of an ACME account: one for each directory, kept, because an account has its own limits and its own history. */
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { createFileAtomically } from '../../edge/files/atomic-file.ts';
import { generateKey } from '../../edge/signer/key-pair.ts';

/**
 * @param accounts directory of account keys; made with 0700
 * @throws OperatorFault state-exposed when others may read the key, key-unusable
 */
export async function accountKey(accounts: string, directoryUrl: string): Promise<KeyObject> {
  mkdirSync(accounts, { recursive: true, mode: 0o700 });
  const path = join(accounts, `${createHash('sha256').update(directoryUrl).digest('hex').slice(0, 16)}.key`);
  if (!existsSync(path)) {
    const pem = (await generateKey('ecdsa-p256')).export({ type: 'pkcs8', format: 'pem' });
    // Two issuers of one directory may be opened at once: the key that was there first is the key.
    if (!existsSync(path)) createFileAtomically(path, pem, 0o600);
  }
  const { mode } = statSync(path);
  if (mode & 0o077)
    throw new OperatorFault(
      'state-exposed',
      `the account key ${path} has mode ${(mode & 0o777).toString(8)}: others may use the account`,
      { path },
    );
  try {
    return createPrivateKey(readFileSync(path));
  } catch (cause) {
    throw new OperatorFault('key-unusable', `the account key ${path} cannot be read`, { path }, cause);
  }
}
