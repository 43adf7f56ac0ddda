/** `cert verify` and `cert lint` where there is nothing to judge: one document all the same, and the exit status of the contract. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { openssl, scratch } from '../ca/command-line.ts';
import { startSites } from '../probe/nginx-sites.ts';
import { opensslPairs } from '../probe/openssl-pairs.ts';
import { skipWithout } from '../servers/available.ts';
import { type Ran, run } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'app', 'cli', 'main.ts');
const pairs = opensslPairs();

function cert(...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, [MAIN, 'cert', ...args, '--state', '/nonexistent/state', '--timeout', '2']);
}

/** Both commands, in JSON and in words. */
async function unjudged(target: string, status: number, id: string, what: RegExp): Promise<void> {
  for (const command of ['verify', 'lint']) {
    const json = await cert(command, target, '--json');
    const document = JSON.parse(json.stdout);
    assert.deepEqual([json.status, document.ok, document.findings.length], [status, false, 1], json.output);
    if (command === 'verify') assert.deepEqual([document.path, document.policies], [[], []]);
    const [finding] = document.findings;
    assert.deepEqual([finding.id, finding.severity], [id, 'error']);
    assert.match(finding.what, what);
    assert.match(finding.remedy.text, /\w.*\.$/);
    assert.doesNotMatch(json.output, /s3cret/);
    const words = await cert(command, target);
    assert.equal(words.status, status);
    assert.match(words.stdout, new RegExp(`^refused: [\\s\\S]*\\(${id}\\)`));
  }
}

test('a server that refuses the handshake was reached: exit 1', { skip: skipWithout('nginx') }, async (t) => {
  const { site } = await startSites(t, [pairs.ecdsa], { site: 'ssl_reject_handshake on;' });
  await unjudged(`127.0.0.1:${site}`, 1, 'handshake-refused', /refused the handshake/);
});

test('a server that closes the connection was reached: exit 1', async (t) => {
  const server = await startTcpServer(
    createServer((socket) => socket.destroy()),
    '127.0.0.1',
    0,
  );
  t.after(server.close);
  await unjudged(`postgres://app:s3cret@127.0.0.1:${server.port}/x`, 1, 'closed-by-peer', /closed|reset/);
});

test('nobody there: exit 3', async () => {
  await unjudged(`127.0.0.1:${await freePort()}`, 3, 'connection-refused', /nothing listens there/);
  await unjudged('nowhere.invalid:443', 3, 'name-not-resolved', /name/);
});

test('wrong usage: exit 2, and one document that has findings too', async () => {
  for (const args of [
    ['verify', 'x.pem', '--nonsense'],
    ['verify'],
    [],
    ['verify', 'x.pem', '--at', 'tomorrow'],
    ['verify', 'x.pem', '--purpose', 'nonsense'],
    ['lint', 'x.pem', '--profile', 'nonsense'],
  ]) {
    const { status, stdout } = await cert(...args, '--json');
    const { ok, error, findings } = JSON.parse(stdout);
    assert.deepEqual([status, ok, error.code, findings], [2, false, 'usage', []], stdout);
    assert.match(error.what, /\w{3}/);
    assert.doesNotMatch(error.what, /^error:|outputHelp/);
  }
});

test('what no client refuses is a warning of lint: exit 0, with what to do', {
  skip: skipWithout('openssl'),
}, async (t) => {
  const at = (name: string): string => join(scratch(t), name);
  const [key, file] = [at('k'), at('c.pem')];
  const made = openssl([
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', file],
    ...['-subj', '/CN=elsewhere.internal', '-days', '30', '-addext', 'subjectAltName=DNS:my_db.internal'],
    ...[
      '-addext',
      'basicConstraints=critical,CA:FALSE',
      '-addext',
      'keyUsage=critical,digitalSignature,keyEncipherment',
    ],
    ...['-addext', 'extendedKeyUsage=serverAuth'],
  ]);
  assert.equal(made.status, 0, made.stderr);
  const { status, stdout } = await cert('lint', file, '--json');
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: { id: string; severity: string }[] };
  assert.deepEqual([status, ok], [0, true], stdout);
  const warned = findings.filter(({ severity }) => severity === 'warning').map(({ id }) => id);
  for (const id of ['dns-name-underscore', 'common-name-not-in-san', 'key-encipherment-without-rsa'])
    assert.ok(warned.includes(id), warned.join());
});
