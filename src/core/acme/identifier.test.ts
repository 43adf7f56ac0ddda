import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dns, ip } from '../../../test/acme/facts.ts';
import type { IpAddress } from '../x509/ip-address.ts';
import {
  baseValue,
  generalNameOf,
  type Identifier,
  identifierOf,
  isWildcard,
  MAX_IDENTIFIERS,
  parseIdentifiers,
} from './identifier.ts';

const LABEL_63 = 'a'.repeat(63);
const NAME_253 = `${LABEL_63}.${LABEL_63}.${LABEL_63}.${'a'.repeat(61)}`;

const ACCEPTED: readonly (readonly [what: string, asked: readonly unknown[], identifiers: readonly Identifier[]])[] = [
  ['one name', [dns('a.test')], [dns('a.test')]],
  ['a name of one label', [dns('localhost')], [dns('localhost')]],
  ['upper case becomes lower case', [dns('A.Test')], [dns('a.test')]],
  [
    'the same name in three spellings is one',
    [dns('localhost'), dns('LOCALHOST'), dns('localhost')],
    [dns('localhost')],
  ],
  ['the order of first mention is kept', [dns('b.test'), dns('a.test'), dns('B.test')], [dns('b.test'), dns('a.test')]],
  ['a wildcard', [dns('*.a.test')], [dns('*.a.test')]],
  ['a wildcard and its base name are two', [dns('*.a.test'), dns('a.test')], [dns('*.a.test'), dns('a.test')]],
  ['an A-label (RFC 8555 §7.1.4: "in ASCII form")', [dns('xn--bcher-kva.test')], [dns('xn--bcher-kva.test')]],
  ['a label of 63 octets', [dns(`${LABEL_63}.test`)], [dns(`${LABEL_63}.test`)]],
  ['a name of 253 octets', [dns(NAME_253)], [dns(NAME_253)]],
  ['a label that begins with a digit', [dns('1.a.test')], [dns('1.a.test')]],
  ['an IPv4 address', [ip('192.0.2.1')], [ip('192.0.2.1')]],
  ['an IPv6 address', [ip('2001:db8::1')], [ip('2001:db8::1')]],
  ['a mapped address', [ip('::ffff:192.0.2.1')], [ip('::ffff:192.0.2.1')]],
  ['an address twice is one', [ip('::1'), ip('::1')], [ip('::1')]],
  ['members beside type and value', [{ ...dns('a.test'), extra: true }], [dns('a.test')]],
  [
    'as many as are accepted',
    Array.from({ length: MAX_IDENTIFIERS }, (_, i) => dns(`${i}.test`)),
    Array.from({ length: MAX_IDENTIFIERS }, (_, i) => dns(`${i}.test`)),
  ],
];

test('identifiers are lower-cased and asked for once, in their order (RFC 8555 §7.4)', () => {
  for (const [what, asked, identifiers] of ACCEPTED)
    assert.deepEqual(parseIdentifiers(asked), { kind: 'parsed', identifiers }, what);
});

const DEEP = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown;

const REFUSED: readonly (readonly [what: string, asked: unknown, types: readonly string[]])[] = [
  ['a trailing dot', dns('a.test.'), ['rejectedIdentifier', 'malformed']],
  ['a leading dot', dns('.a.test'), ['rejectedIdentifier', 'malformed']],
  ['an empty label', dns('a..test'), ['rejectedIdentifier', 'malformed']],
  ['nothing', dns(''), ['rejectedIdentifier', 'malformed']],
  ['a star alone', dns('*'), ['rejectedIdentifier', 'malformed']],
  ['a star in the middle', dns('a.*.test'), ['rejectedIdentifier', 'malformed']],
  ['a star at the end', dns('a.*'), ['rejectedIdentifier', 'malformed']],
  ['a star within a label', dns('f*.test'), ['rejectedIdentifier', 'malformed']],
  ['two stars', dns('*.*.test'), ['rejectedIdentifier', 'malformed']],
  ['an underscore', dns('_acme.test'), ['rejectedIdentifier', 'malformed']],
  ['a space', dns('a b.test'), ['rejectedIdentifier', 'malformed']],
  ['a NUL', dns('a.test\0.evil.test'), ['rejectedIdentifier', 'malformed']],
  ['a port', dns('a.test:443'), ['rejectedIdentifier', 'malformed']],
  ['a U-label', dns('bücher.test'), ['rejectedIdentifier', 'malformed']],
  ['a capital that is not ASCII and lower-cases into it', dns('\u212Aelvin.test'), ['rejectedIdentifier', 'malformed']],
  ['a hyphen first', dns('-a.test'), ['rejectedIdentifier', 'malformed']],
  ['a hyphen last', dns('a-.test'), ['rejectedIdentifier', 'malformed']],
  ['a label of 64 octets', dns(`a${LABEL_63}.test`), ['rejectedIdentifier', 'malformed']],
  ['a name of 254 octets', dns(`${NAME_253}a`), ['rejectedIdentifier', 'malformed']],
  ['a name of 10,000 octets', dns('a.'.repeat(5000)), ['rejectedIdentifier', 'malformed']],
  ['a last label of digits', dns('a.1'), ['rejectedIdentifier', 'malformed']],
  ['an IPv4 address as a name', dns('127.0.0.1'), ['malformed']],
  ['an IPv6 address as a name', dns('::1'), ['malformed']],
  ['a wildcard address', dns('*.127.0.0.1'), ['rejectedIdentifier', 'malformed']],
  ['an IPv4 address with leading zeros', ip('192.000.002.001'), ['malformed']],
  ['an IPv4 address in short form', ip('127.1'), ['malformed']],
  ['an IPv4 address as one number', ip('2130706433'), ['malformed']],
  ['an IPv6 address in upper case (RFC 8738 §3)', ip('2001:DB8::1'), ['malformed']],
  ['an IPv6 address that is not shortened', ip('2001:db8:0:0:0:0:0:1'), ['malformed']],
  ['an IPv6 address in brackets', ip('[::1]'), ['malformed']],
  ['an IPv6 address with a zone', ip('fe80::1%eth0'), ['malformed']],
  ['a range', ip('10.0.0.0/8'), ['malformed']],
  ['a name as an address', ip('a.test'), ['malformed']],
  ['an unknown type', { type: 'email', value: 'a@b.test' }, ['unsupportedIdentifier']],
  ['the type in upper case', { type: 'DNS', value: 'a.test' }, ['unsupportedIdentifier']],
  ['a type that every object has', { type: 'toString', value: 'a.test' }, ['unsupportedIdentifier']],
  ['no type', { value: 'a.test' }, ['malformed']],
  ['no value', { type: 'dns' }, ['malformed']],
  ['a value that is a number', { type: 'ip', value: 1 }, ['malformed']],
  ['a value that is a list', { type: 'dns', value: ['a.test'] }, ['malformed']],
  ['a type that is nested deeply', { type: DEEP, value: 'a.test' }, ['malformed']],
  ['a type that cannot be made a string', { type: { toString: null }, value: 'a.test' }, ['malformed']],
  ['a value that cannot be made a string', { type: 'dns', value: { toString: 1, valueOf: 1 } }, ['malformed']],
  ['null', null, ['malformed']],
  ['a string', 'a.test', ['malformed']],
  ['a list', ['dns', 'a.test'], ['malformed']],
];

test('an identifier that cannot be certified is refused, with itself in a subproblem (RFC 8555 §6.7.1)', () => {
  for (const [what, asked, types] of REFUSED) {
    const result = parseIdentifiers([dns('fine.test'), asked]);
    if (result.kind !== 'refused') assert.fail(what);
    const { type, detail, subproblems = [] } = result.problem;
    assert.ok(types.includes(type), `${what}: ${type}`);
    assert.equal(subproblems.length, 1, what);
    assert.equal(subproblems[0]?.type, type, what);
    assert.equal(subproblems[0]?.detail, detail, what);
    assert.ok(detail.length < 400 && JSON.stringify(subproblems).length < 1200, `${what}: bounded`);
  }
});

test('several refusals are one problem: of their type when they share it, else compound (RFC 8555 §6.7.1)', () => {
  const same = parseIdentifiers([dns('127.0.0.1'), dns('a.test'), dns('::1')]);
  if (same.kind !== 'refused') assert.fail();
  assert.equal(same.problem.type, 'malformed');
  assert.deepEqual(
    same.problem.subproblems?.map(({ identifier }) => identifier.value),
    ['127.0.0.1', '::1'],
  );
  const mixed = parseIdentifiers([dns('127.0.0.1'), { type: 'x', value: 'y' }]);
  if (mixed.kind !== 'refused') assert.fail();
  assert.equal(mixed.problem.type, 'compound');
  assert.deepEqual(
    mixed.problem.subproblems?.map(({ type }) => type),
    ['malformed', 'unsupportedIdentifier'],
  );
});

test('an order names between 1 and 100 identifiers, duplicates counted', () => {
  for (const asked of [
    [],
    Array.from({ length: 101 }, (_, i) => dns(`${i}.test`)),
    new Array(101).fill(dns('a.test')),
  ]) {
    const result = parseIdentifiers(asked);
    assert.equal(result.kind === 'refused' && result.problem.type, 'malformed');
  }
});

test('a wildcard is shown by its base name (RFC 8555 §7.1.4)', () => {
  for (const [identifier, wildcard, base] of [
    [dns('a.test'), false, 'a.test'],
    [dns('*.a.test'), true, 'a.test'],
    [ip('192.0.2.1'), false, '192.0.2.1'],
  ] as const) {
    assert.equal(isWildcard(identifier), wildcard);
    assert.equal(baseValue(identifier), base);
  }
});

test('an identifier and the name of a certificate that proves it are one another’s image', () => {
  for (const identifier of [dns('a.test'), dns('*.a.test'), ip('::1')])
    assert.deepEqual(identifierOf(generalNameOf(identifier)), identifier);
  assert.deepEqual(identifierOf({ kind: 'dns', value: 'A.Test' }), dns('a.test'));
  assert.deepEqual(identifierOf({ kind: 'ip', value: '::1' as IpAddress }), ip('::1'));
  for (const name of [
    { kind: 'email', value: 'a@b.test' },
    { kind: 'uri', value: 'spiffe://a.test/b' },
    { kind: 'other', raw: new Uint8Array() },
  ] as const)
    assert.equal(identifierOf(name), null);
});
