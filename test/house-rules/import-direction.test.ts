import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importDirection } from './import-direction.ts';
import { readFiles, report } from './source-file.ts';

test('imports in src point left: core ← flow ← edge ← app, and edges do not import each other (B1.1)', () => {
  assert.equal(report(importDirection(readFiles(['src'], (path) => path.endsWith('.ts')))), '');
});

const REFUSED: readonly (readonly [path: string, text: string, what: RegExp])[] = [
  [
    'src/core/acme/a.ts',
    "import { b } from '../../flow/ca/b.ts';",
    /^src\/core\/acme\/a\.ts:1: core imports src\/flow/,
  ],
  ['src/core/acme/a.ts', "import type { B } from '../../edge/http/b.ts';", /core imports src\/edge/],
  ['src/flow/ca/a.ts', "\n\nimport { b } from '../../edge/store/b.ts';", /a\.ts:3: flow imports src\/edge/],
  ['src/edge/http/a.ts', "export { b } from '../../app/cli/b.ts';", /edge imports src\/app/],
  ['src/edge/http/a.ts', "import { type B, b } from '../store/b.ts';", /edge\/http imports edge\/store/],
  ['src/edge/http/a.ts', "await import('../store/b.ts');", /edge\/http imports edge\/store/],
  ['src/app/cli/a.ts', "import { b } from '../../../test/world/b.ts';", /outside the four rings/],
  ['src/tools/a.ts', "import { b } from '../core/b.ts';", /no file lies in src besides/],
];

for (const [path, text, what] of REFUSED) {
  test(`the direction refuses ${text.trim()} in ${path}`, () => {
    assert.match(report(importDirection([{ path, text }])), what);
  });
}

const ACCEPTED: readonly (readonly [path: string, text: string])[] = [
  ['src/flow/ca/a.ts', "import { b } from '../../core/acme/b.ts';"],
  ['src/edge/http/a.ts', "import type { B } from '../store/b.ts';"],
  ['src/edge/http/a.ts', "import { b } from './b.ts';"],
  ['src/edge/http/a.test.ts', "import { b } from '../../../test/world/b.ts';"],
  ['src/app/cli/a.ts', "import { b } from '../../edge/store/b.ts';"],
  ['src/core/acme/a.ts', "// import { b } from '../../flow/ca/b.ts';"],
];

for (const [path, text] of ACCEPTED) {
  test(`the direction accepts ${text} in ${path}`, () => {
    assert.equal(report(importDirection([{ path, text }])), '');
  });
}
