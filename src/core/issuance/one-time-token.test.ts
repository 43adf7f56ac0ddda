import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompactJws } from '../jose/compact-jws.ts';
import { type Instant, instantFromSeconds } from '../time/instant.ts';
import { acceptToken, type TokenExpectation } from './one-time-token.ts';

const NOW = instantFromSeconds(1_795_572_953);
const ROOT = 'ab'.repeat(32);
const AUDIENCE = 'https://ca.test:9000/1.0/sign';

const EXPECTED: TokenExpectation = {
  provisioner: 'admin',
  isAudience: (url) => url === AUDIENCE,
  rootFingerprint: ROOT,
};

const CLAIMS = {
  iss: 'admin',
  aud: AUDIENCE,
  sub: 'db.test',
  sans: ['db.test', '192.0.2.7'],
  sha: ROOT,
  jti: 'c0ffee00c0ffee00',
  iat: NOW,
  nbf: NOW,
  exp: NOW + 300,
};

function accept(overrides: Readonly<Record<string, unknown>>, now: Instant = NOW): ReturnType<typeof acceptToken> {
  const claims: Record<string, unknown> = { ...CLAIMS, ...overrides };
  for (const [name, value] of Object.entries(claims)) if (value === undefined) delete claims[name];
  const jws: CompactJws = {
    algorithm: 'ES256',
    kid: null,
    claims,
    signature: new Uint8Array(64),
    signingInput: new Uint8Array(),
  };
  return acceptToken(jws, EXPECTED, now);
}

const DNS = { kind: 'dns', value: 'db.test' };

const ACCEPTED: readonly (readonly [what: string, claims: Readonly<Record<string, unknown>>, names?: unknown])[] = [
  ['as made', {}, [DNS, { kind: 'ip', value: '192.0.2.7' }]],
  ['no sans: the subject is the name', { sans: undefined }, [DNS]],
  ['empty sans: the subject is the name', { sans: [] }, [DNS]],
  ['a name in upper case', { sans: ['DB.Test'] }, [DNS]],
  [
    'an address of each kind',
    { sans: ['::1', '10.0.0.1'] },
    [
      { kind: 'ip', value: '::1' },
      { kind: 'ip', value: '10.0.0.1' },
    ],
  ],
  ['a URI', { sans: ['spiffe://a.test/db'] }, [{ kind: 'uri', value: 'spiffe://a.test/db' }]],
  ['a mailbox', { sans: ['a@b.test'] }, [{ kind: 'email', value: 'a@b.test' }]],
  ['several audiences, one ours (RFC 7519 §4.1.3)', { aud: ['https://other.test/', AUDIENCE] }],
  ['no root named', { sha: undefined }],
  ['no nbf: iat counts', { nbf: undefined }],
  ['an hour’s life', { exp: NOW + 3600 }],
  ['expired less than a minute ago', { nbf: NOW - 300, exp: NOW - 60 }],
  ['valid in less than a minute', { nbf: NOW + 60, exp: NOW + 360 }],
  ['an id of 256 characters', { jti: 'a'.repeat(256) }],
  ['members that step sends besides', { step: {}, cnf: { 'x5rt#S256': 'x' } }],
];

test('a token names what one issuance may contain', () => {
  for (const [what, claims, names] of ACCEPTED) {
    const token = accept(claims);
    if ('why' in token) assert.fail(`${what}: ${token.why}`);
    if (names !== undefined) assert.deepEqual(token.names, names, what);
    assert.equal(token.subject, 'db.test', what);
    assert.equal(token.profile, 'server', what);
  }
});

test('a token chooses among the leaf profiles', () => {
  for (const profile of ['server', 'client', 'peer']) {
    const token = accept({ profile });
    assert.equal('why' in token ? token.why : token.profile, profile);
  }
});

const REFUSED: readonly (readonly [what: string, claims: Readonly<Record<string, unknown>>, why: RegExp])[] = [
  ['another issuer', { iss: 'other' }, /another issuer/],
  ['no issuer', { iss: undefined }, /another issuer/],
  ['the issuer in a list', { iss: ['admin'] }, /another issuer/],
  ['another audience', { aud: 'https://other.test/1.0/sign' }, /for "https:\/\/other\.test\/1\.0\/sign"/],
  ['no audience', { aud: undefined }, /for null/],
  ['an empty list of audiences', { aud: [] }, /for null/],
  ['an audience that is a number', { aud: [1] }, /for null/],
  ['no id', { jti: undefined }, /no id/],
  ['an id that can be guessed', { jti: 'a'.repeat(15) }, /no id/],
  ['an id of 257 characters', { jti: 'a'.repeat(257) }, /no id/],
  ['an id that is a number', { jti: 1234567890123456 }, /no id/],
  ['expired by more than a minute', { nbf: NOW - 300, exp: NOW - 61 }, /has expired/],
  ['no expiry', { exp: undefined }, /has expired/],
  ['an expiry in words', { exp: '2099-01-01T00:00:00Z' }, /has expired/],
  ['not valid for another minute', { nbf: NOW + 61, exp: NOW + 361 }, /not valid yet/],
  ['neither nbf nor iat', { nbf: undefined, iat: undefined }, /not valid yet/],
  ['issued in the future', { nbf: undefined, iat: NOW + 61, exp: NOW + 361 }, /not valid yet/],
  ['more than an hour’s life', { exp: NOW + 3601 }, /longer than an hour/],
  ['a life without end', { exp: 8_640_000_000_000 }, /longer than an hour/],
  ['another root', { sha: 'cd'.repeat(32) }, /another root/],
  ['a root that is null', { sha: null }, /another root/],
  ['no subject', { sub: undefined }, /no subject/],
  ['an empty subject', { sub: '' }, /no subject/],
  ['the profile of an authority', { profile: 'intermediate' }, /profile "intermediate"/],
  ['the profile of a root', { profile: 'root' }, /profile "root"/],
  ['a profile that every object has', { profile: 'constructor' }, /profile "constructor"/],
  ['a profile that is null', { profile: null }, /profile/],
  ['sans that are one string', { sans: 'db.test' }, /not a list/],
  ['sans that are null', { sans: null }, /not a list/],
  ['a name that is none', { sans: ['db.test', '*'] }, /"\*" is not a name/],
  ['an empty name', { sans: [''] }, /"" is not a name/],
  ['a name that is a number', { sans: [1] }, /is not a name/],
  ['a name with a space', { sans: ['a b.test'] }, /"a b\.test" is not a name/],
];

test('every claim that does not fit refuses the token, with the claim in words', () => {
  for (const [what, claims, why] of REFUSED) {
    const result = accept(claims);
    if (!('why' in result)) assert.fail(what);
    assert.match(result.why, why, what);
  }
});

/** RFC 7519 §2: a NumericDate may have a fraction; others come from a faulty or hostile maker of tokens. */
test('a date that is no whole number of seconds is read or refused, and never an error', () => {
  for (const claims of [{ exp: NOW + 300.5 }, { nbf: NOW - 0.5 }, { iat: NOW + 0.25, nbf: undefined }])
    assert.ok('id' in accept(claims), JSON.stringify(claims));
  for (const claims of [{ exp: 1e300 }, { nbf: -1e300 }, { nbf: 1e300, exp: 1e300 }])
    assert.ok('why' in accept(claims), JSON.stringify(claims));
});

test('a claim that is nested deeply is refused like any other, and never an error', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`);
  for (const claims of [{ profile: deep }, { sans: [deep] }, { sub: deep }, { aud: deep }, { sha: deep }]) {
    const result = accept(claims);
    assert.ok('why' in result && result.why.length < 300);
  }
});

test('a token to revoke has a serial number as subject, as step’s clients write it', () => {
  for (const sub of ['85070591730234615865843651857942052864', '4000000000000000000000000000abcd']) {
    const token = accept({ sub, sans: undefined });
    assert.equal('why' in token ? token.why : token.subject, sub);
  }
});
