/** Servers that have nothing for the name that is asked for, each in its own words or without any; and names of which one address is ill. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { diagnosePorts } from '../../src/app/programs/diagnose-world.ts';
import { clientLimits } from '../../src/core/diagnosis/client-limits.ts';
import { parseTarget } from '../../src/core/probe/target.ts';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { diagnoseEndpoint } from '../../src/flow/diagnose/diagnose-endpoint.ts';
import { scratch } from '../ca/command-line.ts';
import { idsOf, probeOne } from '../probe/run-probe.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { startServer } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { assertCause, assertHealthy, diagnose, keyPem, leafOf, nginxWith, pem, serverPair, tree } from './world.ts';

test('Caddy, which has no certificate for the name', { skip: skipWithout('caddy') }, async (t) => {
  const directory = scratch(t);
  const { ca, pair } = serverPair(directory);
  const port = await freePort();
  const file = join(directory, 'Caddyfile');
  writeFileSync(
    file,
    `{\n admin off\n auto_https off\n}\nlocalhost:${port} {\n bind 127.0.0.1\n tls ${pair.cert} ${pair.key}\n respond "hi"\n}\n`,
  );
  const server = await startServer('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    isReady: () => acceptsConnections(port),
  });
  t.after(() => server.stop());
  const at = (name: string): string[] => [`https://${name}:${port}`, '--ca', ca, '--connect', '127.0.0.1'];
  assertHealthy(await diagnose(at('localhost')));
  const answer = await diagnose(at('other.internal'));
  assert.equal(assertCause(answer, 'name-mismatch').confidence, 'likely');
  assert.deepEqual(
    answer.findings.map(({ id, confidence }) => [id, confidence]),
    [
      ['name-mismatch', 'likely'],
      ['handshake-refused', 'possible'],
    ],
  );
  // To a probe it is no server in order, although it answers hellos.
  assert.deepEqual(idsOf(await probeOne(...at('localhost'))), ['hsts-missing']);
  const probed = await probeOne(...at('other.internal'));
  assert.deepEqual([idsOf(probed), probed.grade, probed.trust.ok], [['handshake-refused'], null, false]);
});

test('nginx, which says so', { skip: skipWithout('nginx') }, async (t) => {
  const { ca, pair } = serverPair(scratch(t));
  const { port } = await nginxWith(t, { port: { pair, lines: 'ssl_reject_handshake on;' } });
  assertCause(
    await diagnose([`https://other.internal:${port}`, '--ca', ca, '--connect', '127.0.0.1']),
    'name-mismatch',
  );
});

test('Node.js, which closes without a word: the name makes the difference, or nothing does', async (t) => {
  const { intermediate } = tree();
  const leaf = leafOf(intermediate);
  const context = createSecureContext({ key: keyPem(leaf), cert: pem(leaf, intermediate) });
  const picky = createHttpsServer({
    SNICallback: (name, done) => (name === 'right.internal' ? done(null, context) : done(new Error('no such name'))),
  });
  picky.on('tlsClientError', () => {});
  const { port, close } = await startTcpServer(picky, '127.0.0.1', 0);
  t.after(close);
  const finding = assertCause(await diagnose([`https://localhost:${port}`]), 'name-mismatch');
  assert.match(finding.what, /closes every connection that asks for localhost/);
  // By address no name is asked for, and what is wrong is something else.
  const unnamed = await diagnose([`https://127.0.0.1:${port}`]);
  assert.ok(!unnamed.findings.some(({ id }) => id === 'name-mismatch'), unnamed.output);
});

test('of a name with several addresses, what is wrong at one of them only is said with its address', async (t) => {
  const { root, intermediate } = tree();
  const servers = { '127.0.0.1': leafOf(intermediate), '127.0.0.2': leafOf(intermediate, { from: -40, until: -1 }) };
  const port = await freePort();
  for (const [address, leaf] of Object.entries(servers)) {
    const answer: RequestListener = (_request, response) => void response.setHeader('connection', 'close').end();
    const server = createHttpsServer({ key: keyPem(leaf), cert: pem(leaf, intermediate) }, answer);
    t.after((await startTcpServer(server, address, port)).close);
  }
  const limits = clientLimits({});
  const parsed = parseTarget(`https://localhost:${port}`, null);
  assert.ok(!('why' in limits) && 'target' in parsed);
  const { target } = parsed;
  const look = (...hosts: readonly string[]) =>
    diagnoseEndpoint(
      diagnosePorts(5000),
      target,
      hosts.map((host) => ({ host, port })),
      {
        client: null,
        clientChain: [],
        limits,
        password: null,
        timeoutMs: 5000,
        trust: { anchors: [parseCertificate(root.der)], known: [], retired: [] },
      },
    );
  const whole = await look('127.0.0.1', '127.0.0.2', '127.0.0.3');
  assert.equal(whole.address, '127.0.0.1');
  assert.deepEqual(
    whole.findings.map(({ id, evidence }) => [id, evidence.address]),
    [['certificate-expired', '127.0.0.2']],
  );
  assert.match(whole.findings[0]?.what ?? '', /^At 127\.0\.0\.2: /);
  // Ill everywhere: once, without an address.
  const [ill, ...more] = (await look('127.0.0.2', '127.0.0.2')).findings;
  assert.deepEqual([ill?.id, ill?.evidence.address, more], ['certificate-expired', undefined, []]);
  assert.deepEqual((await look('127.0.0.3', '127.0.0.1')).findings, []);
});
