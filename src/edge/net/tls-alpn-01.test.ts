import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertInvalid, challengeTarget, KEY_AUTHORIZATION } from '../../../test/world/challenge-target.ts';
import { type DnsServer, startDnsServer } from '../../../test/world/dns-server.ts';
import { freePort } from '../../../test/world/free-port.ts';
import { startHttpResponder } from '../../../test/world/http-responder.ts';
import { startTcpServer } from '../../../test/world/tcp-server.ts';
import {
  startTlsAlpnResponder,
  type TlsAlpnResponder,
  type ValidationCertificateFaults,
  validationCertificate,
} from '../../../test/world/tls-alpn-responder.ts';
import { addressPolicy } from '../../core/acme/address-policy.ts';
import type { ChallengeTarget, ValidationOutcome } from '../../flow/ca/validation-ports.ts';
import { dnsResolver } from './resolver.ts';
import { type TlsAlpn01Options, tlsAlpn01Validator } from './tls-alpn-01.ts';

let dns: DnsServer;
let responder: TlsAlpnResponder;
before(async () => {
  dns = await startDnsServer();
  dns.set('app.test', { A: ['127.0.0.1'] });
  responder = await startTlsAlpnResponder();
});
after(() => Promise.all([dns.close(), responder.close()]));

const never = new AbortController().signal;

function validate(
  target: Partial<ChallengeTarget> = {},
  options: Partial<TlsAlpn01Options> = {},
  signal = never,
): Promise<ValidationOutcome> {
  const validator = tlsAlpn01Validator({
    resolver: dnsResolver([dns.address], { tryMs: 5_000, tries: 1 }),
    policy: addressPolicy({ allow: [], deny: [] }),
    port: responder.port,
    ...options,
  });
  return validator(challengeTarget(target), signal);
}

test('accepted: the certificate of RFC 8737 §3, asked for by the name', async () => {
  responder.present('app.test', validationCertificate('app.test', KEY_AUTHORIZATION));
  assert.deepEqual(await validate(), { kind: 'valid' });
  assert.equal(responder.serverNames.at(-1), 'app.test');
});

test('accepted: the name in another case (RFC 8737 §3, RFC 4343)', async () => {
  responder.present('app.test', validationCertificate('App.TEST', KEY_AUTHORIZATION));
  assert.deepEqual(await validate(), { kind: 'valid' });
});

test('accepted: TLS 1.2', async (t) => {
  const older = await startTlsAlpnResponder({ maxVersion: 'TLSv1.2' });
  t.after(older.close);
  older.present('app.test', validationCertificate('app.test', KEY_AUTHORIZATION));
  assert.deepEqual(await validate({}, { port: older.port }), { kind: 'valid' });
});

test('accepted: addresses, asked for by their reverse-mapping names (RFC 8738 §6)', async (t) => {
  responder.present('1.0.0.127.in-addr.arpa', validationCertificate('127.0.0.1', KEY_AUTHORIZATION));
  assert.deepEqual(await validate({ identifierType: 'ip', value: '127.0.0.1' }), { kind: 'valid' });
  const ipv6 = await startTlsAlpnResponder({ host: '::1' });
  t.after(ipv6.close);
  ipv6.present(`1.${'0.'.repeat(31)}ip6.arpa`, validationCertificate('::1', KEY_AUTHORIZATION));
  assert.deepEqual(await validate({ identifierType: 'ip', value: '::1' }, { port: ipv6.port }), { kind: 'valid' });
});

test('accepted: IPv4 when nothing listens on IPv6', async () => {
  dns.set('dual.test', { A: ['127.0.0.1'], AAAA: ['::1'] });
  responder.present('dual.test', validationCertificate('dual.test', KEY_AUTHORIZATION));
  assert.deepEqual(await validate({ value: 'dual.test' }), { kind: 'valid' });
});

test('accepted: a certificate that OpenSSL made, of RSA, Ed25519 and P-384 keys', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-tls-alpn-'));
  const digest = createHash('sha256').update(KEY_AUTHORIZATION).digest('hex');
  try {
    for (const key of [['rsa:2048'], ['ed25519'], ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384']]) {
      const [certPath, keyPath] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          ...key,
          '-nodes',
          '-keyout',
          keyPath,
          '-out',
          certPath,
          '-subj',
          '/CN=app.test',
          '-days',
          '1',
          '-addext',
          'subjectAltName=DNS:app.test',
          '-addext',
          `1.3.6.1.5.5.7.1.31=critical,DER:0420${digest}`,
        ],
        { stdio: 'ignore' },
      );
      const cert = readFileSync(certPath, 'utf8');
      responder.present('app.test', { der: new X509Certificate(cert).raw, cert, key: readFileSync(keyPath, 'utf8') });
      assert.deepEqual(await validate(), { kind: 'valid' }, key.join(' '));
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

const DIGEST = createHash('sha256').update(KEY_AUTHORIZATION).digest('hex');
const SAN = 'showed a certificate whose subjectAltName has';

const WRONG_CERTIFICATES: readonly (readonly [what: string, faults: ValidationCertificateFaults, detail: string])[] = [
  ['another name', { names: ['other.test'] }, `${SAN} "other.test" (wanted app.test and nothing else)`],
  [
    'a second name',
    { names: ['app.test', 'other.test'] },
    `${SAN} "app.test", "other.test" (wanted app.test and nothing else)`,
  ],
  [
    'five names',
    { names: ['a.test', 'b.test', 'c.test', 'd.test', 'app.test'] },
    `${SAN} "a.test", "b.test", "c.test" and 2 more (wanted app.test and nothing else)`,
  ],
  ['a wildcard', { names: ['*.test'] }, `${SAN} "*.test" (wanted app.test and nothing else)`],
  ['an address', { names: ['127.0.0.1'] }, `${SAN} "127.0.0.1" (wanted app.test and nothing else)`],
  ['no subjectAltName', { names: [] }, `${SAN} no name at all (wanted app.test and nothing else)`],
  [
    'no acmeIdentifier',
    { acmeIdentifier: 'absent' },
    'showed a certificate with no acmeIdentifier extension (wanted 1.3.6.1.5.5.7.1.31)',
  ],
  [
    'the obsolete acmeIdentifier',
    { acmeIdentifier: 'obsolete' },
    'showed a certificate with the obsolete extension 1.3.6.1.5.5.7.1.30.1 (wanted 1.3.6.1.5.5.7.1.31)',
  ],
  [
    'an acmeIdentifier that is not critical',
    { acmeIdentifier: 'not-critical' },
    'showed a certificate whose acmeIdentifier extension is not critical (RFC 8737 §3 wants it to be)',
  ],
  [
    'the digest of another key authorization',
    { keyAuthorization: 'token.other' },
    `showed a certificate whose acmeIdentifier is ${createHash('sha256').update('token.other').digest('hex')} (wanted ${DIGEST}, the digest of the key authorization)`,
  ],
  [
    'a signature of another key',
    { signer: 'other-key' },
    'showed a certificate that is not signed by its own key (RFC 8737 §3 wants a self-signed one)',
  ],
  [
    'another issuer',
    { signer: 'other-name' },
    'showed a certificate that is not signed by its own key (RFC 8737 §3 wants a self-signed one)',
  ],
];

for (const [what, faults, detail] of WRONG_CERTIFICATES) {
  test(`refused with unauthorized: ${what}`, async () => {
    responder.present('app.test', validationCertificate('app.test', KEY_AUTHORIZATION, faults));
    assertInvalid(await validate(), 'unauthorized', `127.0.0.1 port ${responder.port} ${detail}`);
  });
}

for (const acmeIdentifier of ['short', 'not-octet-string'] as const) {
  test(`refused with unauthorized: an acmeIdentifier that cannot be read (${acmeIdentifier})`, async () => {
    responder.present('app.test', validationCertificate('app.test', KEY_AUTHORIZATION, { acmeIdentifier }));
    assertInvalid(
      await validate(),
      'unauthorized',
      /^127\.0\.0\.1 port \d+ showed a certificate that cannot be read: \S*acmeIdentifier at byte \d+: /,
    );
  });
}

test('refused with unauthorized: the name of an address in place of the address', async () => {
  responder.present('1.0.0.127.in-addr.arpa', validationCertificate('1.0.0.127.in-addr.arpa', KEY_AUTHORIZATION));
  assertInvalid(
    await validate({ identifierType: 'ip', value: '127.0.0.1' }),
    'unauthorized',
    `127.0.0.1 port ${responder.port} ${SAN} "1.0.0.127.in-addr.arpa" (wanted 127.0.0.1 and nothing else)`,
  );
});

test('refused with tls: no negotiation, another protocol, and a version below TLS 1.2', async (t) => {
  const wanted = '(wanted "acme-tls/1" for app.test)';
  for (const [options, detail] of [
    [{ protocols: [] }, 'chose no application protocol in the TLS handshake for app.test (wanted "acme-tls/1")'],
    [
      { protocols: ['h2', 'http/1.1'] },
      `refused the application protocol (TLS alert no_application_protocol) ${wanted}`,
    ],
    [{ protocols: ['acme-tls/2'] }, `refused the application protocol (TLS alert no_application_protocol) ${wanted}`],
    [{ maxVersion: 'TLSv1.1' }, `failed the TLS handshake: tlsv1 alert protocol version ${wanted}`],
  ] as const) {
    const server = await startTlsAlpnResponder(options);
    t.after(server.close);
    server.present('app.test', validationCertificate('app.test', KEY_AUTHORIZATION));
    assertInvalid(await validate({}, { port: server.port }), 'tls', `127.0.0.1 port ${server.port} ${detail}`);
  }
});

test('refused with tls: plain HTTP', async (t) => {
  const web = await startHttpResponder();
  t.after(web.close);
  assertInvalid(
    await validate({}, { port: web.port }),
    'tls',
    `127.0.0.1 port ${web.port} failed the TLS handshake: wrong version number (wanted "acme-tls/1" for app.test)`,
  );
});

test('refused with connection: nobody listens, nobody answers, an end in the handshake', async (t) => {
  const port = await freePort();
  assertInvalid(await validate({}, { port }), 'connection', `127.0.0.1 port ${port} refused the connection`);
  const silent = await startTcpServer(
    createServer((socket) => socket.resume()),
    '127.0.0.1',
    0,
  );
  t.after(silent.close);
  assertInvalid(
    await validate({}, { port: silent.port, timeoutMs: 100 }),
    'connection',
    `127.0.0.1 port ${silent.port} did not finish the TLS handshake in time (limit 100 ms) (wanted "acme-tls/1" for app.test)`,
  );
  assertInvalid(
    await validate({}, { port: silent.port }, AbortSignal.timeout(50)),
    'serverInternal',
    'the validation was interrupted before it had a result',
  );
  assert.equal(await leftOpen(silent), 0);
  const ending = await startTcpServer(
    createServer((socket) => socket.end()),
    '127.0.0.1',
    0,
  );
  t.after(ending.close);
  assertInvalid(
    await validate({}, { port: ending.port }),
    'connection',
    `127.0.0.1 port ${ending.port} closed the connection during the TLS handshake (wanted "acme-tls/1" for app.test)`,
  );
});

test('refused with rejectedIdentifier or dns: where the address is denied or missing', async () => {
  dns.set('denied.test', { A: ['169.254.169.254'] });
  assertInvalid(
    await validate({ value: 'denied.test' }),
    'rejectedIdentifier',
    'denied.test has no address that may be reached: 169.254.169.254 is link-local, where clouds serve credentials; validation never goes there',
  );
  assertInvalid(
    await validate({ identifierType: 'ip', value: '169.254.169.254' }),
    'rejectedIdentifier',
    '169.254.169.254 is link-local, where clouds serve credentials; validation never goes there',
  );
  assertInvalid(await validate({ value: 'missing.test' }), 'dns', 'missing.test does not exist in DNS (NXDOMAIN)');
  assertInvalid(
    await validate({ value: '*.app.test' }),
    'malformed',
    '"*.app.test" is not a dns identifier that can be validated',
  );
});

/** Connections of ours that are still open a moment after the outcome. */
async function leftOpen(server: { readonly connections: () => { readonly open: number } }): Promise<number> {
  for (let waits = 0; server.connections().open > 0 && waits < 100; waits++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  return server.connections().open;
}
