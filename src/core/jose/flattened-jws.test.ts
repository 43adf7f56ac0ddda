import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlattenedJws } from './flattened-jws.ts';

const encode = (text: string | Uint8Array): string => Buffer.from(text as string).toString('base64url');
const HEADER = { alg: 'ES256', nonce: 'n', url: 'https://ca.test/acme/acme/new-order', kid: 'https://ca.test/1' };

const body = (overrides: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  protected: encode(JSON.stringify(HEADER)),
  payload: encode('{}'),
  signature: 'AAAA',
  ...overrides,
});
const withHeader = (header: unknown): Record<string, unknown> => body({ protected: encode(JSON.stringify(header)) });

test('a flattened JWS is its header, payload, signature, and the text that was signed (RFC 7515 §7.2.2)', () => {
  const jws = parseFlattenedJws(body());
  if ('why' in jws) assert.fail(jws.why);
  assert.deepEqual({ ...jws.header }, HEADER);
  assert.equal(Buffer.from(jws.payload).toString(), '{}');
  assert.deepEqual([...jws.signature], [0, 0, 0]);
  assert.equal(Buffer.from(jws.signingInput).toString('latin1'), `${encode(JSON.stringify(HEADER))}.e30`);
});

test('an empty payload is a POST-as-GET (RFC 8555 §6.3)', () => {
  const jws = parseFlattenedJws(body({ payload: '' }));
  if ('why' in jws) assert.fail(jws.why);
  assert.equal(jws.payload.byteLength, 0);
});

const REFUSED: readonly (readonly [what: string, value: unknown, why: RegExp])[] = [
  ['null', null, /not a JWS object/],
  ['a number', 1, /not a JWS object/],
  ['the compact form', 'e30.e30.AAAA', /not a JWS object/],
  ['a list', [body()], /not a JWS object/],
  ['nothing in it', {}, /must be strings/],
  ['no payload: detached content (RFC 7515 appendix F)', body({ payload: undefined }), /must be strings/],
  ['a null payload', body({ payload: null }), /must be strings/],
  ['no protected header', { payload: '', signature: 'AAAA' }, /must be strings/],
  ['a protected header that is an object', body({ protected: HEADER }), /must be strings/],
  ['an unprotected header (RFC 8555 §6.2)', body({ header: { kid: 'x' } }), /"header" is not allowed/],
  ['an empty unprotected header', body({ header: {} }), /"header" is not allowed/],
  ['the general form (RFC 8555 §6.2)', body({ signatures: [] }), /"signatures" is not allowed/],
  ['a stray member', body({ extra: 1 }), /"extra" is not allowed/],
  ['a member named __proto__', JSON.parse('{"__proto__":{}}') as unknown, /"__proto__" is not allowed/],
  ['a padded protected header', body({ protected: `${encode('{"alg":"ES256"}')}=` }), /protected is not base64url/],
  ['a padded payload', body({ payload: 'e30=' }), /payload is not base64url/],
  ['a padded signature', body({ signature: 'AA==' }), /signature is not base64url/],
  ['base64 in place of base64url', body({ payload: '+w/A' }), /payload is not base64url/],
  ['stray trailing bits', body({ signature: 'AB' }), /signature is not base64url/],
  ['a line break', body({ payload: 'e3\n0' }), /payload is not base64url/],
  ['an empty protected header', body({ protected: '' }), /not JSON/],
  ['a protected header that is no JSON', body({ protected: encode('{alg:1}') }), /not JSON/],
  ['a protected header with a byte order mark', body({ protected: encode('\ufeff{"alg":"ES256"}') }), /not JSON/],
  ['a protected header cut short', body({ protected: encode('{"alg":"ES2') }), /not JSON/],
  ['a protected header that is a list', withHeader([HEADER]), /not an object/],
  ['a protected header that is null', withHeader(null), /not an object/],
  ['no alg', withHeader({ ...HEADER, alg: undefined }), /no alg/],
  ['an alg that is a list', withHeader({ ...HEADER, alg: ['ES256'] }), /no alg/],
  ['a url that is a number', withHeader({ ...HEADER, url: 1 }), /url is not a string/],
  ['a nonce that is null', withHeader({ ...HEADER, nonce: null }), /nonce is not a string/],
  ['a kid that is an object', withHeader({ ...HEADER, kid: {} }), /kid is not a string/],
  ['b64: false (RFC 7797)', withHeader({ ...HEADER, b64: false, crit: ['b64'] }), /crit and b64/],
  ['b64 without crit', withHeader({ ...HEADER, b64: true }), /crit and b64/],
  ['an unknown critical extension (RFC 7515 §4.1.11)', withHeader({ ...HEADER, crit: ['x'], x: 1 }), /crit and b64/],
  ['an empty crit', withHeader({ ...HEADER, crit: [] }), /crit and b64/],
  ['a null crit', withHeader({ ...HEADER, crit: null }), /crit and b64/],
];

test('every other shape is refused with the member that is wrong (RFC 8555 §6.2)', () => {
  for (const [what, value, why] of REFUSED) {
    const result = parseFlattenedJws(value);
    if (!('why' in result)) assert.fail(what);
    assert.match(result.why, why, what);
    assert.ok(result.why.length < 120, what);
  }
});

test('a header member that JavaScript objects inherit is not taken for one that was sent', () => {
  const jws = parseFlattenedJws(body({ protected: encode('{"alg":"ES256","__proto__":{"url":"x","crit":1}}') }));
  if ('why' in jws) assert.fail(jws.why);
  assert.equal(jws.header.url, undefined);
});
