/** A pair on disk and the service that should show it: one cause, whether it shows here or there. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../agent/running-agent.ts';
import { fullchain, scratch } from '../ca/command-line.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { IS_ROOT } from '../services/applied.ts';
import { startNginx } from '../services/start-nginx.ts';
import { freePort } from '../world/free-port.ts';
import {
  assertCause,
  assertHealthy,
  diagnose,
  keyPem,
  leafOf,
  nginxWith,
  pem,
  serverPair,
  tree,
  usageOf,
  writePair,
} from './world.ts';

const skip = skipWithout('nginx');

test('the pair and what is served', { skip, timeout: 60_000 }, async (t) => {
  const directory = scratch(t);
  const { root, intermediate } = tree();
  const ca = join(directory, 'ca.crt');
  writeFileSync(ca, pem(root));
  const [old, renewed] = [leafOf(intermediate, { from: -40, until: -1 }), leafOf(intermediate)];
  const pair = writePair(directory, 'tls', pem(old, intermediate), keyPem(old));
  const ports = await nginxWith(t, { site: { pair } });
  const with_ = ['--ca', ca, '--cert', pair.cert, '--key', pair.key];
  const at = [`https://localhost:${ports.site}`, ...with_];

  await t.test('both are the expired one: one finding, at the file', async () => {
    const { where } = assertCause(await diagnose(at), 'certificate-expired');
    assert.deepEqual(where, { file: pair.cert, line: 1 });
  });
  writePair(directory, 'tls', pem(renewed, intermediate), keyPem(renewed));
  await t.test('renewed and not reloaded: that alone, and what follows from it is evidence', async () => {
    const finding = assertCause(await diagnose(at), 'served-not-installed');
    assert.match(JSON.stringify(finding.evidence), /certificate-expired/);
    assert.match(finding.what, /runs since/);
  });
  await t.test('the files alone: nothing is wrong with them', async () => {
    assertHealthy(await diagnose(with_));
  });
  await t.test('a key of another certificate, and nobody listens: the key is the cause', async () => {
    const other = writePair(directory, 'other', pem(renewed, intermediate), keyPem(old));
    const closed = `https://localhost:${await freePort()}`;
    const { evidence } = assertCause(
      await diagnose([closed, '--ca', ca, '--cert', other.cert, '--key', other.key]),
      'key-mismatch',
    );
    assert.match(JSON.stringify(evidence), /connection-refused/);
  });
  await t.test('a key that others can read', async () => {
    chmodSync(pair.key, 0o644);
    assertCause(await diagnose(with_), 'key-permissions');
    chmodSync(pair.key, 0o600);
  });
  await t.test('one without the other makes no sense', async () => {
    assert.match(await usageOf(['--cert', pair.cert]), /go together/);
  });
});

test('--run-as counts as it is given: beside a master of root too, and for a service of the stack file', {
  skip: skip || (!IS_ROOT && 'skipped: needs root, to look at what others may read'),
  timeout: 60_000,
}, async (t) => {
  const directory = scratch(t);
  const { ca, pair } = serverPair(directory);
  const { site } = await nginxWith(t, { site: { pair } });
  const at = [`https://localhost:${site}`, '--ca', ca, '--cert', pair.cert, '--key', pair.key];
  assertHealthy(await diagnose(at));
  assertHealthy(await diagnose([...at, '--run-as', 'root']));
  const { findings, status } = await diagnose([...at, '--run-as', 'nobody']);
  assert.deepEqual(
    findings.map(({ id, severity }) => [id, severity]),
    [['key-permissions', 'warning']],
  );
  assert.match(findings[0]?.why ?? '', /nginx \(process \d+\), runs as root/);
  assert.equal(status, 0);
  // Where nothing says that root reads it, they are kept out, and that is an error.
  const files = assertCause(await diagnose([...at.slice(1), '--run-as', 'nobody']), 'key-permissions');
  assert.match(files.what, /^nobody cannot/);
  chmodSync(directory, 0o755);
  chmodSync(pair.key, 0o644);
  assert.match(assertCause(await diagnose([...at, '--run-as', 'nobody']), 'key-permissions').what, /Everybody/);
});

test('a service of the stack file by its name', {
  skip: skip || (!IS_ROOT && 'skipped: needs root, to install for another user'),
  timeout: 60_000,
}, async (t) => {
  const nginx = await startNginx(t);
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  writeFileSync(
    file,
    `stack: test
services:
  site: { kind: nginx, names: [localhost], address: "localhost:${nginx.port}", config: ${nginx.config}, upstream: "${nginx.settings.upstream}", command: ${nginx.settings.command}, directory: ${directory}/pair }
`,
  );
  const args = ['--service', 'site', '-f', file, '--state', state];
  assert.equal(fullchain(['apply', '--file', file, '--state', state]).status, 0);
  assertHealthy(await diagnose(args));
  chmodSync(join(directory, 'pair/current/tls.key'), 0o640);
  chmodSync(join(directory, 'pair/current/tls.key'), 0o644);
  assertCause(await diagnose(args), 'key-permissions');
  assert.match(await usageOf(['--service', 'sight', '-f', file]), /it has site/);
  chmodSync(join(directory, 'pair/current/tls.key'), 0o600);
  const named = await diagnose([...args, '--run-as', 'nobody']);
  assert.match(named.findings[0]?.what ?? '', /^nobody cannot/);
  chmodSync(join(directory, 'pair/current/tls.key'), 0o600);

  await t.test('nginx is down, and its configuration is why: its own check names it', async () => {
    process.kill(Number(readFileSync(join(nginx.directory, 'nginx.pid'), 'utf8')), 'SIGTERM');
    await until(async () => !(await acceptsConnections(nginx.port)), 'the end of nginx');
    assertCause(await diagnose(args), 'connection-refused');
    const broken = join(nginx.config, 'broken.conf');
    writeFileSync(broken, 'ssl_protocols TLSv9;\n');
    const finding = assertCause(await diagnose(args), 'config-refused');
    assert.match(finding.what, /TLSv9/);
    assert.match(JSON.stringify(finding.evidence), /connection-refused/);
    assert.match(finding.remedy.command ?? '', /nginx.* -t$/);
    writeFileSync(
      broken,
      `server { listen 127.0.0.1:1 ssl; ssl_certificate /nowhere/tls.crt; ssl_certificate_key /nowhere/tls.key; }\n`,
    );
    assert.match(assertCause(await diagnose(args), 'file-missing').what, /\/nowhere\/tls\.crt/);
  });
});
