import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestWord } from './nearest-word.ts';

const KEYS = ['address', 'names', 'key', 'kind', 'tls', 'redirectHttp', 'reload', 'restart', 'passwordFile'];

const NEAR: readonly (readonly [written: string, nearest: string | null])[] = [
  ['adress', 'address'],
  ['addresss', 'address'],
  ['addrses', 'address'],
  ['Address', 'address'],
  ['redirect-http', 'redirectHttp'],
  ['REDIRECT_HTTP', 'redirectHttp'],
  ['knid', 'kind'],
  ['name', 'names'],
  ['keys', 'key'],
  ['restrat', 'restart'],
  ['relaod', 'reload'],
  ['pasword_file', 'passwordFile'],
  ['password', 'passwordFile'],
  ['upstream', null],
  ['', null],
  ['x', null],
  ['port', null],
  ['a'.repeat(65), null],
];

for (const [written, nearest] of NEAR) {
  test(`"${written.slice(0, 20)}" was probably meant as ${nearest ?? 'none of the known words'}`, () => {
    assert.equal(nearestWord(written, KEYS), nearest);
  });
}

test('of equally near words the first is taken, and nothing is near where nothing is known', () => {
  assert.equal(nearestWord('bat', ['cat', 'rat']), 'cat');
  assert.equal(nearestWord('cat', []), null);
});
