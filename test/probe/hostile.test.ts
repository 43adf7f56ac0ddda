/** Servers that mean no good, or cannot do better: a look at them ends, and says what it did not see. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { startTcpServer } from '../world/tcp-server.ts';
import { opensslPairs } from './openssl-pairs.ts';
import { idsOf, type ProbedTarget, probeOne } from './run-probe.ts';

const pairs = opensslPairs();

async function serve(t: TestContext, speak: (socket: Socket) => void): Promise<number> {
  const server = await startTcpServer(createServer(speak), '127.0.0.1', 0);
  t.after(server.close);
  return server.port;
}

/** Ends within this, or hangs. */
const WITHIN_MS = 20_000;

async function bounded(port: number, ...args: readonly string[]): Promise<ProbedTarget> {
  const started = performance.now();
  const target = await probeOne(`127.0.0.1:${port}`, '--ca', pairs.ca, '--timeout', '1', '--rate', '0', ...args);
  assert.ok(performance.now() - started < WITHIN_MS, `${Math.round(performance.now() - started)} ms`);
  return target;
}

/** Writes for ever, as fast as it is taken. */
function forEver(socket: Socket, chunk: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

const record = (type: number, fragment: Buffer): Buffer => {
  const header = Buffer.from([type, 3, 3, 0, 0]);
  header.writeUInt16BE(fragment.byteLength, 3);
  return Buffer.concat([header, fragment]);
};

const packet = (payload: Buffer): Buffer => Buffer.concat([Buffer.of(payload.byteLength, 0, 0, 0), payload]);
/** A greeting of version 10 with the capabilities 0. */
const MYSQL = packet(Buffer.concat([Buffer.from('\n10.11\0'), Buffer.alloc(32)]));
const MYSQL_ERROR = packet(Buffer.concat([Buffer.of(0xff, 0x69, 0x04), Buffer.from('go away'.repeat(30))]));

const MUTE: readonly (readonly [what: string, id: string, speak: (socket: Socket) => void])[] = [
  ['stays silent', 'no-answer', () => {}],
  ['closes at once', 'closed-by-peer', (socket) => socket.destroy()],
  ['sends garbage for ever', 'plaintext-service', (socket) => forEver(socket, Buffer.alloc(16_384, 0x55))],
  ['sends empty records for ever', 'plaintext-service', (socket) => forEver(socket, record(22, Buffer.alloc(0)))],
  [
    'sends a message without an end',
    'plaintext-service',
    (socket) => forEver(socket, record(22, Buffer.from([2, 0xff, 0xff, 0xff, ...randomBytes(64)]))),
  ],
  [
    'drips',
    'no-answer',
    (socket) => {
      // A record of 16 KiB, byte by byte.
      const bytes = [22, 3, 3, 0x40, 0].values();
      const timer = setInterval(() => socket.write(Buffer.of(bytes.next().value ?? 2)), 50);
      socket.on('close', () => clearInterval(timer));
    },
  ],
  [
    'chooses a suite that nobody offered, whatever is offered',
    'handshake-refused',
    (socket) =>
      socket.once('data', () => {
        const hello = Buffer.concat([Buffer.of(3, 3), randomBytes(32), Buffer.of(0, 0x5a, 0x5a, 0)]);
        socket.write(record(22, Buffer.concat([Buffer.of(2, 0, 0, hello.byteLength), hello])));
        socket.write(record(22, Buffer.of(14, 0, 0, 0)));
      }),
  ],
  ['greets as MySQL, and never to the end', 'no-answer', (socket) => socket.write(MYSQL.subarray(0, 12))],
  ['greets as MySQL without TLS for ever', 'tls-off', (socket) => forEver(socket, MYSQL)],
  ['greets as MySQL without TLS, and hears nothing', 'tls-off', (socket) => socket.write(MYSQL)],
  ['turns away as MySQL does, for ever', 'closed-by-peer', (socket) => forEver(socket, MYSQL_ERROR)],
  ['answers as a web server', 'plaintext-service', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
];

for (const [what, id, speak] of MUTE)
  test(`a server that ${what}: ${id}`, async (t) => {
    const target = await bounded(await serve(t, (socket) => void speak(socket.on('error', () => {}))));
    assert.deepEqual([target.reachable, idsOf(target), target.grade], [true, [id], null]);
  });

test('a greeting without an end is not waited for', async (t) => {
  const port = await serve(t, (socket) => forEver(socket, Buffer.from('220-still here\r\n')));
  const target = await bounded(port, '--starttls', 'smtp');
  assert.deepEqual(idsOf(target), ['plaintext-service']);
});

/** Takes whatever is offered first, in every version. */
function agreeable(socket: Socket): void {
  socket.once('data', (hello: Buffer) => {
    const sessionIdLength = hello[43] ?? 0;
    const suite = hello.subarray(46 + sessionIdLength, 48 + sessionIdLength);
    const body = Buffer.concat([hello.subarray(9, 11), randomBytes(32), Buffer.of(0), suite, Buffer.of(0)]);
    const message = (type: number, content: Buffer): Buffer =>
      Buffer.concat([Buffer.of(type, 0, content.byteLength >> 8, content.byteLength & 0xff), content]);
    socket.write(record(22, Buffer.concat([message(2, body), message(14, Buffer.alloc(0))])));
  });
}

test('a server that takes everything is asked no more than so often, and it is said', async (t) => {
  const server = await startTcpServer(
    createServer((socket) => agreeable(socket.on('error', () => {}))),
    '127.0.0.1',
    0,
  );
  t.after(server.close);
  const target = await bounded(server.port);
  assert.match(target.untried.join('; '), /400 connections were made, which is the limit/);
  assert.ok(server.connections().opened < 450, `${server.connections().opened} connections`);
  assert.ok(target.suites.length > 300, `${target.suites.length} suites`);
});

test('a server that takes no hello with more suites than it knows: what a whole handshake shows is told', async (t) => {
  const files = { cert: readFileSync(pairs.ecdsa.cert), key: readFileSync(pairs.ecdsa.key) };
  const tls = await startTcpServer(createTlsServer(files), '127.0.0.1', 0);
  t.after(tls.close);
  const port = await serve(t, (socket) => {
    socket
      .on('error', () => {})
      .once('data', (hello: Buffer) => {
        const isHello = hello[0] === 22;
        const suitesBytes = isHello ? hello.readUInt16BE(44 + (hello[43] ?? 0)) : 0;
        const hasShare = hello.includes(Buffer.from([0x00, 0x33, 0x00, 0x02, 0x00, 0x00]));
        if (!isHello || suitesBytes > 200 || hasShare) {
          socket.destroy();
          return;
        }
        const upstream = connect(tls.port, '127.0.0.1');
        upstream.on('error', () => socket.destroy()).write(hello);
        socket.on('close', () => upstream.destroy());
        socket.pipe(upstream).pipe(socket);
      });
  });
  const target = await bounded(port);
  assert.deepEqual(target.protocols, ['TLSv1.3']);
  assert.deepEqual([target.suites.length, target.trust.ok], [1, true]);
  assert.match(target.untried.join(), /takes no hello but those of a whole handshake/);
});
