/** The same servers seen by `probe` and by others: sslscan, openssl s_client, testssl.sh, and a peer with OpenSSL 3.5. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { groupName } from '../../src/core/tls/named-groups.ts';
import { openssl, scratch } from '../ca/command-line.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { run, startServer } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { startSites } from './nginx-sites.ts';
import { opensslPairs } from './openssl-pairs.ts';
import { idsOf, type ProbedTarget, probeOne } from './run-probe.ts';
import { sslscan, suitesOf } from './sslscan.ts';

const pairs = opensslPairs();

async function agree(t: TestContext, target: ProbedTarget, port: number): Promise<void> {
  const scan = await sslscan(t, port);
  assert.deepEqual(target.protocols, scan.protocols);
  assert.deepEqual(suitesOf(target), scan.suites);
  // It asks for groups of its own OpenSSL's only.
  const missed = scan.groups.map((code) => groupName(Number(code))).filter((name) => !target.groups.includes(name));
  assert.deepEqual(missed, [], `groups that sslscan sees besides ${target.groups.join()}`);
}

const INTERMEDIATE = `ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers off;
  ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
  add_header Strict-Transport-Security "max-age=63072000; includeSubDomains" always;`;

test('nginx with several policies: versions, suites, order and groups as sslscan sees them', {
  skip: skipWithout('nginx', 'sslscan'),
}, async (t) => {
  const sites = await startSites(t, [pairs.ecdsa, pairs.rsa], {
    modern: 'ssl_protocols TLSv1.3;',
    intermediate: INTERMEDIATE,
    ordered: 'ssl_protocols TLSv1.2; ssl_prefer_server_ciphers on; ssl_ciphers HIGH:!aNULL; ssl_ecdh_curve secp384r1;',
    narrow: 'ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;',
    old: 'ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0; ssl_ecdh_curve X25519:P-256:P-521;',
  });
  const seen = async (port: number): Promise<ProbedTarget> => {
    const target = await probeOne(`https://localhost:${port}`, '--connect', '127.0.0.1', '--ca', pairs.ca);
    await agree(t, target, port);
    assert.deepEqual(target.trust, { ok: true, why: null, anchor: 'CN=probe-root' });
    assert.deepEqual([...target.alpn], ['h2', 'http/1.1', 'http/1.0']);
    return target;
  };
  const modern = await seen(sites.modern);
  assert.deepEqual([modern.protocols, modern.serverOrder], [['TLSv1.3'], null]);
  assert.deepEqual(idsOf(modern), ['hsts-missing']);
  assert.equal(modern.otherChains.length, 1, 'both certificates are seen in TLS 1.3 too');

  const intermediate = await seen(sites.intermediate);
  assert.deepEqual([intermediate.serverOrder, idsOf(intermediate)], [false, []]);
  assert.deepEqual(intermediate.hsts, { maxAge: 63072000, includeSubDomains: true, preload: false });
  assert.equal(intermediate.grade?.letter, 'A', JSON.stringify(intermediate.grade));
  const keys = [intermediate.chain, ...intermediate.otherChains].map(([leaf]) => leaf?.key).sort();
  assert.deepEqual(keys, ['ecdsa-p256', 'rsa-2048']);

  const ordered = await seen(sites.ordered);
  assert.deepEqual([ordered.serverOrder, [...ordered.groups]], [true, ['secp384r1']]);
  assert.deepEqual(idsOf(ordered), ['suites-weak', 'hsts-missing']);
  assert.equal(ordered.grade?.letter, 'B');

  const narrow = await seen(sites.narrow);
  assert.deepEqual(
    narrow.findings.map(({ id, severity }) => `${severity} ${id}`),
    ['warning hsts-missing', 'info suites-narrow'],
  );

  const old = await seen(sites.old);
  assert.deepEqual(new Set(old.groups), new Set(['x25519', 'secp256r1', 'secp521r1']));
  assert.deepEqual(idsOf(old), ['protocols-weak', 'suites-weak', 'hsts-missing']);
  assert.equal(old.grade?.letter, 'F');
});

test('openssl s_server with everything it has: suites without encryption and without authentication too', {
  skip: skipWithout('openssl', 'sslscan'),
}, async (t) => {
  const port = await freePort();
  const everything = ['-cipher', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0', '-groups', 'P-256:X25519:P-384:X448'];
  const files = ['-cert', pairs.rsa.cert, '-key', pairs.rsa.key, '-dcert', pairs.ecdsa.cert, '-dkey', pairs.ecdsa.key];
  const server = await startServer(
    'openssl',
    ['s_server', '-accept', `${port}`, ...files, '-www', '-quiet', ...everything],
    {
      isReady: () => acceptsConnections(port),
    },
  );
  t.after(() => server.stop());
  const target = await probeOne(`127.0.0.1:${port}`, '--ca', pairs.ca, '--rate', '0');
  // sslscan takes TLS 1.2 and older with anonymous suites and those without encryption in one list.
  await agree(t, target, port);
  assert.ok(target.suites.length > 100, `${target.suites.length} suites`);
  const weak = target.findings.find(({ id }) => id === 'suites-weak');
  assert.equal(weak?.severity, 'error');
  assert.match(JSON.stringify(weak?.evidence), /TLS_RSA_WITH_NULL_SHA256/);
});

test('GnuTLS: versions, suites and groups as sslscan sees them', {
  skip: skipWithout('gnutls-serv', 'sslscan'),
}, async (t) => {
  const port = await freePort();
  const files = ['--x509certfile', pairs.rsa.cert, '--x509keyfile', pairs.rsa.key];
  const more = ['--x509certfile', pairs.ecdsa.cert, '--x509keyfile', pairs.ecdsa.key];
  const server = await startServer('gnutls-serv', ['--http', '--quiet', '--port', `${port}`, ...files, ...more], {
    isReady: () => acceptsConnections(port),
  });
  t.after(() => server.stop());
  const target = await probeOne(`localhost:${port}`, '--connect', '127.0.0.1', '--ca', pairs.ca);
  await agree(t, target, port);
  assert.deepEqual([target.protocols[0], target.untried], ['TLSv1', []]);
  assert.ok(target.groups.includes('secp521r1'), target.groups.join());
});

test('Go: versions and suites as sslscan sees them', { skip: skipWithout('caddy', 'sslscan') }, async (t) => {
  const port = await freePort();
  const file = join(scratch(t), 'Caddyfile');
  writeFileSync(
    file,
    `{\n admin off\n auto_https off\n}\nhttps://localhost:${port} {\n bind 127.0.0.1\n tls ${pairs.ecdsa.cert} ${pairs.ecdsa.key}\n respond "here"\n}\n`,
  );
  const server = await startServer('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    isReady: () => acceptsConnections(port),
  });
  t.after(() => server.stop());
  const target = await probeOne(`https://localhost:${port}`, '--connect', '127.0.0.1', '--ca', pairs.ca);
  await agree(t, target, port);
  assert.deepEqual([target.alpn, target.untried], [['h2', 'http/1.1'], []]);
  assert.ok(target.groups.includes('x25519'), target.groups.join());
});

test('a stapled OCSP answer is seen in TLS 1.2 and 1.3, and only where there is one', {
  skip: skipWithout('openssl'),
}, async (t) => {
  const directory = scratch(t);
  const at = (name: string): string => join(directory, name);
  const rootKey = join(pairs.directory, 'probe-root.key');
  const { stdout } = openssl(['x509', '-in', pairs.ecdsa.cert, '-noout', '-serial']);
  const serial = stdout.replace(/^serial=|\s/g, '');
  writeFileSync(at('index'), `V\t400101000000Z\t\t${serial}\tunknown\t/CN=ecdsa\n`);
  openssl(['ocsp', '-issuer', pairs.ca, '-cert', pairs.ecdsa.cert, '-reqout', at('request'), '-no_nonce']);
  const by = ['-rsigner', pairs.ca, '-rkey', rootKey, '-CA', pairs.ca, '-index', at('index'), '-ndays', '1'];
  const made = openssl(['ocsp', '-reqin', at('request'), '-respout', at('response'), ...by]);
  assert.equal(made.status, 0, made.stderr);
  const staples = async (...args: readonly string[]): Promise<boolean> => {
    const port = await freePort();
    const files = ['-cert', pairs.ecdsa.cert, '-key', pairs.ecdsa.key, '-www', '-quiet'];
    const server = await startServer('openssl', ['s_server', '-accept', `${port}`, ...files, ...args], {
      isReady: () => acceptsConnections(port),
    });
    t.after(() => server.stop());
    return (await probeOne(`127.0.0.1:${port}`, '--ca', pairs.ca)).ocspStapling;
  };
  const response = ['-status_file', at('response')];
  assert.deepEqual(
    [await staples('-tls1_2', ...response), await staples('-tls1_3', ...response), await staples('-tls1_3')],
    [true, true, false],
  );
});

test('the chain in the order of the wire, and what is negotiated, as openssl s_client has it', {
  skip: skipWithout('nginx', 'openssl'),
}, async (t) => {
  const { site } = await startSites(t, [pairs.ecdsa], { site: INTERMEDIATE });
  const target = await probeOne(`localhost:${site}`, '--connect', '127.0.0.1', '--ca', pairs.ca);
  const { output } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${site}`, '-showcerts']);
  const pem = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(output)?.[0] ?? '';
  const file = join(scratch(t), 'leaf.pem');
  writeFileSync(file, pem);
  const { stdout } = openssl(['x509', '-in', file, '-noout', '-fingerprint', '-sha256', '-serial', '-subject']);
  assert.equal(target.chain[0]?.fingerprint, /=([0-9A-F:]+)/.exec(stdout)?.[1]?.replaceAll(':', '').toLowerCase());
  assert.equal(target.chain[0]?.serial, /serial=([0-9A-F]+)/.exec(stdout)?.[1]?.toLowerCase());
  assert.deepEqual(target.names, ['localhost', 'service.internal', '127.0.0.1', '::1']);
  const negotiated = /Cipher is (\S+)/.exec(output)?.[1];
  assert.ok(
    target.suites.some(({ protocol, name }) => protocol === 'TLSv1.3' && name === negotiated),
    `${negotiated}`,
  );
  assert.equal(target.sessionTickets, true);
});

test('X25519MLKEM768 is seen, and only where it is, whatever this runtime knows', async (t) => {
  const files = { cert: readFileSync(pairs.ecdsa.cert), key: readFileSync(pairs.ecdsa.key) };
  const serve = async (ecdhCurve: string): Promise<ProbedTarget> => {
    const server = await startTcpServer(createTlsServer({ ...files, ecdhCurve }), '127.0.0.1', 0);
    t.after(server.close);
    return probeOne(`127.0.0.1:${server.port}`, '--ca', pairs.ca);
  };
  assert.deepEqual([...(await serve('X25519MLKEM768:SecP256r1MLKEM768:X25519')).groups].sort(), [
    'SecP256r1MLKEM768',
    'X25519MLKEM768',
    'x25519',
  ]);
  assert.deepEqual([...(await serve('P-256')).groups], ['secp256r1']);
});

test('versions, as testssl.sh has them', {
  skip: skipWithout('nginx', 'testssl'),
}, async (t) => {
  const { site } = await startSites(t, [pairs.ecdsa], { site: INTERMEDIATE });
  const target = await probeOne(`https://localhost:${site}`, '--connect', '127.0.0.1', '--ca', pairs.ca);
  const file = join(scratch(t), 'testssl.json');
  const options = ['--quiet', '--color', '0', '--jsonfile', file, '--protocols', '--ip', '127.0.0.1'];
  await run('testssl', [...options, `localhost:${site}`]);
  const rows = JSON.parse(readFileSync(file, 'utf8')) as { id: string; finding: string }[];
  const said = (id: string): string => rows.find((row) => row.id === id)?.finding ?? '';
  const offered = ['SSLv3', 'TLS1', 'TLS1_1', 'TLS1_2', 'TLS1_3'].filter((id) => said(id).startsWith('offered'));
  assert.deepEqual(
    offered.map((id) => id.replace('TLS', 'TLSv').replace('_', '.')),
    target.protocols,
    JSON.stringify(rows.slice(0, 12)),
  );
});
