import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hex } from '../bytes/hex.ts';
import type { Instant } from '../time/instant.ts';
import { leavesOfOldRoot, type RecordedLeaf } from './leaves-of-old-root.ts';

function leaf(serial: string, issuerKeyId: string, names: readonly string[], profile = 'server'): RecordedLeaf {
  const other = { id: Number(serial), replacesId: null, subject: '', provisioner: 'admin', notAfter: 0 as Instant };
  return { serial, issuerKeyId: issuerKeyId as Hex, names, profile, ...other };
}

const serials = (leaves: readonly RecordedLeaf[]): string[] => leaves.map(({ serial }) => serial);
const isOld = (keyId: Hex): boolean => keyId === 'old';

test('a leaf of the old root is in use until one of the same names and purpose follows it', () => {
  const leaves = [
    leaf('1', 'old', ['a.test', 'b.test']),
    leaf('2', 'old', ['c.test']),
    leaf('3', 'new', ['b.test', 'a.test']),
    leaf('4', 'new', ['c.test'], 'client'),
  ];
  const { inUse, replaced } = leavesOfOldRoot(leaves, isOld);
  assert.deepEqual(serials(inUse), ['2']);
  assert.deepEqual(serials(replaced), ['1']);
});

test('of three hosts that share a name one successor replaces one', () => {
  const leaves = [...['1', '2', '3'].map((serial) => leaf(serial, 'old', ['*.test'])), leaf('4', 'new', ['*.test'])];
  const { inUse, replaced } = leavesOfOldRoot(leaves, isOld);
  assert.deepEqual([inUse.length, replaced.length], [2, 1]);
});

test('a certificate that was renewed is replaced, however often, and its successor stands for no other', () => {
  const leaves = [
    leaf('1', 'old', ['a.test']),
    { ...leaf('2', 'old', ['a.test']), replacesId: 1 },
    { ...leaf('3', 'old', ['a.test']), replacesId: 2 },
    leaf('4', 'old', ['a.test']),
    { ...leaf('5', 'new', ['a.test']), replacesId: 3 },
    { ...leaf('6', 'new', ['a.test']), replacesId: 5 },
  ];
  const { inUse, replaced } = leavesOfOldRoot(leaves, isOld);
  assert.deepEqual(serials(replaced), ['1', '2', '3']);
  assert.deepEqual(serials(inUse), ['4'], 'another host of the same name was not renewed');
});

test('without leaves of the old root nothing stands in the way', () => {
  assert.deepEqual(leavesOfOldRoot([leaf('1', 'new', ['a.test'])], isOld), { inUse: [], replaced: [] });
});
