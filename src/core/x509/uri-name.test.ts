import assert from 'node:assert/strict';
import test from 'node:test';
import { checkUriName, uriHost } from './uri-name.ts';

const ACCEPTED = [
  'spiffe://example.org/ns/prod/sa/api',
  'spiffe://example.org',
  'spiffe://my_domain-1.test/a.b/..c',
  'https://example.com/a?b=c#d',
  'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
  'ldap://[2001:db8::7]/c=GB?objectClass?one',
  'mailto:a@example.com',
];

for (const uri of ACCEPTED) {
  test(`${uri} can be a name (RFC 5280 §4.2.1.6)`, () => assert.equal(checkUriName(uri), null));
}

const REFUSED = [
  '',
  '/relative',
  'example.com',
  'https://',
  'https:',
  'http:///path',
  'https://exa mple.com/',
  'https://example.com/%zz',
  'https://bücher.example/',
  'spiffe:/example.org/a',
  'SPIFFE://example.org/a',
  'spiffe://Example.org/a',
  'spiffe://example.org:8443/a',
  'spiffe://user@example.org/a',
  'spiffe://example.org/a/',
  'spiffe://example.org//a',
  'spiffe://example.org/./a',
  'spiffe://example.org/a/..',
  'spiffe://example.org/a?b',
  'spiffe://example.org/a#b',
  'spiffe://example.org/a%20b',
  'spiffe:///a',
  `https://example.com/${'a'.repeat(2048)}`,
];

for (const uri of REFUSED) {
  test(`${JSON.stringify(uri.slice(0, 50))} cannot be a name (RFC 3986 §4.3, SPIFFE-ID §2)`, () => {
    assert.notEqual(checkUriName(uri), null);
  });
}

const HOSTS: readonly [uri: string, host: string | null][] = [
  ['https://user:pw@Example.com:8443/a@b', 'example.com'],
  ['spiffe://example.org/a', 'example.org'],
  ['https://[2001:db8::1]:443/', '[2001:db8::1]'],
  ['urn:a:b', null],
  ['file:///a', null],
];

for (const [uri, host] of HOSTS) test(`the host of ${uri} is ${host}`, () => assert.equal(uriHost(uri), host));
