/** `diagnose --message`: what other programs say, explained. Texts of programs that are run are in messages-live.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { explainMessage } from '../../src/core/diagnosis/explain-message.ts';
import { confidenceOf, type Finding } from '../../src/core/diagnosis/finding.ts';
import type { Side } from '../../src/core/diagnosis/message-row.ts';
import { MESSAGE_ROWS } from '../../src/core/diagnosis/message-rows.ts';
import { COLLECTED } from './messages-collected.ts';

const where = { target: '-' };

function explained(text: string, side: Side | null = null): readonly Finding[] {
  return explainMessage(text, { side, where });
}

function idsOf(findings: readonly Finding[]): readonly string[] {
  return findings.map((one) => `${confidenceOf(one)} ${one.id}`);
}

for (const { program, text, side, expect, evidence } of COLLECTED)
  test(`${program}${side === undefined ? '' : `, as a ${side}’s words`}: ${text.replaceAll(/\s+/g, ' ').slice(0, 90)}`, () => {
    const findings = explained(text, side ?? null);
    assert.deepEqual(idsOf(findings), expect);
    for (const [name, value] of Object.entries(evidence ?? {})) assert.equal(findings[0]?.evidence[name], value, name);
  });

test('whose words they are decides: the same alert, heard by a client and by a server', () => {
  const words = 'tlsv1 alert unknown ca (SSL alert number 48)';
  assert.deepEqual(idsOf(explained(words, 'client')), ['certain client-certificate-untrusted']);
  assert.deepEqual(idsOf(explained(words, 'server')), ['likely unknown-ca', 'likely chain-incomplete']);
  const unsaid = explained(words);
  assert.deepEqual(idsOf(unsaid), [
    'likely client-certificate-untrusted',
    'likely unknown-ca',
    'likely chain-incomplete',
  ]);
  for (const { remedy } of unsaid) assert.match(remedy.text, /--side client or server/);
});

test('a line that shows whose it is outweighs --side: a proxy is a client of its upstream', () => {
  const line =
    '2026/11/25 10:00:00 [error] 7#7: *1 SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream, client: 10.0.0.9, server: shop.internal, upstream: "https://10.0.0.7:8080/"';
  assert.deepEqual(idsOf(explained(line, 'server')), ['likely plaintext-service', 'possible starttls-needed']);
});

test('a port whose TLS begins on request says what the client met; a time of day is no port', () => {
  const words = 'SSL routines::wrong version number';
  for (const at of ['db1:5432', '10.0.0.7:25', '[::1]:3306', 'port 587', 'port=143'])
    assert.equal(explained(`connecting to ${at}: ${words}`, 'client')[0]?.id, 'starttls-needed', at);
  for (const at of ['2026-11-25 10:25:33', '10:25', '23:25:10.110 db.internal:443', 'T11:25:33Z', 'port 8443'])
    assert.equal(explained(`${at} ${words}`, 'client')[0]?.id, 'plaintext-service', at);
});

test('case, line breaks, prefixes and colours make no difference', () => {
  const plain = idsOf(explained('self-signed certificate in certificate chain', 'client'));
  assert.equal(plain[0], 'likely unknown-ca');
  for (const text of [
    'SELF SIGNED CERTIFICATE IN CERTIFICATE CHAIN',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'Nov 25 10:00:00 db-1 app[812]: Error: self-signed certificate\n  in certificate chain',
    '\x1b[31mself-signed\x1b[0m certificate in certificate chain',
    '{"level":"error","msg":"boom: \\"self-signed certificate in certificate chain\\"\\n    at TLSSocket.onConnectSecure"}',
  ])
    assert.deepEqual(idsOf(explained(text, 'client')), plain, text);
});

test('what is not certain says what would decide, by address where the text has one', () => {
  const [first, second] = explained(
    'curl: (60) SSL certificate problem: unable to get local issuer certificate\n* Connection to shop.internal port 443 failed',
  );
  assert.equal(first?.id, 'unknown-ca');
  assert.match(first?.remedy.text ?? '', /fullchain diagnose shop\.internal:443/);
  assert.match(second?.remedy.text ?? '', /fullchain diagnose shop\.internal:443/);
  assert.equal(first?.remedy.command, 'fullchain diagnose shop.internal:443');
  for (const { text, side } of COLLECTED)
    for (const one of explained(text, side ?? null))
      if (confidenceOf(one) !== 'certain') assert.match(one.remedy.text, /decides?[:.]/, `${one.id}: ${text}`);
});

test('every row can be reached: its words are words, and no row before it takes them all away', () => {
  const before: string[] = [];
  for (const { says, near, unless } of MESSAGE_ROWS) {
    for (const words of says) {
      assert.match(words, /^[a-z\d]+(?: [a-z\d]+)*$/);
      const taken = before.find((earlier) => ` ${words} `.includes(` ${earlier} `));
      assert.equal(taken, undefined, `"${words}" is behind "${taken}"`);
    }
    if (near === undefined && unless === undefined) before.push(...says);
  }
});

test('an authority’s address in its client’s log is not what the refusal is about', () => {
  const [best] = explained(
    'acme: error: 400 :: POST :: https://acme-v02.api.letsencrypt.org:443/acme/chall/1 :: urn:ietf:params:acme:error:connection :: 203.0.113.7: Fetching http://shop.example.com/.well-known/acme-challenge/abc: Timeout during connect (likely firewall problem)',
  );
  assert.deepEqual([best?.id, best?.subject, best?.evidence.host], ['connect-timeout', 'shop.example.com', undefined]);
});

test('several causes in one log: the surest first, and three at the most', () => {
  const log = [
    'x509: certificate is valid for a.internal, not b.internal',
    'could not resolve host: c.internal',
    'private key file "/etc/ssl/tls.key" has group or world access',
    'server does not support SSL, but SSL was required',
    'unable to verify the first certificate',
  ].join('\n');
  const findings = explained(log);
  assert.equal(findings.length, 3);
  for (const one of findings) assert.equal(confidenceOf(one), 'certain');
});

test('of a long text the end counts', () => {
  const noise = 'LOG:  checkpoint complete\n'.repeat(60_000);
  assert.deepEqual(idsOf(explained(`certificate has been revoked\n${noise}`)), []);
  assert.deepEqual(idsOf(explained(`${noise}certificate has been revoked`)), ['certain certificate-revoked']);
});

const KEY_LINE = 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgq0XNd3rT2YtfV8Yk';
const SECRETS = [
  'hunter2-correct-horse',
  's3cr3t/with/slash',
  KEY_LINE,
  'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhcHAifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg',
  'Xk3TtZ0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8',
];
const [PASSWORD, SLASHED, , JWT, TOKEN] = SECRETS;

test('no secret of a text comes back', () => {
  const armored = `-----BEGIN PRIVATE KEY-----\n${KEY_LINE}\n-----END PRIVATE KEY-----`;
  const texts = [
    `could not connect to server: postgresql://app:${PASSWORD}@db.internal:5432/orders: certificate is valid for api.internal, not db.internal`,
    `redis://:${SLASHED}@cache.internal:6379 Connection refused`,
    `open ${armored} /etc/ssl/tls.key: no such file or directory`,
    `certificate is valid for ${armored}, not db.internal`,
    `${KEY_LINE}\n-----END PRIVATE KEY-----\ncertificate is valid for ${KEY_LINE}, not db.internal`,
    `password=${PASSWORD} private key file "${PASSWORD}=password" user "password=${PASSWORD}": certificate authentication failed for user "password=${PASSWORD}"`,
    `Authorization: Bearer ${JWT}\nGet "https://db.internal:443/?token=${JWT}": dial tcp 10.0.0.1:443: connect: connection refused`,
    `server certificate for "${JWT}" does not match host name "db.internal"`,
    `Invalid response from http://shop.example.com/.well-known/acme-challenge/${TOKEN}: 404`,
    `too many certificates for ${TOKEN}, retry after 2026-11-27 05:41:12 UTC`,
  ];
  for (const text of texts) {
    const findings = explained(text);
    assert.ok(findings.length > 0, text);
    const printed = JSON.stringify(findings);
    for (const secret of SECRETS) assert.ok(!printed.includes(secret), `${secret} of: ${text}\n${printed}`);
  }
});

test('commands made of a text are quoted for the shell', () => {
  const [first] = explained(`private key file "/tmp/$(reboot)/tls.key" has group or world access`);
  assert.equal(first?.evidence.file, '/tmp/$(reboot)/tls.key');
  const [named] = explained('certificate is valid for a.internal, not b.internal;reboot');
  assert.doesNotMatch(named?.remedy.command ?? '', /[^']\$\(|;reboot/);
  const [option] = explained('could not resolve host: --verbose');
  assert.deepEqual([option?.id, option?.remedy.command], ['name-not-resolved', undefined]);
});

/** Everything that is known, and what stands between it in real texts. */
const PIECES = [
  ...MESSAGE_ROWS.flatMap(({ says }) => says),
  ...COLLECTED.map(({ text }) => text),
  ...[
    '"',
    "'",
    '\\',
    '\\n',
    '\n',
    ' ',
    '://',
    '@',
    '{',
    '}',
    '-----BEGIN PRIVATE KEY-----',
    'password=',
    'retry-after: 5',
  ],
];

test('whatever comes, there are at most three findings, none without words, none twice', () => {
  const piece = fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 20 }));
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }),
      fc.constantFrom(' ', '', '\n'),
      fc.constantFrom('client', 'server', null),
      (pieces, between, side) => {
        const findings = explained(pieces.join(between), side);
        assert.ok(findings.length <= 3);
        assert.equal(new Set(findings.map(({ id }) => id)).size, findings.length);
        for (const one of findings) {
          assert.ok(one.what !== '' && one.subject !== '' && one.remedy.text !== '');
          // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
          assert.doesNotMatch(JSON.stringify(one), /[\x00-\x1f]|\\u00[01]|undefined|\{\w+\}/);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('no text is slow: a quarter of a mebibyte, built to be', () => {
  const LENGTH = 256 * 1024;
  const units = [
    'a',
    ' ',
    '\n',
    '\\',
    '"',
    '-',
    '1.',
    '://a:',
    'certificate ',
    'password=',
    'Fetching http://',
    '\x1b[',
  ];
  const texts = [
    ...[...units, ...PIECES.filter((piece, i) => i % 4 === 0 && piece !== '' && piece.length < 60)].map((unit) =>
      unit.repeat(Math.ceil(LENGTH / unit.length)),
    ),
    PIECES.join(' ').repeat(Math.ceil(LENGTH / PIECES.join(' ').length)),
  ];
  for (const text of texts) {
    // Again where the first try met a collection of garbage.
    const tries = [0, 1, 2].values().map(() => cpuMsOf(() => explained(text)));
    assert.ok(
      tries.some((ms) => ms < 50),
      JSON.stringify(text.slice(0, 60)),
    );
  }
});

/** Not of the clock: other tests run beside this one. */
function cpuMsOf(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
