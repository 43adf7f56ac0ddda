/** An authority that nobody trusts and that is gone with the process: for checks that must fail, and for plans without one. */
import { type KeyObject, randomBytes } from 'node:crypto';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { generateKey } from '../../edge/signer/key-pair.ts';
import { openSqliteStore } from '../../edge/store/sqlite-store.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { initialiseAuthority } from '../../flow/ca/initialise-authority.ts';
import { signingKey } from './authority-pair.ts';

export interface InMemoryAuthority {
  readonly root: Certificate;
  readonly intermediate: Certificate;
  /** Of the intermediate. */
  readonly key: KeyObject;
}

/** @param names common names of root and intermediate */
export async function inMemoryAuthority(
  names: readonly [root: string, intermediate: string],
): Promise<InMemoryAuthority> {
  const [rootKey, key] = [await generateKey('ecdsa-p256'), await generateKey('ecdsa-p256')];
  const store = openSqliteStore(':memory:');
  const made = await initialiseAuthority(
    store,
    { root: signingKey('ecdsa-p256', rootKey), intermediate: signingKey('ecdsa-p256', key) },
    {
      root: { subject: { commonName: names[0] }, lifetimeSeconds: 3600 },
      intermediate: { subject: { commonName: names[1] }, lifetimeSeconds: 1800, pathLength: 0 },
    },
    randomBytes,
    wallClock(),
  );
  store.close();
  return { root: parseCertificate(made.root), intermediate: parseCertificate(made.intermediate), key };
}
