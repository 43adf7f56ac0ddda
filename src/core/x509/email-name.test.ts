import assert from 'node:assert/strict';
import test from 'node:test';
import { parseMailbox } from './email-name.ts';

test('a mailbox keeps the case of its local part and lowers that of its host (RFC 5280 §7.5)', () => {
  assert.deepEqual(parseMailbox('Ops.Team+x@Example.ORG'), { localPart: 'Ops.Team+x', host: 'example.org' });
});

for (const text of [
  '',
  'a',
  '@example.com',
  'a@',
  'a@@b',
  'a b@example.com',
  'a@example..com',
  '.a@example.com',
  'a.@example.com',
  'a@*.example.com',
  'a@[192.0.2.1]',
  'a@192.0.2.1',
  '"a b"@example.com',
  'Ops <a@example.com>',
  `${'a'.repeat(65)}@example.com`,
  'é@example.com',
]) {
  test(`${JSON.stringify(text)} is not a mailbox that can be certified (RFC 5280 §4.2.1.6)`, () =>
    assert.equal(parseMailbox(text), null));
}
