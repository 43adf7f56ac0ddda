import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { assertInvalid, challengeTarget, KEY_AUTHORIZATION } from '../../../test/world/challenge-target.ts';
import { type DnsName, type DnsServer, startDnsServer } from '../../../test/world/dns-server.ts';
import type { ChallengeTarget, ValidationOutcome, ValidationProblemType } from '../../flow/ca/validation-ports.ts';
import { dns01Validator } from './dns-01.ts';
import { dnsResolver } from './resolver.ts';

let dns: DnsServer;
before(async () => {
  dns = await startDnsServer();
});
after(() => dns.close());

const NAME = '_acme-challenge.app.test';
const DIGEST = createHash('sha256').update(KEY_AUTHORIZATION).digest('base64url');
const WANTED = `(wanted "${DIGEST}")`;
const never = new AbortController().signal;

function validate(target: Partial<ChallengeTarget> = {}, timeoutMs = 10_000): Promise<ValidationOutcome> {
  return dns01Validator({ resolver: dnsResolver([dns.address]), timeoutMs })(challengeTarget(target), never);
}

const ACCEPTED: readonly (readonly [what: string, script: DnsName])[] = [
  ['one record', { TXT: [DIGEST] }],
  ['one of several records', { TXT: ['v=spf1 -all', 'another authorization', DIGEST] }],
  ['character-strings that join to it', { TXT: [[DIGEST.slice(0, 10), DIGEST.slice(10)]] }],
  [
    'among so many that TCP is needed',
    { TXT: [...Array.from({ length: 60 }, (_, i) => `${i}`.padStart(43, 'x')), DIGEST] },
  ],
  ['an alias that the server follows', { CNAME: 'app.acme-dns.test' }],
  ['an alias that the server leaves to us', { CNAME: 'app.acme-dns.test', aliasAlone: true }],
];

for (const [what, script] of ACCEPTED) {
  test(`accepted: ${what} (RFC 8555 §8.4)`, async () => {
    dns.set('app.acme-dns.test', { TXT: [DIGEST] });
    dns.set(NAME, script);
    assert.deepEqual(await validate(), { kind: 'valid' });
  });
}

const REFUSED: readonly (readonly [
  what: string,
  script: DnsName | null,
  problem: ValidationProblemType,
  detail: string,
])[] = [
  ['another value', { TXT: ['other'] }, 'unauthorized', `TXT at ${NAME} is "other" ${WANTED}`],
  [
    'the key authorization itself',
    { TXT: [KEY_AUTHORIZATION] },
    'unauthorized',
    `TXT at ${NAME} is "${KEY_AUTHORIZATION}" ${WANTED}`,
  ],
  ['padding', { TXT: [`${DIGEST}=`] }, 'unauthorized', `TXT at ${NAME} is "${DIGEST}=" ${WANTED}`],
  [
    'another case',
    { TXT: [DIGEST.toLowerCase()] },
    'unauthorized',
    `TXT at ${NAME} is "${DIGEST.toLowerCase()}" ${WANTED}`,
  ],
  [
    'five other values, of which three are shown',
    { TXT: ['1', '2', '3', '4', '5'] },
    'unauthorized',
    `TXT at ${NAME} is "1", "2", "3" and 2 more ${WANTED}`,
  ],
  [
    'a long and unprintable value',
    { TXT: [`\x1b[31m${'x'.repeat(200)}`] },
    'unauthorized',
    `TXT at ${NAME} is "?[31m${'x'.repeat(95)}…" ${WANTED}`,
  ],
  ['an empty value', { TXT: [''] }, 'unauthorized', `TXT at ${NAME} is "" ${WANTED}`],
  ['no name', null, 'dns', `${NAME} does not exist in DNS (NXDOMAIN)`],
  ['no TXT record', { A: ['127.0.0.1'] }, 'dns', `${NAME} has no TXT record in DNS (NODATA)`],
  [
    'an alias to nothing',
    { CNAME: 'missing.test', aliasAlone: true },
    'dns',
    'missing.test does not exist in DNS (NXDOMAIN)',
  ],
  ['failing servers', { fails: 'SERVFAIL' }, 'dns', `${NAME} could not be looked up: its DNS servers fail (SERVFAIL)`],
  [
    'a refusing server',
    { fails: 'REFUSED' },
    'dns',
    `${NAME} could not be looked up: the DNS server refused to answer (REFUSED)`,
  ],
  ['silence', { fails: 'silence' }, 'dns', `${NAME} could not be looked up: no DNS server answered in time`],
  [
    'an answer after the limit',
    { TXT: [DIGEST], delayMs: 10_000 },
    'dns',
    `${NAME} could not be looked up: no DNS server answered in time`,
  ],
  ['what is not DNS', { fails: 'garbage' }, 'dns', `${NAME} could not be looked up: the answer was malformed`],
];

for (const [what, script, problem, detail] of REFUSED) {
  test(`refused with ${problem}: ${what}`, async () => {
    if (script) dns.set(NAME, script);
    else dns.remove(NAME);
    const isSlow = script?.delayMs !== undefined || script?.fails === 'silence';
    assertInvalid(await validate({}, isSlow ? 200 : 10_000), problem, detail);
  });
}

test('the limit is a fault of DNS, and the abort of the caller is none', async () => {
  dns.set(NAME, { fails: 'silence' });
  const slow = dns01Validator({ resolver: dnsResolver([dns.address]), timeoutMs: 50 });
  assertInvalid(
    await slow(challengeTarget(), never),
    'dns',
    `${NAME} could not be looked up: no DNS server answered in time`,
  );
  const patient = dns01Validator({ resolver: dnsResolver([dns.address]) });
  assertInvalid(
    await patient(challengeTarget(), AbortSignal.timeout(50)),
    'serverInternal',
    'the validation was interrupted before it had a result',
  );
});

test('refused with malformed: an address (RFC 8738 §7), and what is not a name', async () => {
  assertInvalid(
    await validate({ identifierType: 'ip', value: '127.0.0.1' }),
    'malformed',
    'dns-01 cannot validate the address 127.0.0.1',
  );
  for (const value of ['*.app.test', 'a b.test', 'a\0.test', ''])
    assertInvalid(await validate({ value }), 'malformed', /is not a dns identifier/);
});

test('refused with dns: a name so long that the challenge has no place in front of it', async () => {
  const value = `${'aaaaaaaaa.'.repeat(24)}test`;
  assertInvalid(await validate({ value }), 'dns', /was not looked up: it is not a host name$/);
});
