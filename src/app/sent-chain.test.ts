import assert from 'node:assert/strict';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { dns, makeIntermediate, makeLeaf, makeRoot } from '../../test/vectors/made-certificate.ts';
import { startTcpServer } from '../../test/world/tcp-server.ts';
import { bytesEqual } from '../core/bytes/compare.ts';
import { pemFromDer } from '../core/bytes/pem.ts';
import type { Target } from '../core/probe/target.ts';
import { encodeSubjectAltName } from '../core/x509/subject-alt-name.ts';
import { sentChain } from './sent-chain.ts';

const root = makeRoot();
const intermediate = makeIntermediate(root);
const leaf = makeLeaf(intermediate);
const other = makeRoot('Unrelated');
/** As no client would want it: the root sent, an unrelated one in between, the intermediate last. */
const ODD = [leaf, root, other, intermediate];

function tlsOptions(options: TlsOptions = {}): TlsOptions {
  return {
    key: leaf.key.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: ODD.map(({ der }) => pemFromDer('CERTIFICATE', der)).join(''),
    ...options,
  };
}

function quiet(server: Server): Server {
  return server.on('connection', (socket: Socket) => socket.on('error', () => {})).on('tlsClientError', () => {});
}

function tlsAt(host: string, port: number): Target {
  return { text: host, protocol: 'tls', host, port, url: null };
}

async function serve(t: TestContext, server: Server, host = '127.0.0.1'): Promise<Target> {
  const { port, close } = await startTcpServer(quiet(server), host, 0);
  t.after(close);
  return tlsAt(host, port);
}

const OPTIONS = { serverName: 'api.internal', timeoutMs: 5000 };

for (const [what, options] of [
  ['TLS 1.3', {}],
  ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ['TLS 1.0, which only old servers speak', { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }],
  ['a server that wants a client certificate (TLS 1.3)', { requestCert: true }],
  ['a server that refuses us for want of a client certificate (TLS 1.2)', { requestCert: true, maxVersion: 'TLSv1.2' }],
] as const satisfies readonly (readonly [string, TlsOptions])[])
  test(`the chain comes as it was sent: ${what}`, async (t) => {
    const endpoint = await serve(t, createTlsServer(tlsOptions(options)));
    const chain = await sentChain(endpoint, OPTIONS);
    assert.equal(chain.length, ODD.length);
    for (const [index, { der }] of ODD.entries())
      assert.ok(bytesEqual(chain[index] ?? der.subarray(1), der), String(index));
  });

test('the server name decides which certificate is sent; for an address none is asked for', async (t) => {
  const named = makeLeaf(root, { extensions: { subjectAltName: encodeSubjectAltName(dns('named.internal'), true) } });
  const server = createTlsServer(tlsOptions());
  server.addContext('named.internal', {
    key: named.key.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: pemFromDer('CERTIFICATE', named.der),
  });
  const endpoint = await serve(t, server, '::1');
  const leafFor = async (serverName: string | null) => (await sentChain(endpoint, { ...OPTIONS, serverName }))[0];
  assert.ok(bytesEqual((await leafFor('named.internal')) ?? new Uint8Array(), named.der));
  assert.ok(bytesEqual((await leafFor(null)) ?? new Uint8Array(), leaf.der));
});

test('whatever is no TLS server is said to be what it is, and in bounded time', async (t) => {
  const rows: readonly [(socket: Socket) => void, string, RegExp][] = [
    [
      (socket) => socket.write('220 mail ESMTP\r\n'),
      'target-not-tls',
      /does not speak TLS from the first byte \(wrong version number\)/,
    ],
    [
      (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      'target-not-tls',
      /wrong version/,
    ],
    [(socket) => socket.destroy(), 'target-refused', /before a certificate came/],
    [() => {}, 'target-unreachable', /no answer within 0\.3 s/],
    // TLS alert 112.
    [(socket) => socket.write(Buffer.from('15030300020270', 'hex')), 'target-refused', /refused the handshake/],
  ];
  for (const [answer, code, message] of rows) {
    const endpoint = await serve(t, createTcpServer(answer));
    await assert.rejects(sentChain(endpoint, { serverName: null, timeoutMs: 300 }), { code, message });
  }
});

test('nobody there: the reason in words', async (t) => {
  const { port, close } = await startTcpServer(createTcpServer(), '127.0.0.1', 0);
  await close();
  await assert.rejects(sentChain(tlsAt('127.0.0.1', port), OPTIONS), {
    code: 'target-unreachable',
    message: /nothing listens there/,
  });
  await assert.rejects(sentChain(tlsAt('nobody.invalid', 1), OPTIONS), {
    code: 'target-unreachable',
    message: /the name/,
  });
  t.diagnostic('names under .invalid have no address (RFC 6761)');
});
