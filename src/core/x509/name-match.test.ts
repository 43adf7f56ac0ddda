import assert from 'node:assert/strict';
import test from 'node:test';
import { dns, makeLeaf, makeRoot } from '../../../test/vectors/made-certificate.ts';
import type { GeneralName } from './general-name.ts';
import { parseIpAddress } from './ip-address.ts';
import { encodeName } from './name.ts';
import { nameMismatch } from './name-match.ts';
import { encodeSubjectAltName } from './subject-alt-name.ts';

const root = makeRoot();

function leaf(names: readonly GeneralName[], commonName?: string) {
  const extension = names.length > 0 ? encodeSubjectAltName(names, false) : null;
  return makeLeaf(root, {
    extensions: { subjectAltName: extension },
    subject: encodeName(commonName ? { commonName } : {}),
  }).certificate;
}

function ip(text: string): GeneralName {
  const value = parseIpAddress(text);
  assert.ok(value);
  return { kind: 'ip', value };
}

const ROWS: readonly [presented: readonly GeneralName[], reference: string, matches: boolean][] = [
  [dns('example.com'), 'example.com', true],
  [dns('Example.COM'), 'eXample.com', true],
  [dns('example.com'), 'example.com.', true],
  [dns('example.com'), 'www.example.com', false],
  [dns('a.example', 'b.example'), 'b.example', true],
  // RFC 9525 §6.3: one whole left-most label
  [dns('*.example.com'), 'www.example.com', true],
  [dns('*.example.com'), 'a.b.example.com', false],
  [dns('*.example.com'), 'example.com', false],
  [dns('*.example.com'), '.example.com', false],
  [dns('w*.example.com'), 'www.example.com', false],
  [dns('www.*.com'), 'www.example.com', false],
  [dns('*.*.com'), 'www.example.com', false],
  [dns('*'), 'localhost', false],
  [dns('*.internal'), 'api.internal', false],
  [dns('*.example.com'), '*.example.com', false],
  [dns('*.example.com'), 'xn--bcher-kva.example.com', true],
  [dns('my_db.internal'), 'my_db.internal', true],
  [dns('example.com'), '', false],
  [dns(''), '', false],
  // §6.5: addresses are compared with addresses
  [[ip('192.0.2.1')], '192.0.2.1', true],
  [[ip('192.0.2.1')], '192.0.2.2', false],
  [dns('192.0.2.1'), '192.0.2.1', false],
  [[ip('2001:db8::1')], '2001:0db8:0:0:0:0:0:1', true],
  [[ip('2001:db8::1')], '[2001:db8::1]', true],
  [[ip('::ffff:192.0.2.1')], '192.0.2.1', false],
  [[{ kind: 'uri', value: 'https://example.com/' }], 'example.com', false],
  [[{ kind: 'email', value: 'a@example.com' }], 'example.com', false],
];

for (const [presented, reference, matches] of ROWS) {
  const shown = presented.map((name) => ('value' in name ? name.value : name.kind)).join(', ');
  test(`a certificate for ${shown || '""'} is ${matches ? 'valid' : 'not valid'} for ${reference || '""'} (RFC 9525 §6)`, () => {
    assert.equal(nameMismatch(leaf(presented), reference) === null, matches);
  });
}

test('the common name never counts, and the message says so (RFC 9525 §2)', () => {
  assert.equal(
    nameMismatch(leaf([], 'example.com'), 'example.com'),
    'the certificate has no subjectAltName, so it is not valid for example.com (its common name "example.com" does not count)',
  );
});

test('the message names what the certificate is for', () => {
  assert.equal(
    nameMismatch(leaf(dns('a.example', 'b.example')), 'c.example'),
    'the certificate is valid for a.example, b.example, not for c.example',
  );
});
