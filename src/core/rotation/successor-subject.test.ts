import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeName, parseName } from '../x509/name.ts';
import { nextGeneration, successorSubject } from './successor-subject.ts';

test('each generation has a name of its own, within the 64 characters of a common name (RFC 5280 appendix A)', () => {
  for (const [before, after] of [
    ['Bakery Root CA', 'Bakery Root CA G2'],
    ['Bakery Root CA G2', 'Bakery Root CA G3'],
    ['Root G9', 'Root G10'],
    ['G2', 'G2 G2'],
    ['x'.repeat(64), `${'x'.repeat(61)} G2`],
  ] as const)
    assert.equal(nextGeneration(before), after);
});

test('organization and country stay; a name that was chosen is taken', () => {
  const subject = { country: 'ES', organization: 'Bakery IA', commonName: 'Bakery IA Internal CA' };
  const before = parseName(encodeName(subject));
  assert.deepEqual(successorSubject(before, null), { ...subject, commonName: 'Bakery IA Internal CA G2' });
  assert.deepEqual(successorSubject(before, 'New'), { ...subject, commonName: 'New' });
});
