import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type BlackHole, startBlackHole } from '../../../test/world/black-hole.ts';
import {
  assertInvalid,
  CHALLENGE_PATH,
  challengeTarget,
  KEY_AUTHORIZATION,
  TOKEN,
} from '../../../test/world/challenge-target.ts';
import { type DnsName, type DnsServer, startDnsServer } from '../../../test/world/dns-server.ts';
import { freePort } from '../../../test/world/free-port.ts';
import { type HttpAnswerScript, type HttpResponder, startHttpResponder } from '../../../test/world/http-responder.ts';
import { addressPolicy } from '../../core/acme/address-policy.ts';
import type { ChallengeTarget, ValidationOutcome, ValidationProblemType } from '../../flow/ca/validation-ports.ts';
import { type Http01Options, http01Validator } from './http-01.ts';
import { dnsResolver } from './resolver.ts';

let dns: DnsServer;
let web: HttpResponder;
let secureWeb: HttpResponder;
let blackHole: BlackHole;
let closedPort: number;

before(async () => {
  dns = await startDnsServer();
  web = await startHttpResponder();
  secureWeb = await startHttpResponder({ tls: true });
  blackHole = await startBlackHole();
  closedPort = await freePort();
  dns.set('app.test', { A: ['127.0.0.1'] });
  dns.set('other.test', { A: ['127.0.0.1'] });
});
after(() => Promise.all([dns.close(), web.close(), secureWeb.close(), blackHole.close()]));

const never = new AbortController().signal;

function validate(
  target: Partial<ChallengeTarget> = {},
  options: Partial<Http01Options> = {},
  signal = never,
): Promise<ValidationOutcome> {
  const validator = http01Validator({
    resolver: dnsResolver([dns.address], { tryMs: 5_000, tries: 1 }),
    policy: addressPolicy({ allow: [], deny: [] }),
    httpPort: web.port,
    httpsPort: secureWeb.port,
    ...options,
  });
  return validator(challengeTarget(target), signal);
}

/** $PORT, $TLS and $CLOSED stand for the ports of this run. */
function filled(text: string): string {
  return text
    .replaceAll('$PORT', String(web.port))
    .replaceAll('$TLS', String(secureWeb.port))
    .replaceAll('$CLOSED', String(closedPort));
}

// --- what is accepted

const ACCEPTED: readonly (readonly [what: string, script: HttpAnswerScript])[] = [
  ['the key authorization', { kind: 'answer', body: KEY_AUTHORIZATION }],
  ['white space after it', { kind: 'answer', body: `${KEY_AUTHORIZATION} \t\r\n\n` }],
  ['as much white space as is read', { kind: 'answer', body: KEY_AUTHORIZATION + ' '.repeat(512) }],
  [
    'a body without a length, up to the end of the connection',
    { kind: 'raw', bytes: `HTTP/1.1 200 OK\r\n\r\n${KEY_AUTHORIZATION}` },
  ],
  [
    'a chunked body',
    {
      kind: 'raw',
      bytes: `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${KEY_AUTHORIZATION.length.toString(16)}\r\n${KEY_AUTHORIZATION}\r\n0\r\n\r\n`,
    },
  ],
  ['any content type', { kind: 'answer', headers: { 'content-type': 'text/html' }, body: KEY_AUTHORIZATION }],
  [
    'an answer after an informational one',
    { kind: 'raw', bytes: `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n${KEY_AUTHORIZATION}` },
  ],
];

for (const [what, script] of ACCEPTED) {
  test(`accepted: ${what}`, async () => {
    web.set(CHALLENGE_PATH, script);
    assert.deepEqual(await validate(), { kind: 'valid' });
  });
}

test('the request has the name in Host, asks for no encoding and says who asks (RFC 8555 §8.3)', async () => {
  web.present(TOKEN, KEY_AUTHORIZATION);
  await validate();
  assert.deepEqual(web.requests.at(-1), {
    path: CHALLENGE_PATH,
    headers: {
      host: `app.test:${web.port}`,
      'user-agent': 'Fullchain',
      accept: '*/*',
      'accept-encoding': 'identity',
      connection: 'close',
    },
  });
});

test('a proxy of the environment is not used', async () => {
  process.env.HTTP_PROXY = process.env.http_proxy = `http://127.0.0.1:${closedPort}`;
  process.env.NODE_USE_ENV_PROXY = '1';
  try {
    web.present(TOKEN, KEY_AUTHORIZATION);
    assert.deepEqual(await validate(), { kind: 'valid' });
  } finally {
    delete process.env.HTTP_PROXY;
    delete process.env.http_proxy;
    delete process.env.NODE_USE_ENV_PROXY;
  }
});

test('addresses are validated without DNS, IPv6 in brackets (RFC 8738 §4)', async (t) => {
  const ipv6 = await startHttpResponder({ host: '::1' });
  t.after(ipv6.close);
  for (const responder of [web, ipv6]) responder.present(TOKEN, KEY_AUTHORIZATION);
  assert.deepEqual(await validate({ identifierType: 'ip', value: '127.0.0.1' }), { kind: 'valid' });
  assert.equal(web.requests.at(-1)?.headers.host, `127.0.0.1:${web.port}`);
  assert.deepEqual(await validate({ identifierType: 'ip', value: '::1' }, { httpPort: ipv6.port }), { kind: 'valid' });
  assert.equal(ipv6.requests.at(-1)?.headers.host, `[::1]:${ipv6.port}`);
});

test('IPv6 comes first; IPv4 is tried when IPv6 does not connect, not when it answers wrongly', async (t) => {
  dns.set('dual.test', { A: ['127.0.0.1'], AAAA: ['::1'] });
  web.present(TOKEN, KEY_AUTHORIZATION);
  assert.deepEqual(await validate({ value: 'dual.test' }), { kind: 'valid' }); // nothing listens on ::1
  const ipv6 = await startHttpResponder({ host: '::1', port: web.port });
  t.after(ipv6.close);
  assertInvalid(
    await validate({ value: 'dual.test' }),
    'unauthorized',
    filled(`::1 port $PORT answered 404 for ${CHALLENGE_PATH} (wanted the key authorization)`),
  );
});

test('an address that swallows the attempt to connect costs its own limit only', async () => {
  dns.set('dual.test', { A: ['127.0.0.1'], AAAA: ['::ffff:127.0.0.1'] });
  const outcome = await validate({ value: 'dual.test' }, { httpPort: blackHole.port, timeoutMs: 300 });
  assertInvalid(
    outcome,
    'connection',
    `::ffff:127.0.0.1 port ${blackHole.port} did not accept a connection within 150 ms; 127.0.0.1 port ${blackHole.port} did not accept a connection within 150 ms`,
  );
});

// --- what is refused after one request

const WANTED = `(wanted "${KEY_AUTHORIZATION}")`;
const OTHER_THUMBPRINT = `${TOKEN}.${'A'.repeat(43)}`;
const HERE = `127.0.0.1 port $PORT`;
const HEAD = 'HTTP/1.1 200 OK\r\n';

const REFUSED: readonly (readonly [
  what: string,
  script: HttpAnswerScript,
  problem: ValidationProblemType,
  detail: string,
])[] = [
  [
    'a missing page',
    { kind: 'answer', status: 404, body: KEY_AUTHORIZATION },
    'unauthorized',
    `${HERE} answered 404 for ${CHALLENGE_PATH} (wanted the key authorization)`,
  ],
  [
    'any success other than 200',
    { kind: 'answer', status: 202, body: KEY_AUTHORIZATION },
    'unauthorized',
    `${HERE} answered 202 for ${CHALLENGE_PATH} (wanted the key authorization)`,
  ],
  [
    'a failing server',
    { kind: 'answer', status: 502 },
    'unauthorized',
    `${HERE} answered 502 for ${CHALLENGE_PATH} (wanted the key authorization)`,
  ],
  [
    'the key authorization of another account',
    { kind: 'answer', body: OTHER_THUMBPRINT },
    'unauthorized',
    `${HERE} answered 200 for ${CHALLENGE_PATH} with "${OTHER_THUMBPRINT}" ${WANTED}`,
  ],
  [
    'a long token, shown in part',
    { kind: 'answer', body: `${'t'.repeat(200)}.${'A'.repeat(43)}` },
    'unauthorized',
    `${HERE} answered 200 for ${CHALLENGE_PATH} with "${'t'.repeat(100)}…" ${WANTED}`,
  ],
  [
    'the token alone',
    { kind: 'answer', body: TOKEN },
    'unauthorized',
    `${HERE} answered 200 for ${CHALLENGE_PATH} with 43 bytes that are not a key authorization ${WANTED}`,
  ],
  [
    'another page, of which nothing is shown',
    { kind: 'answer', body: '<p>secret.internal</p>' },
    'unauthorized',
    `${HERE} answered 200 for ${CHALLENGE_PATH} with 22 bytes that are not a key authorization ${WANTED}`,
  ],
  [
    'a short secret with one dot, which is not shown either',
    { kind: 'answer', body: 'user.hunter2' },
    'unauthorized',
    `${HERE} answered 200 for ${CHALLENGE_PATH} with 12 bytes that are not a key authorization ${WANTED}`,
  ],
  [
    'an empty body',
    { kind: 'answer' },
    'unauthorized',
    `${HERE} answered 200 for ${CHALLENGE_PATH} with an empty body ${WANTED}`,
  ],
  [
    'white space before it',
    { kind: 'answer', body: ` ${KEY_AUTHORIZATION}` },
    'unauthorized',
    `${HERE} answered 200 for ${CHALLENGE_PATH} with 88 bytes that are not a key authorization ${WANTED}`,
  ],
  [
    'a byte order mark before it',
    { kind: 'answer', body: `\xef\xbb\xbf${KEY_AUTHORIZATION}` },
    'unauthorized',
    `${HERE} answered 200 for ${CHALLENGE_PATH} with 90 bytes that are not a key authorization ${WANTED}`,
  ],
  [
    'more white space than is read',
    { kind: 'answer', body: KEY_AUTHORIZATION + ' '.repeat(513) },
    'unauthorized',
    `${HERE} answered 200 for ${CHALLENGE_PATH} with more than 599 bytes ${WANTED}`,
  ],
  [
    'an endless body',
    { kind: 'endless-body' },
    'unauthorized',
    `${HERE} answered 200 for ${CHALLENGE_PATH} with more than 599 bytes ${WANTED}`,
  ],
  [
    'a body that trickles',
    { kind: 'slow-body', everyMs: 20 },
    'connection',
    `${HERE} did not answer in time (limit 300 ms) for ${CHALLENGE_PATH}`,
  ],
  [
    'a body cut short',
    { kind: 'cut-short', body: KEY_AUTHORIZATION, contentLength: 200 },
    'connection',
    `${HERE} closed the connection without a complete answer for ${CHALLENGE_PATH}`,
  ],
  [
    'no answer',
    { kind: 'silence' },
    'connection',
    `${HERE} did not answer in time (limit 300 ms) for ${CHALLENGE_PATH}`,
  ],
  [
    'a reset',
    { kind: 'reset' },
    'connection',
    `${HERE} closed the connection without a complete answer for ${CHALLENGE_PATH}`,
  ],
  [
    'an end without an answer',
    { kind: 'raw', bytes: '' },
    'connection',
    `${HERE} closed the connection without a complete answer for ${CHALLENGE_PATH}`,
  ],
  [
    'huge headers',
    { kind: 'endless-headers' },
    'connection',
    `${HERE} answered with more than 16 KiB of headers for ${CHALLENGE_PATH}`,
  ],
  [
    'informational answers for ever',
    { kind: 'raw', bytes: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(5000) },
    'unauthorized',
    `${HERE} answered 103 for ${CHALLENGE_PATH} (wanted the key authorization)`,
  ],
  [
    'another protocol',
    { kind: 'raw', bytes: '220 mail.internal ESMTP\r\n' },
    'connection',
    `${HERE} answered with something that is not HTTP/1.1 for ${CHALLENGE_PATH}`,
  ],
  [
    'a switch of protocols',
    { kind: 'raw', bytes: 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n' },
    'unauthorized',
    `${HERE} answered 101 for ${CHALLENGE_PATH} (wanted the key authorization)`,
  ],
  [
    'two lengths',
    { kind: 'raw', bytes: `${HEAD}content-length: 3\r\ncontent-length: 4\r\n\r\nabcd` },
    'connection',
    `${HERE} answered with something that is not HTTP/1.1 for ${CHALLENGE_PATH}`,
  ],
];

for (const [what, script, problem, detail] of REFUSED) {
  test(`refused with ${problem}: ${what}`, async () => {
    web.set(CHALLENGE_PATH, script);
    const isSlow = script.kind === 'silence' || script.kind === 'slow-body';
    assertInvalid(await validate({}, isSlow ? { timeoutMs: 300 } : {}), problem, filled(detail));
    await closedConnections(web);
  });
}

// --- redirects

const FOLLOWED: readonly (readonly [
  what: string,
  location: string,
  at: 'web' | 'secureWeb',
  path: string,
  host: string,
])[] = [
  ['a path', '/elsewhere', 'web', '/elsewhere', 'app.test:$PORT'],
  [
    'a path with a query',
    'elsewhere?a=b#fragment',
    'web',
    '/.well-known/acme-challenge/elsewhere?a=b',
    'app.test:$PORT',
  ],
  ['another name', 'http://other.test:$PORT/x', 'web', '/x', 'other.test:$PORT'],
  ['an address', 'http://127.0.0.1:$PORT/x', 'web', '/x', '127.0.0.1:$PORT'],
  [
    'https, with a certificate for nobody',
    `https://app.test:$TLS${CHALLENGE_PATH}`,
    'secureWeb',
    CHALLENGE_PATH,
    'app.test:$TLS',
  ],
  ['https at an address', 'https://127.0.0.1:$TLS/x', 'secureWeb', '/x', '127.0.0.1:$TLS'],
  ['capital letters', 'HTTPS://APP.test:$TLS/X', 'secureWeb', '/X', 'app.test:$TLS'],
];

for (const [what, location, at, path, host] of FOLLOWED) {
  test(`a redirect is followed to ${what}`, async () => {
    const responder = at === 'web' ? web : secureWeb;
    responder.set(path, { kind: 'answer', body: KEY_AUTHORIZATION });
    web.set(CHALLENGE_PATH, { kind: 'redirect', location: filled(location) });
    assert.deepEqual(await validate(), { kind: 'valid' });
    assert.deepEqual([responder.requests.at(-1)?.path, responder.requests.at(-1)?.headers.host], [path, filled(host)]);
  });
}

test('all statuses that redirect a GET do, and no others', async () => {
  web.set('/elsewhere', { kind: 'answer', body: KEY_AUTHORIZATION });
  for (const status of [301, 302, 303, 307, 308]) {
    web.set(CHALLENGE_PATH, { kind: 'redirect', location: '/elsewhere', status });
    assert.deepEqual(await validate(), { kind: 'valid' }, String(status));
  }
  for (const status of [300, 304, 305, 306, 201]) {
    web.set(CHALLENGE_PATH, { kind: 'redirect', location: '/elsewhere', status });
    assertInvalid(
      await validate(),
      'unauthorized',
      filled(`${HERE} answered ${status} for ${CHALLENGE_PATH} (wanted the key authorization)`),
    );
  }
});

const SAID = `${HERE} answered 302 for ${CHALLENGE_PATH} and`;

const NOT_FOLLOWED: readonly (readonly [
  what: string,
  location: string,
  problem: ValidationProblemType,
  detail: string,
])[] = [
  [
    'another port',
    'https://x.test:8443/session=secret',
    'unauthorized',
    `${SAID} redirected to https://x.test:8443/…, a port that validation does not follow`,
  ],
  [
    'file:',
    'file:///etc/passwd',
    'unauthorized',
    `${SAID} redirected to a file: URL, a scheme that validation does not follow`,
  ],
  [
    'gopher:',
    'gopher://127.0.0.1:6379/_FLUSHALL',
    'unauthorized',
    `${SAID} redirected to a gopher: URL, a scheme that validation does not follow`,
  ],
  [
    'ftp:',
    'ftp://app.test/',
    'unauthorized',
    `${SAID} redirected to a ftp: URL, a scheme that validation does not follow`,
  ],
  [
    'data:',
    `data:,${KEY_AUTHORIZATION}`,
    'unauthorized',
    `${SAID} redirected to a data: URL, a scheme that validation does not follow`,
  ],
  [
    'credentials',
    'http://user:secret@app.test:$PORT/',
    'unauthorized',
    `${SAID} redirected to http://app.test:$PORT/… with credentials in the URL, which validation does not use`,
  ],
  [
    'a name without its slash',
    'https://app.test.well-known/acme-challenge/x',
    'unauthorized',
    `${SAID} redirected to https://app.test.well-known/…: the redirect lacks the slash between the host name and the path`,
  ],
  [
    'itself',
    CHALLENGE_PATH,
    'unauthorized',
    `${SAID} redirected to http://app.test:$PORT${CHALLENGE_PATH}, where validation has been before`,
  ],
  ['no URL', 'http://[::1', 'unauthorized', `${SAID} redirected to something that is not a URL`],
  [
    'no host name',
    'http://a_b.test:$PORT/',
    'unauthorized',
    `${SAID} redirected to http://a_b.test:$PORT/…, which is not a host name`,
  ],
  [
    'a wildcard',
    'http://*.test:$PORT/',
    'unauthorized',
    `${SAID} redirected to http://*.test:$PORT/…, which is not a host name`,
  ],
  [
    'the metadata service',
    'http://169.254.169.254/latest/meta-data/',
    'rejectedIdentifier',
    '169.254.169.254 is link-local, where clouds serve credentials; validation never goes there (redirected to http://169.254.169.254/…)',
  ],
  [
    'the metadata service as a number',
    'http://2852039166/',
    'rejectedIdentifier',
    '169.254.169.254 is link-local, where clouds serve credentials; validation never goes there (redirected to http://169.254.169.254/…)',
  ],
  [
    'the metadata service in octal',
    'http://0251.0376.0251.0376/',
    'rejectedIdentifier',
    '169.254.169.254 is link-local, where clouds serve credentials; validation never goes there (redirected to http://169.254.169.254/…)',
  ],
  [
    'the metadata service inside IPv6',
    'http://[::ffff:a9fe:a9fe]/',
    'rejectedIdentifier',
    '::ffff:169.254.169.254 carries 169.254.169.254, which is link-local, where clouds serve credentials; validation never goes there (redirected to http://[::ffff:a9fe:a9fe]/…)',
  ],
  [
    'the metadata service by name',
    'http://metadata.test/',
    'rejectedIdentifier',
    'metadata.test has no address that may be reached: 169.254.169.254 is link-local, where clouds serve credentials; validation never goes there (redirected to http://metadata.test/…)',
  ],
  [
    'the unspecified address',
    'http://0/',
    'rejectedIdentifier',
    '0.0.0.0 is the unspecified network; validation never goes there (redirected to http://0.0.0.0/…)',
  ],
  [
    'a name that does not exist',
    'http://missing.test:$PORT/',
    'dns',
    'missing.test does not exist in DNS (NXDOMAIN) (redirected to http://missing.test:$PORT/…)',
  ],
  [
    'TLS where there is none',
    'https://app.test:$PORT/x',
    'tls',
    `${HERE} failed the TLS handshake: wrong version number (redirected to https://app.test:$PORT/…)`,
  ],
  [
    'plain HTTP where there is TLS',
    'http://app.test:$TLS/x',
    'connection',
    '127.0.0.1 port $TLS closed the connection without a complete answer for http://app.test:$TLS/…',
  ],
  [
    'a page that is missing',
    'http://app.test:$PORT/missing?secret',
    'unauthorized',
    `${HERE} answered 404 for http://app.test:$PORT/… (wanted the key authorization)`,
  ],
];

for (const [what, location, problem, detail] of NOT_FOLLOWED) {
  test(`refused with ${problem}: a redirect to ${what}`, async () => {
    dns.set('metadata.test', { A: ['169.254.169.254'] });
    web.set(CHALLENGE_PATH, { kind: 'redirect', location: filled(location) });
    assertInvalid(await validate(), problem, filled(detail));
    await closedConnections(web);
  });
}

test('refused with connection: a redirect to where nothing listens', async () => {
  web.set(CHALLENGE_PATH, { kind: 'redirect', location: filled('https://app.test:$CLOSED/x') });
  const outcome = await validate({}, { httpsPort: closedPort });
  const detail = '127.0.0.1 port $CLOSED refused the connection (redirected to https://app.test:$CLOSED/…)';
  assertInvalid(outcome, 'connection', filled(detail));
});

test('a redirect without a Location is refused', async () => {
  web.set(CHALLENGE_PATH, { kind: 'answer', status: 302 });
  assertInvalid(await validate(), 'unauthorized', filled(`${SAID} named no place to go to (no Location header)`));
});

test('ten redirects are followed, the eleventh is not, and circles are seen', async () => {
  web.set(CHALLENGE_PATH, { kind: 'redirect', location: '/hop/1' });
  for (let hop = 1; hop <= 10; hop++) web.set(`/hop/${hop}`, { kind: 'redirect', location: `/hop/${hop + 1}` });
  web.set('/hop/10', { kind: 'answer', body: KEY_AUTHORIZATION });
  assert.deepEqual(await validate(), { kind: 'valid' });
  web.set('/hop/10', { kind: 'redirect', location: '/hop/11' });
  assertInvalid(
    await validate(),
    'unauthorized',
    filled(
      `${HERE} answered 302 for http://app.test:$PORT/… and redirected again, after 10 redirects; validation follows no more`,
    ),
  );
  web.set('/hop/2', { kind: 'redirect', location: '/hop/1' });
  assertInvalid(
    await validate(),
    'unauthorized',
    filled(
      `${HERE} answered 302 for http://app.test:$PORT/… and redirected to http://app.test:$PORT/…, where validation has been before`,
    ),
  );
});

// --- connections, DNS and policy

test('refused with connection: nothing listens there', async () => {
  assertInvalid(
    await validate({}, { httpPort: closedPort }),
    'connection',
    filled('127.0.0.1 port $CLOSED refused the connection'),
  );
  dns.set('dual.test', { A: ['127.0.0.1'], AAAA: ['::1'] });
  assertInvalid(
    await validate({ value: 'dual.test' }, { httpPort: closedPort }),
    'connection',
    filled('::1 port $CLOSED refused the connection; 127.0.0.1 port $CLOSED refused the connection'),
  );
});

const NAMES: readonly (readonly [what: string, script: DnsName, problem: ValidationProblemType, detail: string])[] = [
  [
    'a name whose servers fail',
    { fails: 'SERVFAIL' },
    'dns',
    'named.test could not be looked up: its DNS servers fail (SERVFAIL)',
  ],
  ['a name without addresses', { TXT: ['x'] }, 'dns', 'named.test has no A or AAAA record in DNS (NODATA)'],
  [
    'a name that is never answered',
    { fails: 'silence' },
    'dns',
    'named.test could not be looked up: no DNS server answered in time',
  ],
  [
    'a name of the metadata service',
    { A: ['169.254.169.254'] },
    'rejectedIdentifier',
    'named.test has no address that may be reached: 169.254.169.254 is link-local, where clouds serve credentials; validation never goes there',
  ],
  [
    'a name whose addresses are all denied',
    { A: ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'], AAAA: ['fe80::1'] },
    'rejectedIdentifier',
    "named.test has no address that may be reached: fe80::1 is link-local; validation never goes there; 10.0.0.1 is in 10.0.0.0/8, which this authority's configuration denies; 10.0.0.2 is in 10.0.0.0/8, which this authority's configuration denies (and 2 more)",
  ],
];

for (const [what, script, problem, detail] of NAMES) {
  test(`refused with ${problem}: ${what}`, async () => {
    dns.set('named.test', script);
    const policy = addressPolicy({ allow: [], deny: ['10.0.0.0/8'] });
    const resolver = dnsResolver([dns.address], { tryMs: script.fails === 'silence' ? 100 : 5_000, tries: 1 });
    assertInvalid(await validate({ value: 'named.test' }, { policy, resolver }), problem, detail);
  });
}

test('of several addresses the denied ones are passed over', async () => {
  dns.set('mixed.test', { A: ['169.254.169.254', '10.0.0.1', '127.0.0.1'], AAAA: ['fe80::1', 'fd00:ec2::254'] });
  web.present(TOKEN, KEY_AUTHORIZATION);
  assert.deepEqual(
    await validate({ value: 'mixed.test' }, { policy: addressPolicy({ allow: [], deny: ['10.0.0.0/8'] }) }),
    { kind: 'valid' },
  );
});

test('a name is resolved once for a hop, before its address is judged and connected to', async () => {
  dns.set('rebound.test', { A: ['127.0.0.1'] });
  web.present(TOKEN, KEY_AUTHORIZATION);
  const asked = dns.queries.length;
  assert.deepEqual(await validate({ value: 'rebound.test' }), { kind: 'valid' });
  assert.deepEqual(
    dns.queries
      .slice(asked)
      .map((query) => query.type)
      .sort(),
    ['A', 'AAAA'],
  );
});

test('refused with malformed: targets that do not belong into a URL', async () => {
  for (const target of [
    { value: '*.app.test' },
    { value: 'app.test:80' },
    { value: 'App.test' },
    { value: 'app.test/x' },
    { value: '127.0.0.1' },
    { identifierType: 'ip', value: 'app.test' },
    { identifierType: 'ip', value: '[::1]' },
    { token: '../../admin' },
    { token: '' },
    { keyAuthorization: 'other.thumbprint' },
  ] as const) {
    assertInvalid(
      await validate(target),
      'malformed',
      /^(?:"[^"]*" is not a (?:dns|ip) identifier|the token is not base64url|the key authorization does not begin with the token)/,
    );
  }
});

// --- limits

test('everything together ends with the overall limit', async () => {
  web.set(CHALLENGE_PATH, { kind: 'slow-body', everyMs: 10 });
  const started = performance.now();
  assertInvalid(
    await validate({}, { timeoutMs: 60_000, overallMs: 100 }),
    'connection',
    filled(`${HERE} did not answer in time (limit 100 ms) for ${CHALLENGE_PATH}`),
  );
  assertInvalid(
    await validate({}, { timeoutMs: 60_000, overallMs: 100, httpPort: blackHole.port }),
    'connection',
    'the validation of app.test had no result within 100 ms',
  );
  assert.ok(performance.now() - started < 5_000);
});

test('an abort ends a validation at once, whatever it waits for, and leaves no connection', async () => {
  dns.set('slow.test', { A: ['127.0.0.1'], delayMs: 60_000 });
  web.set(CHALLENGE_PATH, { kind: 'silence' });
  const waiting: readonly (readonly [Partial<ChallengeTarget>, Partial<Http01Options>])[] = [
    [{}, { timeoutMs: 60_000 }],
    [{ value: 'slow.test' }, { resolver: dnsResolver([dns.address]) }],
    [{}, { timeoutMs: 60_000, httpPort: blackHole.port }],
  ];
  for (const [target, options] of waiting) {
    const caller = new AbortController();
    setTimeout(() => caller.abort(), 50);
    const started = performance.now();
    assertInvalid(
      await validate(target, options, caller.signal),
      'serverInternal',
      'the validation was interrupted before it had a result',
    );
    assert.ok(performance.now() - started < 2_000);
  }
  assertInvalid(
    await validate({}, {}, AbortSignal.abort()),
    'serverInternal',
    'the validation was interrupted before it had a result',
  );
  await closedConnections(web);
});

/** Every connection of ours is closed soon after the outcome. */
async function closedConnections(responder: HttpResponder): Promise<void> {
  for (let waits = 0; responder.connections().open > 0 && waits < 100; waits++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(responder.connections().open, 0);
}
