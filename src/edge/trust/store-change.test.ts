import assert from 'node:assert/strict';
import test from 'node:test';
import { checkStoreName, fingerprintsIn, storeFault } from './store-change.ts';

test('names in stores are plain words; the ending of a file is taken off', () => {
  for (const [text, name] of [
    ['estate', 'estate'],
    ['bakery-ia_2026.1', 'bakery-ia_2026.1'],
    ['estate.crt', 'estate'],
    ['estate.pem', 'estate'],
  ] as const)
    assert.equal(checkStoreName(text), name);
  for (const text of ['', '.hidden', '-n', 'a b', '../up', 'a/b', 'a\u0000', 'x'.repeat(101), '.crt'])
    assert.throws(() => checkStoreName(text), { code: 'usage' }, text);
});

test('a store that may not be written says that root is needed; other faults stay what they are', () => {
  for (const code of ['EACCES', 'EPERM', 'EROFS']) {
    const fault = storeFault(Object.assign(new Error('x'), { code }), '/usr/local/share');
    assert.equal(fault instanceof Error && 'code' in fault && fault.code, 'trust-store-unwritable');
  }
  const other = Object.assign(new Error('x'), { code: 'ENOSPC' });
  assert.equal(storeFault(other, '/x'), other);
});

test('what is not well formed in a bundle is passed over', () => {
  assert.deepEqual(fingerprintsIn('-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\nrubbish'), []);
});
