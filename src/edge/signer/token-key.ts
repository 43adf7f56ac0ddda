/**
 * The key of a JWK provisioner: who may sign one-time tokens. Its private half is stored as a JWE under the
 * provisioner's password, in the form that step-ca's clients decrypt (PBES2-HS256+A128KW, A256GCM).
 */
import { randomUUID } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { jwkThumbprint, type PublicJwk, parsePublicJwk } from '../../core/jose/jwk.ts';

const PBES2_ITERATIONS = 600_000;

export interface TokenKey {
  readonly publicKey: PublicJwk & { readonly kid: string };
  /** Compact JWE of the private JWK. */
  readonly encryptedKey: string;
}

/** A new P-256 key, encrypted under the password. */
export async function newTokenKey(password: Uint8Array): Promise<TokenKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const publicKey = parsePublicJwk({ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y });
  if ('why' in publicKey) throw new Error(publicKey.why);
  const kid = jwkThumbprint(publicKey);
  const encryptedKey = await new CompactEncrypt(Buffer.from(JSON.stringify({ ...jwk, kid, use: 'sig', alg: 'ES256' })))
    .setProtectedHeader({ alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', cty: 'jwk+json' })
    .setKeyManagementParameters({ p2c: PBES2_ITERATIONS })
    .encrypt(password);
  return { publicKey: { ...publicKey, kid }, encryptedKey };
}

/** The password does not open the token key. */
export class WrongTokenPassword extends Error {}

/** @throws WrongTokenPassword */
export async function openTokenKey(encryptedKey: string, password: Uint8Array): Promise<JWK> {
  try {
    const { plaintext } = await compactDecrypt(encryptedKey, password, {
      keyManagementAlgorithms: ['PBES2-HS256+A128KW', 'PBES2-HS384+A192KW', 'PBES2-HS512+A256KW'],
      maxPBES2Count: 2_000_000,
    });
    return JSON.parse(Buffer.from(plaintext).toString('utf8')) as JWK;
  } catch (cause) {
    throw new WrongTokenPassword('the password does not open the token key', { cause });
  }
}

export interface TokenClaims {
  readonly provisioner: string;
  readonly audience: string;
  readonly subject: string;
  readonly names: readonly string[];
  readonly rootFingerprint: string;
  readonly profile: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly lifetimeSeconds: number;
}

/** One single-use token. */
export async function signToken(jwk: JWK, claims: TokenClaims): Promise<string> {
  const key = await importJWK(jwk, 'ES256');
  return new SignJWT({ sans: claims.names, sha: claims.rootFingerprint, profile: claims.profile })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', ...(jwk.kid && { kid: jwk.kid }) })
    .setIssuer(claims.provisioner)
    .setAudience(claims.audience)
    .setSubject(claims.subject)
    .setJti(randomUUID())
    .setIssuedAt(claims.issuedAt)
    .setNotBefore(claims.issuedAt)
    .setExpirationTime(claims.issuedAt + claims.lifetimeSeconds)
    .sign(key);
}
