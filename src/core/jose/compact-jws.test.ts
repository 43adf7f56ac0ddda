import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKeyPair, SignJWT } from 'jose';
import { JWS_VECTORS } from '../../../test/vectors/jose.ts';
import { keyFromJwk, verifyJwsSignature } from '../crypto/jws-signature.ts';
import { parseCompactJws } from './compact-jws.ts';
import { parsePublicJwk } from './jwk.ts';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (header: unknown, claims: unknown, signature = 'AAAA'): string =>
  `${encode(header)}.${encode(claims)}.${signature}`;

test('a token that jose made is read and verifies', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const text = await new SignJWT({ sans: ['a.test'] })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .setSubject('a.test')
    .sign(privateKey);
  const jws = parseCompactJws(text);
  if ('why' in jws) assert.fail(jws.why);
  assert.equal(jws.kid, 'k');
  assert.equal(jws.algorithm, 'ES256');
  assert.deepEqual({ ...jws.claims }, { sans: ['a.test'], sub: 'a.test' });
  const jwk = parsePublicJwk(await crypto.subtle.exportKey('jwk', publicKey));
  const key = 'why' in jwk ? null : keyFromJwk(jwk);
  assert.ok(key && verifyJwsSignature(key, jws.algorithm, jws.signingInput, jws.signature));
});

test('the example tokens of RFC 7515 appendices A.2 and A.3 are read', () => {
  for (const { compact, alg } of JWS_VECTORS.slice(0, 2)) {
    const jws = parseCompactJws(compact);
    if ('why' in jws) assert.fail(jws.why);
    assert.equal(jws.algorithm, alg);
    assert.equal(jws.claims.iss, 'joe');
    assert.equal(jws.kid, null);
  }
});

const CLAIMS = { sub: 'a.test' };

const REFUSED: readonly (readonly [what: string, text: string, why: RegExp])[] = [
  ['nothing', '', /not a signed JWT/],
  ['two parts', `${encode({ alg: 'ES256' })}.${encode(CLAIMS)}`, /not a signed JWT/],
  ['four parts', `${token({ alg: 'ES256' }, CLAIMS)}.AAAA`, /not a signed JWT/],
  ['a JWE of five parts', 'e30.AAAA.AAAA.AAAA.AAAA', /not a signed JWT/],
  ['no signature: alg none as RFC 7519 §6.1 writes it', token({ alg: 'none' }, CLAIMS, ''), /not a signed JWT/],
  ['alg none with a signature', token({ alg: 'none' }, CLAIMS), /not accepted/],
  ['HS256', token({ alg: 'HS256' }, CLAIMS), /not accepted/],
  ['no alg', token({}, CLAIMS), /not accepted/],
  ['an alg that every object has', token({ alg: 'constructor' }, CLAIMS), /not accepted/],
  ['crit', token({ alg: 'ES256', crit: ['exp'] }, CLAIMS), /crit and b64/],
  ['b64: false', token({ alg: 'ES256', b64: false }, CLAIMS), /crit and b64/],
  ['claims that are a list', token({ alg: 'ES256' }, [CLAIMS]), /not a signed JWT/],
  ['claims that are null', token({ alg: 'ES256' }, null), /not a signed JWT/],
  ['a header that is a string', token('ES256', CLAIMS), /not a signed JWT/],
  ['padding', `${token({ alg: 'ES256' }, CLAIMS)}==`, /not a signed JWT/],
  ['a space before', ` ${token({ alg: 'ES256' }, CLAIMS)}`, /not a signed JWT/],
  ['more than 16 KiB', token({ alg: 'ES256' }, { sub: 'a'.repeat(16_384) }), /too long/],
];

test('everything that is not a signed token in a public-key algorithm is refused', () => {
  for (const [what, text, why] of REFUSED) {
    const result = parseCompactJws(text);
    if (!('why' in result)) assert.fail(what);
    assert.match(result.why, why, what);
  }
});
