import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { nonces } from './nonces.ts';

test('a nonce is redeemed exactly once (RFC 8555 §6.5)', () => {
  const { issue, redeem } = nonces(randomBytes);
  const nonce = issue();
  assert.equal(redeem(nonce), true);
  assert.equal(redeem(nonce), false);
});

test('what was never issued is refused', () => {
  const { issue, redeem } = nonces(randomBytes);
  const nonce = issue();
  const flipped = nonce.slice(0, -1) + (nonce.endsWith('A') ? 'Q' : 'A');
  for (const wrong of [
    '',
    'x',
    nonce.slice(1),
    `${nonce}A`,
    `${nonce}=`,
    randomBytes(16).toString('base64url'),
    '!'.repeat(22),
    flipped,
  ]) {
    assert.equal(redeem(wrong), false, wrong);
  }
  assert.equal(redeem(nonce), true);
});

test('another spelling of the same bytes does not spend it twice', () => {
  const { issue, redeem } = nonces(randomBytes);
  const nonce = issue();
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(nonce.at(-1) ?? '');
  const respelled = nonce.slice(0, -1) + alphabet[last ^ 1];
  assert.equal(redeem(respelled), false);
  assert.equal(redeem(nonce), true);
  assert.equal(redeem(respelled), false);
});

test('a nonce of another process is refused', () => {
  const earlier = nonces(randomBytes);
  assert.equal(nonces(randomBytes).redeem(earlier.issue()), false);
});

test('nonces never repeat, and the window forgets only the oldest', () => {
  const { issue, redeem } = nonces(randomBytes);
  const oldest = issue();
  const second = issue();
  const seen = new Set([oldest, second]);
  for (let i = 0; i < (1 << 20) - 1; i++) {
    const nonce = issue();
    if (i % 4096 === 0) seen.add(nonce);
  }
  assert.equal(seen.size, 258);
  assert.equal(redeem(oldest), false);
  assert.equal(redeem(second), true);
});
