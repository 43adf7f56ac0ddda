import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { parseCompactJws } from '../../core/jose/compact-jws.ts';
import { jwkThumbprint, parsePublicJwk } from '../../core/jose/jwk.ts';
import { newTokenKey, openTokenKey, signToken, WrongTokenPassword } from './token-key.ts';

const PASSWORD = Buffer.from('correct horse ünd säule');
const made = await newTokenKey(PASSWORD);

test('the private half of a token key is a JWE as step-ca’s clients decrypt it, and jose opens it', async () => {
  const header = decodeProtectedHeader(made.encryptedKey);
  assert.deepEqual(
    [header.alg, header.enc, header.cty, header.p2c],
    ['PBES2-HS256+A128KW', 'A256GCM', 'jwk+json', 600_000],
  );
  const { plaintext } = await compactDecrypt(made.encryptedKey, PASSWORD, {
    keyManagementAlgorithms: ['PBES2-HS256+A128KW'],
    maxPBES2Count: 600_000,
  });
  const jwk = JSON.parse(Buffer.from(plaintext).toString('utf8'));
  assert.equal(jwk.kid, made.publicKey.kid);
  const { kty, crv, x, y } = createPublicKey(createPrivateKey({ key: jwk, format: 'jwk' })).export({ format: 'jwk' });
  assert.deepEqual({ ...made.publicKey }, { kty, crv, x, y, kid: jwk.kid });
});

test('the key identifier is the thumbprint (RFC 7638), and no private member is in the public half', () => {
  const { kid, ...jwk } = made.publicKey;
  const parsed = parsePublicJwk(jwk);
  assert.ok(!('why' in parsed));
  assert.equal(jwkThumbprint(parsed), kid);
});

test('a token key opens with its password and with no other', async () => {
  assert.equal((await openTokenKey(made.encryptedKey, PASSWORD)).kid, made.publicKey.kid);
  await assert.rejects(openTokenKey(made.encryptedKey, Buffer.from('correct horse')), WrongTokenPassword);
  await assert.rejects(openTokenKey(made.encryptedKey, new Uint8Array()), WrongTokenPassword);
});

test('a token key of step-ca’s own making opens: 100,000 rounds, other PBES2 algorithms', async () => {
  for (const alg of ['PBES2-HS256+A128KW', 'PBES2-HS384+A192KW', 'PBES2-HS512+A256KW']) {
    const encrypted = await new CompactEncrypt(Buffer.from('{"kty":"EC","kid":"theirs"}'))
      .setProtectedHeader({ alg, enc: 'A256GCM', cty: 'jwk+json' })
      .setKeyManagementParameters({ p2c: 100_000 })
      .encrypt(PASSWORD);
    assert.equal((await openTokenKey(encrypted, PASSWORD)).kid, 'theirs');
  }
});

test('a JWE that would cost more rounds than anybody uses is refused before they are spent', async () => {
  const [, ...rest] = made.encryptedKey.split('.');
  const header = { ...decodeProtectedHeader(made.encryptedKey), p2c: 2_000_001 };
  const costly = [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.');
  await assert.rejects(openTokenKey(costly, PASSWORD), WrongTokenPassword);
});

test('a signed token verifies by jose and parses as our own tokens do, and no two have the same id', async () => {
  const jwk = await openTokenKey(made.encryptedKey, PASSWORD);
  const claims = {
    provisioner: 'admin',
    audience: 'https://ca.test/1.0/sign',
    subject: 'a.test',
    names: ['a.test', '10.0.0.1'],
    rootFingerprint: 'ab'.repeat(32),
    profile: 'server',
    issuedAt: 1_790_000_000,
    lifetimeSeconds: 300,
  };
  const [one, two] = [await signToken(jwk, claims), await signToken(jwk, claims)];
  const { payload, protectedHeader } = await jwtVerify(one, await importJWK(made.publicKey, 'ES256'), {
    issuer: 'admin',
    audience: 'https://ca.test/1.0/sign',
    subject: 'a.test',
    currentDate: new Date(1_790_000_100_000),
  });
  assert.deepEqual(protectedHeader, { alg: 'ES256', typ: 'JWT', kid: made.publicKey.kid });
  assert.deepEqual(
    { ...payload, jti: undefined },
    {
      sans: claims.names,
      sha: claims.rootFingerprint,
      profile: 'server',
      iss: 'admin',
      aud: claims.audience,
      sub: 'a.test',
      jti: undefined,
      iat: 1_790_000_000,
      nbf: 1_790_000_000,
      exp: 1_790_000_300,
    },
  );
  const parsed = parseCompactJws(one);
  assert.ok(!('why' in parsed));
  const other = parseCompactJws(two);
  assert.ok(!('why' in other));
  assert.ok(typeof parsed.claims.jti === 'string' && parsed.claims.jti.length >= 22);
  assert.notEqual(parsed.claims.jti, other.claims.jti);
});
