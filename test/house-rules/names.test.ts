import assert from 'node:assert/strict';
import { test } from 'node:test';
import { names } from './names.ts';
import { readFiles, report } from './source-file.ts';

test('no file is a barrel or a drawer (B2.2, B2.4)', () => {
  assert.equal(
    report(names(readFiles(['src', 'test', 'bench', 'web', 'scripts', 'bin'], (path) => /\.m?[jt]sx?$/.test(path)))),
    '',
  );
});

for (const path of [
  'src/core/acme/index.ts',
  'src/core/utils/a.ts',
  'src/core/helpers.ts',
  'src/edge/string-utils.ts',
  'src/edge/http/types.ts',
  'src/flow/common/a.ts',
  'test/shared.test.ts',
  'scripts/lib/a.mjs',
]) {
  test(`the names refuse ${path}`, () => {
    assert.match(report(names([{ path }])), /:1: .*\(B2\.[24]\)$/);
  });
}

for (const path of ['src/core/x509/common-name.ts', 'src/core/acme/order.ts', 'src/edge/library.ts']) {
  test(`the names accept ${path}`, () => {
    assert.equal(report(names([{ path }])), '');
  });
}
