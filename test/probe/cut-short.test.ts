/** Servers and networks that answer some of what is asked: the rest is unknown, which is neither good nor bad. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { scratch } from '../ca/command-line.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { startServer } from '../servers/process.ts';
import { breakNetwork } from '../world/broken-network.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { startSites } from './nginx-sites.ts';
import { opensslPairs } from './openssl-pairs.ts';
import { type ProbedTarget, probeJson, probeOne, runProbe } from './run-probe.ts';

const pairs = opensslPairs();
const files = { cert: readFileSync(pairs.ecdsa.cert), key: readFileSync(pairs.ecdsa.key) };

/** Takes AES-128 first and AES-256 last, and versions below TLS 1.2 too. */
const MIXED: TlsOptions = {
  ...files,
  minVersion: 'TLSv1',
  maxVersion: 'TLSv1.2',
  honorCipherOrder: true,
  ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-GCM-SHA384:@SECLEVEL=0',
};

async function serve(t: TestContext, options: TlsOptions): Promise<number> {
  const server = await startTcpServer(createTlsServer(options), '127.0.0.1', 0);
  t.after(server.close);
  return server.port;
}

const at = (port: number): readonly string[] => [
  `127.0.0.1:${port}`,
  '--ca',
  pairs.ca,
  '--timeout',
  '1',
  '--rate',
  '0',
];

async function behind(
  t: TestContext,
  options: TlsOptions,
  passes: (count: number) => boolean,
  end?: (socket: Socket) => void,
): Promise<ProbedTarget> {
  return probeOne(...at(await breakNetwork(t, await serve(t, options), passes, end)));
}

const idsOf = ({ findings }: ProbedTarget): readonly string[] => findings.map(({ id }) => id);
const gapsOf = ({ gaps }: ProbedTarget): ReadonlySet<string> => new Set(gaps.flatMap(({ fields }) => fields));

test('the whole of the server that is cut short below: everything is known of it, and it is complete', async (t) => {
  const target = await behind(t, MIXED, () => true);
  assert.deepEqual([target.complete, target.gaps, target.grade?.isUpperBound], [true, [], false]);
  assert.deepEqual(idsOf(target), ['protocols-weak', 'suites-weak']);
  assert.deepEqual([target.protocols, target.grade?.letter], [['TLSv1', 'TLSv1.1', 'TLSv1.2'], 'C']);
});

for (const most of [2, 3, 4, 6, 9, 14])
  test(`a network that dies after ${most} connections: no finding rests on what was not seen`, async (t) => {
    const target = await behind(t, MIXED, (count) => count <= most);
    assert.equal(target.complete, false);
    assert.ok(!idsOf(target).includes('suites-narrow'), JSON.stringify(target.findings));
    assert.deepEqual([target.clientCertificate, target.chain.length], ['none', 1]);
    // A flaw that was seen stays one; what is missing makes nothing better.
    assert.ok(target.grade?.isUpperBound || target.grade?.letter === 'F', JSON.stringify(target.grade));
    assert.ok(!JSON.stringify(target.grade).includes('Switch TLS 1.3 on') || target.protocols.length > 1);
    for (const field of ['suites', 'groups']) assert.ok(gapsOf(target).has(field), JSON.stringify(target.gaps));
  });

test('in words: what could not be asked, and that the grade is the best that it can be', async (t) => {
  const port = await breakNetwork(t, await serve(t, MIXED), (count) => count <= 9);
  const { stdout } = await runProbe(...at(port));
  assert.match(stdout, /not all could be asked: .*suites of TLSv1\.2.* \(the server closes every connection now\)/);
  assert.match(stdout, /at best [A-C]/);
});

test('a network that dies in the first handshake: no grade, since nobody proved who it is', async (t) => {
  const port = await serve(t, { ...files, minVersion: 'TLSv1.3' });
  assert.ok((await probeOne(...at(port))).grade);
  const target = await probeOne(...at(await breakNetwork(t, port, (count) => count > 5, cutAfterHello(port))));
  assert.deepEqual([target.grade, target.trust.ok], [null, false]);
  assert.ok(gapsOf(target).has('trust'), JSON.stringify(target.gaps));
});

/** The start of the server's answer comes through, and nothing after it. */
function cutAfterHello(port: number): (socket: Socket) => void {
  return (socket) => {
    const upstream = connect(port, '127.0.0.1');
    upstream.on('error', () => socket.destroy());
    socket.pipe(upstream);
    upstream.once('data', (bytes: Buffer) => socket.end(bytes.subarray(0, 130), () => upstream.destroy()));
  };
}

test('a server that refuses everything by an alert after a while: that is no refusal of what is asked', async (t) => {
  const refuse = (socket: Socket): void => void socket.once('data', () => socket.end(Buffer.of(21, 3, 3, 0, 2, 2, 40)));
  const target = await behind(t, MIXED, (count) => count <= 9, refuse);
  assert.equal(target.complete, false);
  assert.match(target.untried.join('; '), /refuses now what it took at first/);
  assert.ok(!idsOf(target).includes('suites-narrow'));
});

test('a server that demands a client certificate is told from one that lets nobody in any more', async (t) => {
  const asks = { ...files, ca: readFileSync(pairs.ca), requestCert: true };
  const demands = await behind(t, { ...asks, rejectUnauthorized: true }, () => true);
  assert.deepEqual([demands.clientCertificate, gapsOf(demands).has('clientCertificate')], ['required', false]);
  const port = await serve(t, { ...asks, rejectUnauthorized: false });
  const whole = await probeOne(...at(port));
  assert.deepEqual([whole.clientCertificate, whole.complete], ['optional', true]);
  const dies = await probeOne(...at(await breakNetwork(t, port, (count) => count <= 30)));
  assert.deepEqual(
    [dies.clientCertificate, gapsOf(dies).has('clientCertificate')],
    ['optional', true],
    JSON.stringify(dies),
  );
});

test('one connection in five that fails is asked again, and nothing is missing', async (t) => {
  const whole = await behind(t, MIXED, () => true);
  const target = await behind(t, MIXED, (count) => count % 5 !== 4);
  assert.deepEqual(target.gaps, []);
  assert.deepEqual([target.suites.length, [...target.groups].sort()], [whole.suites.length, [...whole.groups].sort()]);
});

/** HAProxy in front of the server, which turns connections away before TLS. */
async function haproxy(t: TestContext, to: number, rule: string): Promise<number> {
  const port = await freePort();
  const file = join(scratch(t), 'haproxy.cfg');
  writeFileSync(
    file,
    `global\n maxconn 100\ndefaults\n mode tcp\n timeout connect 2s\n timeout client 5s\n timeout server 5s
frontend tls\n bind 127.0.0.1:${port}\n stick-table type ip size 1k expire 60s store conn_cur,conn_cnt\n tcp-request connection track-sc0 src
 tcp-request connection reject if { ${rule} }\n default_backend tls\nbackend tls\n server tls 127.0.0.1:${to}\n`,
  );
  const server = await startServer('haproxy', ['-db', '-f', file], { isReady: () => acceptsConnections(port) });
  t.after(() => server.stop());
  return port;
}

test('HAProxy that takes one connection at a time from a client: it is asked so, and everything is seen', {
  skip: skipWithout('haproxy'),
}, async (t) => {
  const to = await serve(t, MIXED);
  const whole = await probeOne(...at(to));
  const target = await probeOne(...at(await haproxy(t, to, 'src_conn_cur gt 1')));
  assert.deepEqual(target.gaps, []);
  assert.deepEqual([target.suites, target.protocols], [whole.suites, whole.protocols]);
});

test('HAProxy that shuts a client out after fifteen connections: what is missing is said', {
  skip: skipWithout('haproxy'),
}, async (t) => {
  const port = await haproxy(t, await serve(t, MIXED), 'src_conn_cnt gt 15');
  const { status, targets } = await probeJson(...at(port));
  const [target] = targets;
  assert.ok(target && !target.complete, JSON.stringify(target));
  assert.equal(status, 1, 'old versions were seen');
  assert.ok(!idsOf(target).includes('suites-narrow'));
  assert.ok(target.grade?.isUpperBound);
});

test('nginx that turns visitors away (limit_req): whether it sends HSTS is unknown', {
  skip: skipWithout('nginx'),
}, async (t) => {
  const root = scratch(t);
  writeFileSync(join(root, 'index.html'), 'here');
  const limits = `location = / { root ${root}; limit_req zone=few; }`;
  const { site } = await startSites(
    t,
    [pairs.ecdsa],
    { site: `ssl_protocols TLSv1.3; add_header Strict-Transport-Security "max-age=63072000"; ${limits}` },
    'limit_req_zone $server_name zone=few:64k rate=1r/m;',
  );
  const look = (): Promise<ProbedTarget> =>
    probeOne(`https://localhost:${site}`, '--connect', '127.0.0.1', '--ca', pairs.ca);
  const first = await look();
  assert.deepEqual([first.hsts?.maxAge, first.complete], [63072000, true]);
  const second = await look();
  assert.deepEqual([idsOf(second), second.hsts], [[], null]);
  assert.match(second.untried.join(), /HSTS, redirects and the front page: the server answers 503/);
  assert.deepEqual([second.complete, second.grade?.isUpperBound], [false, true]);
});
