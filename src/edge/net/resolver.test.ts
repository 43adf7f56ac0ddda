import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type DnsName, type DnsServer, startDnsServer } from '../../../test/world/dns-server.ts';
import { DnsFault, type DnsFaultReason, dnsResolver, lookUpWithin, systemResolver } from './resolver.ts';

let dns: DnsServer;
before(async () => {
  dns = await startDnsServer();
});
after(() => dns.close());

const never = new AbortController().signal;
const resolver = () => dnsResolver([dns.address], { tryMs: 5_000, tries: 1 });
/** For names that are never answered. */
const impatient = () => dnsResolver([dns.address], { tryMs: 100, tries: 1 });

const ADDRESSES: readonly (readonly [
  what: string,
  zone: Readonly<Record<string, DnsName>>,
  expected: readonly string[],
])[] = [
  ['IPv4 alone', { 'a.test': { A: ['127.0.0.1', '10.0.0.1'] } }, ['127.0.0.1', '10.0.0.1']],
  ['IPv6 alone', { 'a.test': { AAAA: ['2001:DB8:0::1'] } }, ['2001:db8::1']],
  ['both families', { 'a.test': { A: ['10.0.0.1'], AAAA: ['::1'] } }, ['::1', '10.0.0.1']],
  ['an alias that the server follows', { 'a.test': { CNAME: 'b.test' }, 'b.test': { A: ['10.0.0.1'] } }, ['10.0.0.1']],
  [
    'an alias that the server leaves',
    { 'a.test': { CNAME: 'b.test', aliasAlone: true }, 'b.test': { A: ['10.0.0.1'] } },
    ['10.0.0.1'],
  ],
  ['AAAA that fails', { 'a.test': { A: ['10.0.0.1'], fails: { AAAA: 'SERVFAIL' } } }, ['10.0.0.1']],
  ['AAAA that is never answered', { 'a.test': { A: ['10.0.0.1'], fails: { AAAA: 'silence' } } }, ['10.0.0.1']],
];

for (const [what, zone, expected] of ADDRESSES) {
  test(`addresses: ${what}`, async () => {
    script(zone);
    const asking = what === 'AAAA that is never answered' ? impatient() : resolver();
    assert.deepEqual(await asking.resolveAddresses('a.test', never), expected);
  });
}

test('TXT: every record, its character-strings joined, also when the answer needs TCP', async () => {
  script({ 'a.test': { TXT: ['one', ['two ', 'halves'], 'x'.repeat(2000)] } });
  assert.deepEqual(await resolver().resolveTxt('a.test', never), ['one', 'two halves', 'x'.repeat(2000)]);
  assert.ok(dns.queries.some((query) => query.transport === 'tcp'));
});

test('TXT: aliases are followed, also over several names that the server leaves', async () => {
  script({
    '_acme-challenge.a.test': { CNAME: 'b.test', aliasAlone: true },
    'b.test': { CNAME: 'c.test', aliasAlone: true },
    'c.test': { TXT: ['found'] },
  });
  assert.deepEqual(await resolver().resolveTxt('_acme-challenge.a.test', never), ['found']);
});

const FAULTS: readonly (readonly [reason: DnsFaultReason, zone: Readonly<Record<string, DnsName>>, message: string])[] =
  [
    ['nxdomain', {}, 'a.test does not exist in DNS (NXDOMAIN)'],
    ['servfail', { 'a.test': { fails: 'SERVFAIL' } }, 'a.test could not be looked up: its DNS servers fail (SERVFAIL)'],
    [
      'refused',
      { 'a.test': { fails: 'REFUSED' } },
      'a.test could not be looked up: the DNS server refused to answer (REFUSED)',
    ],
    ['timeout', { 'a.test': { fails: 'silence' } }, 'a.test could not be looked up: no DNS server answered in time'],
    ['malformed', { 'a.test': { fails: 'garbage' } }, 'a.test could not be looked up: the answer was malformed'],
    [
      'aliases',
      { 'a.test': { CNAME: 'b.test', aliasAlone: true }, 'b.test': { CNAME: 'a.test', aliasAlone: true } },
      'a.test could not be looked up: its aliases (CNAME) lead on and on',
    ],
    ['nxdomain', { 'a.test': { CNAME: 'b.test', aliasAlone: true } }, 'b.test does not exist in DNS (NXDOMAIN)'],
    [
      'unclean-name',
      { 'a.test': { CNAME: 'b c.test', aliasAlone: true } },
      '"b c.test" was not looked up: it is not a host name',
    ],
  ];

for (const [reason, zone, message] of FAULTS) {
  test(`a lookup says why it gave nothing: ${message}`, async () => {
    script(zone);
    const asking = reason === 'timeout' ? impatient() : resolver();
    await assert.rejects(asking.resolveTxt('a.test', never), fault(reason, message));
    await assert.rejects(asking.resolveAddresses('a.test', never), fault(reason, message));
  });
}

test('a name without a record of the type is told from a name that does not exist (NODATA)', async () => {
  script({ 'a.test': { TXT: ['x'] }, 'b.test': { A: ['10.0.0.1'] }, 'c.test': { CNAME: 'b.test', aliasAlone: true } });
  await assert.rejects(
    resolver().resolveAddresses('a.test', never),
    fault('nodata', 'a.test has no A or AAAA record in DNS (NODATA)'),
  );
  await assert.rejects(
    resolver().resolveTxt('b.test', never),
    fault('nodata', 'b.test has no TXT record in DNS (NODATA)'),
  );
  await assert.rejects(
    resolver().resolveTxt('c.test', never),
    fault('nodata', 'c.test, an alias of b.test, has no TXT record in DNS (NODATA)'),
  );
});

test('nothing is cached, neither an answer nor a negative one', async () => {
  const asking = resolver();
  script({});
  await assert.rejects(asking.resolveTxt('a.test', never), fault('nxdomain'));
  script({ 'a.test': { A: ['10.0.0.1'] } });
  await assert.rejects(asking.resolveTxt('a.test', never), fault('nodata'));
  script({ 'a.test': { TXT: ['first'] } });
  assert.deepEqual(await asking.resolveTxt('a.test', never), ['first']);
  script({ 'a.test': { TXT: ['second'] } });
  assert.deepEqual(await asking.resolveTxt('a.test', never), ['second']);
});

test('names that are not host names never reach node:dns', async () => {
  script({});
  const asked = dns.queries.length;
  for (const name of [
    '',
    'a\0.test',
    'a b.test',
    'a.test\n',
    'ä.test',
    '*.test',
    '-a.test',
    'a..test',
    'a.test.',
    `${'a'.repeat(64)}.test`,
    `${'a.'.repeat(127)}test`,
  ]) {
    for (const one of [resolver(), systemResolver()]) {
      await assert.rejects(one.resolveTxt(name, never), fault('unclean-name'));
      await assert.rejects(one.resolveAddresses(name, never), fault('unclean-name'));
    }
  }
  assert.equal(dns.queries.length, asked);
});

test('a lookup ends when its signal aborts, and with a DNS fault when its limit is over', async () => {
  script({ 'a.test': { fails: 'silence' } });
  const slow = dnsResolver([dns.address]);
  const caller = new AbortController();
  const stopped = new Error('stopped');
  setTimeout(() => caller.abort(stopped), 20);
  await assert.rejects(slow.resolveTxt('a.test', caller.signal), { message: 'stopped' });
  await assert.rejects(slow.resolveAddresses('a.test', caller.signal), stopped);
  await assert.rejects(
    lookUpWithin(20, 'a.test', never, (limited) => slow.resolveAddresses('a.test', limited)),
    fault('timeout', 'a.test could not be looked up: no DNS server answered in time'),
  );
});

test('no DNS server at the address is said as that', async () => {
  const gone = await startDnsServer();
  await gone.close();
  await assert.rejects(dnsResolver([gone.address]).resolveTxt('a.test', never), fault('unreachable'));
});

test('localhost and the names below it are the loopback addresses of the system resolver (RFC 6761 §6.3)', async () => {
  for (const name of ['localhost', 'app.localhost']) {
    assert.deepEqual(await systemResolver().resolveAddresses(name, never), ['::1', '127.0.0.1'], name);
  }
});

test('the system resolver says in words of DNS why a name has no address', async () => {
  const lookup = lookUpWithin(3_000, 'nobody.invalid', never, (limited) =>
    systemResolver().resolveAddresses('nobody.invalid', limited),
  );
  // RFC 6761 §6.4: the name does not exist; without a network that cannot be found out.
  await assert.rejects(lookup, (error) => error instanceof DnsFault && error.message.startsWith('nobody.invalid '));
});

test('DNS servers are addresses with a port; others are refused by name', () => {
  for (const good of ['192.0.2.53', '192.0.2.53:5353', '[2001:db8::53]:53', '[2001:db8::53]', '2001:db8::53'])
    dnsResolver([good]);
  for (const bad of [
    '',
    'dns.test:53',
    '192.0.2.53:0',
    '192.0.2.53:65536',
    '[192.0.2.53',
    '192.0.2.53:',
    '2001:db8::53:53:x',
  ]) {
    assert.throws(
      () => dnsResolver(['192.0.2.53', bad]),
      (error) => error instanceof RangeError && error.message.startsWith(JSON.stringify(bad)),
      bad,
    );
  }
  assert.throws(() => dnsResolver([]), RangeError);
});

const scripted = new Set<string>();
function script(zone: Readonly<Record<string, DnsName>>): void {
  for (const name of scripted) dns.remove(name);
  for (const [name, records] of Object.entries(zone)) {
    dns.set(name, records);
    scripted.add(name);
  }
}

function fault(reason: DnsFaultReason, message?: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof DnsFault, String(error));
    assert.equal(error.reason, reason);
    if (message !== undefined) assert.equal(error.message, message);
    return true;
  };
}
