import assert from 'node:assert/strict';
import test from 'node:test';
import { makeLeaf, makeRoot } from '../../../test/vectors/made-certificate.ts';
import { type LintedTbs, lintTbs } from './linted-tbs.ts';

const root = makeRoot();
const context = { kind: 'server', issuer: root.certificate } as const;

test('bytes without a finding may be signed, and say what they certify', () => {
  const { certificate } = makeLeaf(root);
  const linted = lintTbs(certificate.tbs, 'ecdsa-p256', context);
  assert.ok('bytes' in linted);
  assert.deepEqual(linted.summary.serial, certificate.serial);
  assert.deepEqual(linted.summary.names, [{ kind: 'dns', value: 'api.internal' }]);
});

test('an error of the linter is no permission; warnings are none the less one', () => {
  const bad = lintTbs(makeLeaf(root, { extensions: { extKeyUsage: null } }).certificate.tbs, 'ecdsa-p256', context);
  assert.deepEqual('errors' in bad && bad.errors.map(({ id }) => id), ['extended-key-usage-missing']);
  const informal = lintTbs(
    makeLeaf(root, { extensions: { subjectKeyIdentifier: null } }).certificate.tbs,
    'ecdsa-p256',
    context,
  );
  assert.ok('bytes' in informal);
});

test('a LintedTbs cannot be written down, only be made by the linter', () => {
  const { certificate } = makeLeaf(root);
  const { serial, subject, validity } = certificate;
  const look = {
    bytes: certificate.tbs,
    keyAlgorithm: 'ecdsa-p256',
    certificate,
    summary: { serial, subject, names: [], validity },
  } as const;
  // @ts-expect-error the brand is missing: this line must not compile
  const forged: LintedTbs = look;
  assert.ok(forged);
});
