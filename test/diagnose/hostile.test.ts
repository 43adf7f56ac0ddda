/** Servers that mean harm, or are badly broken: an answer within bounds, never a crash and never a certain accusation. */
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTcpServer } from '../world/tcp-server.ts';
import { diagnose } from './world.ts';

/** Without end, as fast as it is taken. */
async function flood(socket: Socket, chunk: Buffer): Promise<void> {
  while (!socket.destroyed) {
    if (!socket.write(chunk)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), sleep(500)]);
    await sleep(0);
  }
}

async function drip(socket: Socket, bytes: Buffer): Promise<void> {
  for (let at = 0; !socket.destroyed; at = (at + 1) % bytes.byteLength) {
    socket.write(bytes.subarray(at, at + 1));
    await sleep(50);
  }
}

const RECORD = Buffer.from('160303ffff', 'hex');
/** A ServerHello of TLS 1.2 that promises a certificate, and then says nothing it could mean. */
const HELLO = Buffer.from(`160303002a02000026 0303${'00'.repeat(32)}00 c02f 00`.replaceAll(' ', ''), 'hex');

const BEHAVIOURS: Readonly<Record<string, (socket: Socket) => void>> = {
  'bytes without end': (socket) => void flood(socket, Buffer.alloc(65_536, 0x41)),
  'a line without end': (socket) => void flood(socket, Buffer.from('220-'.repeat(4096))),
  'TLS records without end': (socket) => void flood(socket, Buffer.concat([RECORD, Buffer.alloc(65_535)])),
  'one byte after the other': (socket) => void drip(socket, Buffer.from('HTTP/1.1 200 OK\r\n')),
  'a greeting of MySQL that is cut short': (socket) => void socket.end(Buffer.from('4a0000000a352e35', 'hex')),
  'a ServerHello, and silence': (socket) => void socket.write(HELLO),
  'zeros for everything': (socket) => void socket.on('data', (bytes) => socket.write(Buffer.alloc(bytes.length))),
  'an echo': (socket) => void socket.pipe(socket),
};

test('hostile servers are answered within bounds', { timeout: 120_000 }, async (t) => {
  await Promise.all(
    Object.entries(BEHAVIOURS).map(([what, behave]) =>
      t.test(what, async () => {
        const server = createServer((socket) => {
          socket.on('error', () => {});
          behave(socket);
        });
        const { port, close } = await startTcpServer(server, '127.0.0.1', 0);
        try {
          const began = performance.now();
          const { findings, status, output } = await diagnose([`127.0.0.1:${port}`, '--timeout', '1']);
          assert.ok(performance.now() - began < 40_000, `${what}: ${performance.now() - began} ms`);
          assert.equal(status, 1, output);
          assert.ok(findings.length > 0 && findings.length <= 3, output);
          for (const { what: said } of findings) {
            assert.ok(said.length < 500, said);
            assert.doesNotMatch(said, /[^\x20-\x7e“”’…]/, 'what strangers wrote is printable');
          }
        } finally {
          await close();
        }
      }),
    ),
  );
});
