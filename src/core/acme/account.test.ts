import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContacts } from './account.ts';

const ACCEPTED: readonly (readonly [what: string, value: unknown, contact: readonly string[]])[] = [
  ['none given', undefined, []],
  ['an empty list, which removes them', [], []],
  ['one address', ['mailto:ops@example.org'], ['mailto:ops@example.org']],
  ['the scheme in upper case', ['MAILTO:ops@example.org'], ['MAILTO:ops@example.org']],
  ['two addresses as two contacts', ['mailto:a@b.test', 'mailto:c@d.test'], ['mailto:a@b.test', 'mailto:c@d.test']],
  ['an address with a plus', ['mailto:ops+acme@example.org'], ['mailto:ops+acme@example.org']],
];

const REFUSED: readonly (readonly [what: string, value: unknown, type: string])[] = [
  ['null', null, 'malformed'],
  ['a string', 'mailto:a@b.test', 'malformed'],
  ['an object', { 0: 'mailto:a@b.test' }, 'malformed'],
  ['a list with a number', ['mailto:a@b.test', 1], 'malformed'],
  ['no scheme', ['ops@example.org'], 'invalidContact'],
  ['an empty string', [''], 'invalidContact'],
  ['tel:', ['tel:+1-201-555-0123'], 'unsupportedContact'],
  ['https:', ['https://example.org/ops'], 'unsupportedContact'],
  ['mailto: without an address', ['mailto:'], 'invalidContact'],
  ['mailto: without a domain', ['mailto:ops'], 'invalidContact'],
  ['mailto: with two addresses (§7.3: "more than one addr-spec")', ['mailto:a@b.test,c@d.test'], 'invalidContact'],
  ['mailto: with header fields (§7.3: "hfields")', ['mailto:a@b.test?subject=x'], 'invalidContact'],
  ['mailto: with a second @', ['mailto:a@b@c.test'], 'invalidContact'],
  ['mailto: with a space', ['mailto:a b@c.test'], 'invalidContact'],
  ['mailto: with a line break', ['mailto:a@b.test\r\nBcc: x@y.test'], 'invalidContact'],
  ['more than 320 characters', [`mailto:${'a'.repeat(320)}@b.test`], 'invalidContact'],
  ['the second of two', ['mailto:a@b.test', 'tel:1'], 'unsupportedContact'],
  ['eleven contacts', Array.from({ length: 11 }, (_, i) => `mailto:a${i}@b.test`), 'invalidContact'],
];

test('contacts are mailto: URLs with one address each (RFC 8555 §7.3)', () => {
  for (const [what, value, contact] of ACCEPTED)
    assert.deepEqual(parseContacts(value), { kind: 'parsed', contact }, what);
});

test('other schemes are unsupportedContact, other addresses invalidContact (RFC 8555 §7.3)', () => {
  for (const [what, value, type] of REFUSED) {
    const result = parseContacts(value);
    if (result.kind !== 'refused') assert.fail(what);
    assert.equal(result.problem.type, type, what);
    assert.ok(result.problem.detail.length < 250, what);
  }
});
