/** Somebody on the way shows a certificate that is not theirs: the chain is right, and what they sign is not. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { scratch } from '../ca/command-line.ts';
import { keyPem, leafOf, opensslServer, pem, tree, writePair } from '../diagnose/world.ts';
import { skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';
import { startTcpServer } from '../world/tcp-server.ts';

const HANDSHAKE = 22;
const SERVER_KEY_EXCHANGE = 12;

/** Between a client and a server of TLS 1.2: the last byte of what the server signs is another one. */
async function forger(t: TestContext, port: number): Promise<number> {
  const server = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', port });
    let held = Buffer.alloc(0);
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      while (held.byteLength >= 5 && held.byteLength >= 5 + held.readUInt16BE(3)) {
        const end = 5 + held.readUInt16BE(3);
        const record = Buffer.from(held.subarray(0, end));
        held = held.subarray(end);
        if (record[0] === HANDSHAKE && record[5] === SERVER_KEY_EXCHANGE) record[end - 1] = (record[end - 1] ?? 0) ^ 1;
        client.write(record);
      }
    });
  });
  const { port: own, close } = await startTcpServer(server, '127.0.0.1', 0);
  t.after(close);
  return own;
}

test('a right chain without the key behind it is trusted by nothing', { skip: skipWithout('openssl') }, async (t) => {
  const directory = scratch(t);
  const { root, intermediate } = tree();
  const leaf = leafOf(intermediate);
  const ca = join(directory, 'ca.crt');
  writeFileSync(ca, pem(root));
  const pair = writePair(directory, 'tls', pem(leaf, intermediate), keyPem(leaf));
  const honest = await opensslServer(t, pair, '-tls1_2');
  const port = await forger(t, honest);
  const ask = (...args: string[]) => run(process.execPath, [LAUNCHER, ...args, '--ca', ca], { withinMs: 60_000 });

  const right = JSON.parse((await ask('probe', '--json', `localhost:${honest}`)).stdout);
  assert.deepEqual([right.ok, right.targets[0].trust.ok], [true, true]);
  const probed = await ask('probe', '--json', `localhost:${port}`);
  const [target] = JSON.parse(probed.stdout).targets;
  assert.equal(probed.status, 1, probed.output);
  assert.equal(target.trust.ok, false);
  assert.match(target.trust.why, /no handshake shows/);
  assert.ok(
    target.findings.some(
      ({ id, severity }: { id: string; severity: string }) => id === 'key-mismatch' && severity === 'error',
    ),
  );

  const verified = await ask('cert', 'verify', `localhost:${port}`);
  assert.notEqual(verified.status, 0, verified.output);
  assert.match(verified.output, /cannot prove that it has the key/);
  assert.equal((await ask('cert', 'verify', `localhost:${honest}`)).status, 0);
  const diagnosed = await ask('diagnose', '--json', `localhost:${port}`);
  assert.equal(diagnosed.status, 1, diagnosed.output);
  assert.match(diagnosed.stdout, /"id":"key-mismatch"/);
});
