import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialOf, nameOf, parseTarget, sniOf } from './target.ts';

const ACCEPTED: readonly (readonly [text: string, protocol: string, host: string, port: number])[] = [
  ['db.internal:5432', 'postgres', 'db.internal', 5432],
  ['db.internal:3306', 'mysql', 'db.internal', 3306],
  ['mx.example.org:25', 'smtp', 'mx.example.org', 25],
  ['mx.example.org:587', 'smtp', 'mx.example.org', 587],
  ['mx.example.org:465', 'tls', 'mx.example.org', 465],
  ['mx.example.org:24', 'lmtp', 'mx.example.org', 24],
  ['mx.example.org:143', 'imap', 'mx.example.org', 143],
  ['mx.example.org:110', 'pop3', 'mx.example.org', 110],
  ['mx.example.org:993', 'tls', 'mx.example.org', 993],
  ['dir.example.org:389', 'ldap', 'dir.example.org', 389],
  ['ftp.example.org:21', 'ftp', 'ftp.example.org', 21],
  ['chat.example.org:5222', 'xmpp', 'chat.example.org', 5222],
  ['www.example.org:443', 'https', 'www.example.org', 443],
  ['127.0.0.1:9000', 'tls', '127.0.0.1', 9000],
  ['[::1]:6379', 'redis', '::1', 6379],
  ['under_score:9000', 'tls', 'under_score', 9000],
  ['https://www.example.org', 'https', 'www.example.org', 443],
  ['https://www.example.org:8443/path?x=1', 'https', 'www.example.org', 8443],
  ['https://[2001:db8::1]/', 'https', '2001:db8::1', 443],
  ['http://www.example.org', 'https', 'www.example.org', 80],
  ['postgres://orders-db', 'postgres', 'orders-db', 5432],
  ['postgresql+asyncpg://app@orders-db:6543/orders?ssl=require', 'postgres', 'orders-db', 6543],
  ['mysql+pymysql://app@db/shop', 'mysql', 'db', 3306],
  ['mariadb://db', 'mysql', 'db', 3306],
  ['redis://cache', 'redis', 'cache', 6379],
  ['rediss://cache:6390/5', 'redis', 'cache', 6390],
  ['smtp://mx', 'smtp', 'mx', 25],
  ['smtps://mx', 'tls', 'mx', 465],
  ['imap://mx', 'imap', 'mx', 143],
  ['imaps://mx', 'tls', 'mx', 993],
  ['ldap://dir', 'ldap', 'dir', 389],
  ['ldaps://dir', 'tls', 'dir', 636],
];

for (const [text, protocol, host, port] of ACCEPTED) {
  test(`${text} is ${protocol} at ${host}, port ${port}`, () => {
    const result = parseTarget(text, null);
    assert.ok(result.kind === 'target', JSON.stringify(result));
    const { target } = result;
    assert.deepEqual([target.text, target.protocol, target.host, target.port], [text, protocol, host, port]);
  });
}

const SPELLINGS: readonly (readonly [text: string, host: string, dialled?: string])[] = [
  ['bücher.example:443', 'xn--bcher-kva.example'],
  ['BÜCHER.example:443', 'xn--bcher-kva.example'],
  ['bücher。example:443', 'xn--bcher-kva.example'],
  ['xn--bcher-kva.example:443', 'xn--bcher-kva.example'],
  ['faß.example:443', 'xn--fa-hia.example'],
  ['例え.テスト:8443', 'xn--r8jz45g.xn--zckzah'],
  ['https://bücher.example/', 'xn--bcher-kva.example'],
  ['postgres://app@bücher.example/orders', 'xn--bcher-kva.example'],
  ['DB.Internal:5432', 'db.internal'],
  ['postgres://DB.Internal', 'db.internal'],
  ['www.example.org.:443', 'www.example.org.'],
  ['[2001:DB8::1]:443', '2001:db8::1'],
  ['[fe80::1%eth0]:443', 'fe80::1', 'fe80::1%eth0'],
];

for (const [text, host, dialled = host] of SPELLINGS)
  test(`${text} is about ${host}`, () => {
    const result = parseTarget(text, null);
    assert.ok(result.kind === 'target', JSON.stringify(result));
    const { target } = result;
    assert.deepEqual([target.text, target.host, dialOf(target).host], [text, host, dialled]);
    assert.equal(nameOf(target), host.replace(/\.$/, ''));
  });

const REFUSED = [
  'db.internal',
  'db.internal:0',
  'db.internal:65536',
  'db.internal:port',
  '::1:443',
  '[::1]',
  '[db.internal]:443',
  'a b:443',
  'bü cher:443',
  'bü/cher:443',
  'bücher@example:443',
  'xn--ü.example:443',
  '\u00ad:443',
  '[fe80::1%]:443',
  '[fe80::1%a b]:443',
  'https://[fe80::1%25eth0]/',
  '',
  'https://',
  'postgresql:///orders',
  'postgres://a:1,b:2/orders',
  'gopher://host',
  'https+asyncpg://host',
  'jdbc:postgresql://host/db',
];

for (const text of REFUSED) {
  test(`${JSON.stringify(text)} is refused with a reason`, () => {
    const result = parseTarget(text, null);
    assert.ok(result.kind === 'refused', JSON.stringify(result));
    assert.match(result.why, /is no target: \w/);
  });
}

test('--starttls decides for host:port, and gives the usual port; a URL needs none', () => {
  const at = (text: string) => {
    const result = parseTarget(text, 'postgres');
    return result.kind === 'target' ? `${result.target.protocol} ${result.target.port}` : result.kind;
  };
  assert.deepEqual(['db:443', 'db', 'https://db'].map(at), ['postgres 443', 'postgres 5432', 'refused']);
});

test('http-01 is told apart', () => {
  assert.deepEqual(parseTarget('http-01://www.example.org', null), {
    kind: 'http-01',
    text: 'http-01://www.example.org',
    host: 'www.example.org',
    port: 80,
  });
});

test('a password is left out of what is kept and shown, also of what is refused', () => {
  for (const text of [
    'postgres://app:s3cret@db:5432/orders?sslmode=verify-full&password=s3cret',
    'postgres://app:s3cret@db:5432,b:1/orders',
    'gopher://app:s3cret@host',
    'rediss://:s3cret@cache',
    'postgres://app:s3c@s3cret@db',
  ])
    assert.doesNotMatch(JSON.stringify(parseTarget(text, null)).replace('"password"', ''), /s3c/, text);
});

test('what a URL says is kept for its driver', () => {
  const result = parseTarget('postgresql+asyncpg://app@db/orders?ssl=require&x=%41', null);
  assert.ok(result.kind === 'target');
  assert.deepEqual(result.target.url, {
    scheme: 'postgresql',
    driver: 'asyncpg',
    user: 'app',
    path: '/orders',
    parameters: [
      ['ssl', 'require'],
      ['x', 'A'],
    ],
  });
});

test('an address is never asked for by name (RFC 6066 §3)', () => {
  assert.deepEqual(['127.0.0.1', '::1', 'db.internal.', 'db'].map(sniOf), [null, null, 'db.internal', 'db']);
});
