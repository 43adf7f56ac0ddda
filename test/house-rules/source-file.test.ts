import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, importsOf } from './source-file.ts';

const CODE: readonly (readonly [title: string, text: string, code: string])[] = [
  ['a line comment', 'a; // fetch(x)\nb', 'a;            \nb'],
  ['a block comment keeps its lines', 'a /* x\ny */ b', 'a     \n     b'],
  ['a text keeps its quotes', "f('Date.now()')", "f('          ')"],
  ['an escaped quote does not end a text', "f('\\'') + g", "f('  ') + g"],
  ['what looks like a comment inside a text is text', "f('// x') + g", "f('    ') + g"],
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are pieces of source code
  ['code inside a template is code', '`a ${f(`b ${g}`)} c` + h', '`  ${f(`  ${g}`)}  ` + h'],
  ['an object inside a template is code', '`${f({ a: `x` })} c`', '`${f({ a: ` ` })}  `'],
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above
  ['a pattern with quotes', 'x.replace(/[\'"/]/g, y)', 'x.replace(          , y)'.replace('          ', ' '.repeat(8))],
  ['a division is no pattern', 'a / b; c / d', 'a / b; c / d'],
];

for (const [title, text, code] of CODE) {
  test(`code without its texts: ${title}`, () => {
    assert.equal(codeOf({ path: 'x.ts', text }), code);
  });
}

test('imports are found with their names, their kind and their line', () => {
  const text = [
    "import type { A } from './a.ts';",
    "import { b, type B, c as d } from './b.ts';",
    'import {',
    '  e,',
    "} from './e.ts';",
    "import './f.ts';",
    "export { g } from './g.ts';",
    "export type { H } from './h.ts';",
    "const i = await import('./i.ts');",
    "// import { j } from './j.ts';",
    "import k from 'k';",
  ].join('\n');
  assert.deepEqual(
    importsOf({ path: 'x.ts', text })
      .map(({ specifier, isType, names, line }) => [line, specifier, isType, names.join()])
      .sort(([a], [b]) => Number(a) - Number(b)),
    [
      [1, './a.ts', true, 'A'],
      [2, './b.ts', false, 'b,B,c'],
      [3, './e.ts', false, 'e'],
      [6, './f.ts', false, ''],
      [7, './g.ts', false, 'g'],
      [8, './h.ts', true, 'H'],
      [9, './i.ts', false, ''],
      [11, 'k', false, ''],
    ],
  );
});
