/** A sweep by finished handshakes beside one by hellos, on servers that count what comes to nothing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type TlsOptions } from 'node:tls';
import { gapWords } from '../../src/core/probe/gap.ts';
import { addSeconds } from '../../src/core/time/instant.ts';
import { groupName } from '../../src/core/tls/named-groups.ts';
import { readFlight } from '../../src/edge/probe/server-flight.ts';
import { handshake } from '../../src/edge/probe/service-handshake.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { quietSweep } from '../../src/flow/probe/quiet-sweep.ts';
import { type Sweep, sweep } from '../../src/flow/probe/sweep.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { opensslPairs } from './openssl-pairs.ts';

const pairs = opensslPairs();

interface Both {
  readonly quiet: Sweep;
  readonly whole: Sweep;
  /** Handshakes of the quiet one that came to nothing. */
  readonly refused: number;
}

async function both(t: TestContext, options: TlsOptions): Promise<Both> {
  const files = { cert: readFileSync(pairs.ecdsa.cert), key: readFileSync(pairs.ecdsa.key) };
  let refused = 0;
  const tls = createServer({ ...files, ...options }).on('tlsClientError', () => refused++);
  const server = await startTcpServer(tls, '127.0.0.1', 0);
  t.after(server.close);
  const where = {
    protocol: 'tls',
    address: { host: '127.0.0.1', port: server.port },
    serverName: 'localhost',
  } as const;
  const until = addSeconds(wallClock(), 60);
  const base = { ...where, anchors: null, exchange: false, timeoutMs: 5000 } as const;
  const quiet = await quietSweep(handshake, { base, may12: true, clock: wallClock, until });
  await sleep(100);
  const counted = refused;
  const ports = { readFlight, clock: wallClock, pause: async () => {} };
  const whole = await sweep(ports, { ...where, timeoutMs: 5000 }, { connections: 400, until });
  return { quiet, whole, refused: counted };
}

const sorted = (codes: readonly number[]): readonly string[] => codes.map(groupName).sort();
const suitesOf = ({ suites }: Sweep): readonly string[] =>
  suites.map(({ version, code }) => `${version} ${code}`).sort();

test('where the client’s order decides, everything is found, and no handshake comes to nothing', async (t) => {
  const { quiet, whole, refused } = await both(t, { honorCipherOrder: false, ecdhCurve: 'P-256:X25519:P-384' });
  assert.equal(refused, 0);
  assert.deepEqual(suitesOf(quiet), suitesOf(whole));
  assert.deepEqual(sorted(quiet.groups), sorted(whole.groups));
  assert.deepEqual([quiet.serverOrder, quiet.versions], [false, whole.versions]);
});

const BY_HAND = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
].join(':');

test('where the server’s decides, what may be behind is said to be untried', async (t) => {
  const { quiet, whole, refused } = await both(t, { honorCipherOrder: true, ciphers: BY_HAND });
  assert.equal(refused, 0);
  assert.equal(quiet.serverOrder, true);
  assert.ok(suitesOf(quiet).length < suitesOf(whole).length);
  assert.match(quiet.gaps.map(gapWords).join('; '), /further suites of TLSv1\.2/);
});

test('OpenSSL 3.5 may hide groups behind better ones, and that is said', async (t) => {
  const { quiet, whole, refused } = await both(t, { ecdhCurve: 'X25519MLKEM768/X25519/P-256' });
  assert.equal(refused, 0);
  assert.deepEqual(sorted(quiet.groups), ['X25519MLKEM768', 'x25519']);
  assert.deepEqual(sorted(whole.groups), ['X25519MLKEM768', 'secp256r1', 'x25519']);
  assert.match(quiet.gaps.map(gapWords).join('; '), /further groups of TLSv1\.3/);
});
