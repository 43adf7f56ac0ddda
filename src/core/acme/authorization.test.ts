import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ATTEMPTS, at, authorization, dns, ip } from '../../../test/acme/facts.ts';
import { bytesFromBase64Url } from '../bytes/base64url.ts';
import type { Thumbprint } from '../jose/jwk.ts';
import {
  type AuthorizationStatus,
  authorizationStatus,
  type ChallengeStatus,
  type ChallengeType,
  challengeStatus,
  keyAuthorization,
  offeredChallenges,
  TOKEN_BYTE_LENGTH,
  tokenFromRandom,
} from './authorization.ts';

type Attempted = keyof typeof ATTEMPTS;

/** Every combination of facts: before its expiry, in the second of its expiry, and after. */
const STATUSES: readonly (readonly [
  Attempted,
  'kept' | 'deactivated',
  AuthorizationStatus,
  AuthorizationStatus,
  AuthorizationStatus,
])[] = [
  ['none', 'kept', 'pending', 'pending', 'invalid'],
  ['running', 'kept', 'pending', 'pending', 'invalid'],
  ['valid', 'kept', 'valid', 'valid', 'expired'],
  ['invalid', 'kept', 'invalid', 'invalid', 'invalid'],
  ['none', 'deactivated', 'deactivated', 'deactivated', 'deactivated'],
  ['running', 'deactivated', 'deactivated', 'deactivated', 'deactivated'],
  ['valid', 'deactivated', 'deactivated', 'deactivated', 'deactivated'],
  ['invalid', 'deactivated', 'deactivated', 'deactivated', 'deactivated'],
];

test('the status of an authorization follows from its facts and the time (RFC 8555 §7.1.6)', () => {
  for (const [attempt, kept, ...statuses] of STATUSES) {
    const facts = authorization({
      attempt: ATTEMPTS[attempt],
      deactivatedAt: kept === 'deactivated' ? at(-1) : null,
      expiresAt: at(0),
    });
    assert.deepEqual(
      [at(-1), at(0), at(1)].map((now) => authorizationStatus(facts, now)),
      statuses,
      `${attempt}, ${kept}`,
    );
  }
});

const OFFERED: readonly (readonly [what: string, Parameters<typeof authorization>[0], readonly ChallengeType[]])[] = [
  ['a name', { identifier: dns('a.test') }, ['http-01', 'dns-01', 'tls-alpn-01']],
  ['a wildcard, by DNS alone (§7.1.3)', { identifier: dns('*.a.test') }, ['dns-01']],
  ['an address, not by DNS (RFC 8738 §7)', { identifier: ip('192.0.2.1') }, ['http-01', 'tls-alpn-01']],
  ['an IPv6 address', { identifier: ip('::1') }, ['http-01', 'tls-alpn-01']],
  ['a name being tried', { attempt: ATTEMPTS.running }, ['http-01']],
  ['a proven name: only what proved it (§7.1.4)', { attempt: ATTEMPTS.valid }, ['http-01']],
  ['a failed name: only what failed', { attempt: ATTEMPTS.invalid }, ['http-01']],
];

test('challenges are offered by kind of identifier, and after an attempt only the one that was tried', () => {
  for (const [what, facts, types] of OFFERED) assert.deepEqual(offeredChallenges(authorization(facts)), types, what);
});

test('the status of a challenge is that of its attempt; the others stay pending (RFC 8555 §7.1.6)', () => {
  const rows: readonly (readonly [Attempted, ChallengeStatus])[] = [
    ['none', 'pending'],
    ['running', 'processing'],
    ['valid', 'valid'],
    ['invalid', 'invalid'],
  ];
  for (const [attempt, status] of rows) {
    const facts = authorization({ attempt: ATTEMPTS[attempt] });
    assert.equal(challengeStatus(facts, 'http-01'), status);
    assert.equal(challengeStatus(facts, 'dns-01'), 'pending');
  }
});

test('a token carries at least 128 bits in base64url (RFC 8555 §8)', () => {
  assert.ok(TOKEN_BYTE_LENGTH * 8 >= 128);
  const token = tokenFromRandom(new Uint8Array(TOKEN_BYTE_LENGTH).fill(0xfb));
  assert.equal(bytesFromBase64Url(token)?.byteLength, TOKEN_BYTE_LENGTH);
  for (const length of [0, TOKEN_BYTE_LENGTH - 1, TOKEN_BYTE_LENGTH + 1])
    assert.throws(() => tokenFromRandom(new Uint8Array(length)), RangeError);
});

test('a key authorization joins token and thumbprint with a dot (RFC 8555 §8.1, the example of §8.3)', () => {
  assert.equal(
    keyAuthorization(
      'LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0',
      '9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI' as Thumbprint,
    ),
    'LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI',
  );
});
