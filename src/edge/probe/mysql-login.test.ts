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
