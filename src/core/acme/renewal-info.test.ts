import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hex } from '../bytes/hex.ts';
import { instantFromSeconds } from '../time/instant.ts';
import { validityFrom } from '../time/validity-period.ts';
import type { SerialNumber } from '../x509/serial-number.ts';
import { askAgainAfterSeconds, formatCertId, parseCertId, suggestedWindow } from './renewal-info.ts';

test('the identifier of RFC 9773 §4.1’s example, whose serial number needs a leading zero', () => {
  const id = { issuerKeyId: '69885b6b87464041e1b37b847bd0ae2cde01c8d4' as Hex, serial: '87654321' as SerialNumber };
  assert.equal(formatCertId(id), 'aYhba4dGQEHhs3uEe9CuLN4ByNQ.AIdlQyE');
  assert.deepEqual(parseCertId('aYhba4dGQEHhs3uEe9CuLN4ByNQ.AIdlQyE'), id);
});

test('what is no identifier is refused', () => {
  for (const text of [
    '',
    '.',
    'a.b',
    'aYhba4dGQEHhs3uEe9CuLN4ByNQ',
    'aYhba4dGQEHhs3uEe9CuLN4ByNQ.',
    '.AIdlQyE',
    'aYhb.AId.x',
    'aYhba4dGQEHhs3uEe9CuLN4ByNQ=.AIdlQyE',
    `aYhb.${'A'.repeat(40)}`,
  ]) {
    assert.equal(parseCertId(text), null, text);
  }
});

test('the window lies around two thirds of the life, and in the past for a revoked certificate (§4.2)', () => {
  const start = instantFromSeconds(1_800_000_000);
  const day = validityFrom(start, 86_400);
  const window = suggestedWindow(day, false, start);
  assert.ok(
    window.start < start + 57_600 && window.end > start + 57_600 && Math.abs(window.end - window.start - 1728) <= 1,
  );
  const revoked = suggestedWindow(day, true, start);
  assert.ok(revoked.start < revoked.end && revoked.end < start);
  assert.deepEqual(
    [
      askAgainAfterSeconds(day),
      askAgainAfterSeconds(validityFrom(start, 180)),
      askAgainAfterSeconds(validityFrom(start, 90 * 86_400)),
    ],
    [1728, 60, 21_600],
  );
});
