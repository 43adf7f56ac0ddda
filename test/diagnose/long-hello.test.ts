/** A box before a server that expects a ClientHello in one piece, as some firewalls and old servers do: today's clients fail, older ones go on. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { scratch } from '../ca/command-line.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { assertCause, assertHealthy, diagnose, nodeServer, serverPair } from './world.ts';

/** What Ethernet carries at once. */
const SEGMENT = 1400;

async function boxBefore(t: TestContext, port: number, onLong: (socket: Socket) => void): Promise<number> {
  const box = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (hello) => {
      if (hello.length > SEGMENT) {
        onLong(socket);
        return;
      }
      const server = connect(port, '127.0.0.1');
      server.on('error', () => socket.destroy());
      socket.on('close', () => server.destroy());
      server.write(hello);
      socket.pipe(server).pipe(socket);
    });
  });
  const started = await startTcpServer(box, '127.0.0.1', 0);
  t.after(started.close);
  return started.port;
}

test('long first messages are closed upon, or met with silence: both are told from a server that closes', async (t) => {
  const { ca, pair } = serverPair(scratch(t));
  const port = await nodeServer(t, { cert: readFileSync(pair.cert), key: readFileSync(pair.key) });
  const at = (where: number): string[] => [
    `localhost:${where}`,
    '--ca',
    ca,
    '--connect',
    '127.0.0.1',
    '--timeout',
    '3',
  ];
  assertHealthy(await diagnose(at(port)));
  for (const onLong of [(socket: Socket) => socket.resetAndDestroy(), (socket: Socket) => socket.resume()]) {
    const box = await boxBefore(t, port, onLong);
    const finding = assertCause(await diagnose(at(box)), 'closed-by-peer');
    assert.match(finding.what, /takes the short first message/);
    // Who leaves the long key out is not hindered.
    assertHealthy(await diagnose([...at(box), '--groups', 'x25519:secp256r1']));
  }
  const closing = await boxBefore(t, port, (socket) => socket.destroy());
  const nothing = await startTcpServer(
    createServer((socket) => void socket.on('error', () => {}).destroy()),
    '127.0.0.1',
    0,
  );
  t.after(nothing.close);
  assertCause(await diagnose(at(closing)), 'closed-by-peer');
  assert.doesNotMatch(assertCause(await diagnose(at(nothing.port)), 'closed-by-peer').what, /first message/);
});
