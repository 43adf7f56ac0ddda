import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHsts } from './hsts.ts';

const READ: readonly (readonly [header: string, maxAge: number, includeSubDomains: boolean, preload: boolean])[] = [
  ['max-age=31536000', 31536000, false, false],
  ['max-age=63072000; includeSubDomains; preload', 63072000, true, true],
  ['Max-Age="31536000" ; INCLUDESUBDOMAINS', 31536000, true, false],
  ['; max-age=0;', 0, false, false],
  ['max-age=1; unknown=x', 1, false, false],
];

for (const [header, maxAge, includeSubDomains, preload] of READ) {
  test(`${header} is read (RFC 6797 §6.1)`, () => {
    assert.deepEqual(parseHsts(header), { maxAge, includeSubDomains, preload });
  });
}

for (const header of [
  '',
  'includeSubDomains',
  'max-age',
  'max-age=',
  'max-age=x',
  'max-age=1; max-age=2',
  'max-age=-1',
  'max-age=1, max-age=2',
])
  test(`${JSON.stringify(header)} is ignored, as browsers do (RFC 6797 §6.1)`, () => {
    assert.equal(parseHsts(header), null);
  });
