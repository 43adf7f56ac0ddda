import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { mysqlPasswordLogin } from './mysql-login.ts';

test('a server that asks for the password itself does not get it: it has proven nothing', async () => {
  const [client, rogue] = duplexPair();
  let heard = '';
  rogue.on('data', (bytes: Buffer) => {
    heard += bytes.toString('latin1');
    // AuthMoreData of caching_sha2_password: full authentication, please.
    rogue.write(Buffer.of(2, 0, 0, 3, 0x01, 0x04));
  });
  const answer = await mysqlPasswordLogin(client, { user: 'app', password: 'hunter2' });
  assert.match(heard, /app/);
  assert.doesNotMatch(heard, /hunter2/);
  assert.match(answer, /of a kind that is not known here/);
});

const OK = Buffer.of(3, 0, 0, 2, 0, 0, 0);
const packets = (...payloads: readonly number[][]): Buffer =>
  Buffer.concat(payloads.map((payload, index) => Buffer.of(payload.length, 0, 0, index + 1, ...payload)));

const ANSWERS: readonly (readonly [what: string, answer: Buffer | null, result: string])[] = [
  ['off', packets([1], [3], [0xfe], [1, 0x30], [0xfe]), 'ok, require_secure_transport=0'],
  ['on', packets([1], [3], [0xfe], [1, 0x31], [0xfe]), 'ok, require_secure_transport=1'],
  ['an error: there is no such setting', packets([0xff, 0xa9, 4]), 'ok'],
  ['another row than asked for', packets([1], [3], [0xfe], [9, 0x30], [0xfe]), 'ok'],
  ['more than any answer is long', Buffer.alloc(20_000, 0xee), 'ok'],
  ['the end', null, 'ok'],
];

for (const [what, answer, result] of ANSWERS)
  test(`whether TLS is insisted on: ${what}`, async () => {
    const [client, server] = duplexPair();
    server.once('data', () => {
      server.write(OK);
      server.once('data', () => (answer === null ? server.end() : server.write(answer)));
    });
    assert.equal(await mysqlPasswordLogin(client, { user: 'app', password: 'a' }), result);
  });
