import assert from 'node:assert/strict';
import test from 'node:test';
import { parseDnsName } from './dns-name.ts';

const label63 = 'a'.repeat(63);

const ACCEPTED: readonly [text: string, name: string][] = [
  ['example.com', 'example.com'],
  ['EXAMPLE.Com', 'example.com'],
  ['localhost', 'localhost'],
  ['a', 'a'],
  ['*.example.com', '*.example.com'],
  ['*.internal', '*.internal'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['1.2.3.4.in-addr.arpa', '1.2.3.4.in-addr.arpa'],
  ['3com.com', '3com.com'],
  ['a--b.example', 'a--b.example'],
  [`${label63}.example`, `${label63}.example`],
  [[label63, label63, label63, 'a'.repeat(61)].join('.'), [label63, label63, label63, 'a'.repeat(61)].join('.')],
];

for (const [text, name] of ACCEPTED) {
  test(`${text.slice(0, 40)} is a DNS name (RFC 5280 §4.2.1.6)`, () => assert.equal(parseDnsName(text), name));
}

const REFUSED: readonly [why: string, text: string][] = [
  ['empty', ''],
  ['an underscore', '_dmarc.example.com'],
  ['a final dot', 'example.com.'],
  ['a leading dot', '.example.com'],
  ['an empty label', 'a..example.com'],
  ['a leading hyphen', '-a.example.com'],
  ['a trailing hyphen', 'a-.example.com'],
  ['a label of 64 characters', `${'a'.repeat(64)}.example`],
  ['254 characters', `${[label63, label63, label63, 'a'.repeat(62)].join('.')}`],
  ['a wildcard alone', '*'],
  ['a wildcard without a name', '*.'],
  ['a partial wildcard', 'f*.example.com'],
  ['a wildcard inside', 'a.*.example.com'],
  ['two wildcards', '*.*.example.com'],
  ['an IPv4 address', '192.0.2.1'],
  ['a last label of digits', 'example.123'],
  ['an IPv6 address', '2001:db8::1'],
  ['a space', 'exa mple.com'],
  ['a NUL', 'example.com\0.evil.com'],
  ['a new line', 'example.com\n'],
  ['letters outside ASCII', 'bücher.example'],
  ['a Kelvin sign, which lower-cases to k', '\u212Aelvin.example'],
];

for (const [why, text] of REFUSED) {
  test(`a name with ${why} is refused`, () => assert.equal(parseDnsName(text), null));
}
