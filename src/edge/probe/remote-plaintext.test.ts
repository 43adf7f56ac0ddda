import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { remotePlaintext } from './remote-plaintext.ts';

/** A mail server that takes whoever says something, and where its clients came from. */
async function startServer(t: TestContext, host: string) {
  const from: (string | undefined)[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('* OK ready\r\n');
    socket.on('data', () => {
      from.push(socket.remoteAddress);
      socket.end('a NO [PRIVACYREQUIRED] not without TLS\r\n');
    });
  }).listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return { address: { host, port: (server.address() as AddressInfo).port }, from };
}

const ofThisHost = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ address, internal }) => !internal && isIPv4(address))?.address;

for (const host of ['127.0.0.1', 'localhost', ...(ofThisHost ? [ofThisHost] : [])])
  test(`IMAP at ${host === ofThisHost ? 'an address of this host' : host} is spoken to from another address`, async (t) => {
    const { address, from } = await startServer(t, host === 'localhost' ? '127.0.0.1' : host);
    const { kind } = await remotePlaintext('imap', { ...address, host }, 2000);
    assert.deepEqual([kind, from], ['refused', ['127.0.0.2']]);
  });

test('where there is no other address nothing is said, and it is told', async (t) => {
  const { address, from } = await startServer(t, '::1');
  const { kind, detail } = await remotePlaintext('imap', address, 2000);
  assert.deepEqual([kind, from], ['unknown', []]);
  assert.match(detail, /run verify on another host/);
});

test('a protocol for which it makes no difference is spoken as it comes', async (t) => {
  const { address, from } = await startServer(t, '127.0.0.1');
  await remotePlaintext('smtp', address, 2000);
  assert.deepEqual(from, ['127.0.0.1']);
});
