/** The key of our authority's JWK provisioner, and one-time tokens by it: everything that is wired to our state. */
import { createPrivateKey, randomUUID, sign, type webcrypto } from 'node:crypto';
import { authorityCertificates } from '../src/app/authority-files.ts';
import { openRecords } from '../src/app/open-state.ts';
import { findPassword } from '../src/app/passwords.ts';
import { statePaths } from '../src/edge/files/state-directory.ts';
import { openTokenKey } from '../src/edge/signer/token-key.ts';

export interface ProvisionerKey {
  readonly name: string;
  /** The private JWK. */
  readonly jwk: webcrypto.JsonWebKey & { readonly kid?: string };
  /** Lower-case hex of SHA-256 over the root. */
  readonly rootFingerprint: string;
}

/** A new token for one certificate with this name. */
export type TokenMaker = (name: string) => string;

const PROVISIONER = 'admin';
const TOKEN_LIFETIME_SECONDS = 3600;

/** Of a state directory made without password options: the password lies in a generated file. */
export async function provisionerKey(state: string): Promise<ProvisionerKey> {
  const paths = statePaths(state);
  const { store, close } = openRecords(paths);
  const record = await store.loadProvisioner(PROVISIONER);
  close();
  const source = { file: undefined, environment: undefined, ask: false, generated: paths.provisionerPassword };
  const password = await findPassword(source, 'the token key');
  if (!record?.encryptedKey || password === null) throw new Error(`the provisioner ${PROVISIONER} has no token key`);
  const jwk = (await openTokenKey(record.encryptedKey, password)) as ProvisionerKey['jwk'];
  return { name: PROVISIONER, jwk, rootFingerprint: authorityCertificates(paths).root.fingerprint };
}

/** The claims of step-ca's clients. Signed here and not by the command line's code: thousands are needed at once. */
export function tokenMaker(
  { name: issuer, jwk, rootFingerprint }: ProvisionerKey,
  signUrl: string,
  now: number,
): TokenMaker {
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  const header = encoded({ alg: 'ES256', typ: 'JWT', ...(jwk.kid !== undefined && { kid: jwk.kid }) });
  return (name) => {
    const claims = encoded({
      iss: issuer,
      aud: signUrl,
      sub: name,
      sans: [name],
      sha: rootFingerprint,
      jti: randomUUID(),
      iat: now,
      nbf: now,
      exp: now + TOKEN_LIFETIME_SECONDS,
    });
    const signature = sign('sha256', Buffer.from(`${header}.${claims}`), { key, dsaEncoding: 'ieee-p1363' });
    return `${header}.${claims}.${signature.toString('base64url')}`;
  };
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
