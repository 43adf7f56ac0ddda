import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { parse } from 'yaml';
import { stackJsonSchema } from '../../src/edge/stack-file/json-schema.ts';
import { formatStackProblems, parseStackFile } from '../../src/edge/stack-file/parse-stack-file.ts';
import { ROOT } from '../house-rules/source-file.ts';
import { BAD_STACK_FILES } from './bad-stack-files.ts';
import { SOME_KINDS } from './some-kinds.ts';

const RUNS = process.env.SLOW === '1' ? 20_000 : 500;

const GOOD = ['examples/aragora.yaml', 'examples/kldload.yaml', 'test/stack-file/contract.yaml'].map((path) =>
  readFileSync(join(ROOT, path), 'utf8'),
);
const TEXTS = [...GOOD, ...BAD_STACK_FILES.map(({ text }) => text).filter((text) => text.length < 5000)];

const accepts = new Ajv2020({ strict: true, strictRequired: false }).compile(stackJsonSchema(SOME_KINDS));

/** What has a meaning in YAML, or in a stack file. */
const PIECES = [
  ...[
    '[',
    ']',
    '{',
    '}',
    ':',
    ': ',
    '-',
    '- ',
    '? ',
    '|',
    '>-',
    '"',
    "'",
    '#',
    ',',
    '\n',
    '\n  ',
    '\t',
    '\r',
    '%',
    '@',
  ],
  ...[
    '&a ',
    '*a',
    '!t ',
    '!!str ',
    '<<: ',
    '---\n',
    '...\n',
    '~',
    'null',
    'true',
    '0640',
    '1e999',
    '.nan',
    '-0',
    '\u0000',
  ],
  ...[
    '__proto__: ',
    'constructor: ',
    'kind: ',
    'names: ',
    'services:\n',
    'issuers: ',
    'clients: ',
    'key: ',
    '\ufeff',
    '\ud800',
  ],
] as const;

const edit = fc.record({
  // Not a double: those are drawn close to 0 mostly.
  at: fc.nat({ max: 9999 }).map((place) => place / 10_000),
  cut: fc.nat({ max: 40 }),
  put: fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 4 }), fc.constant('')),
});

function edited(
  text: string,
  edits: readonly { readonly at: number; readonly cut: number; readonly put: string }[],
): string {
  return edits.reduce((before, { at, cut, put }) => {
    const start = Math.floor(at * before.length);
    return before.slice(0, start) + put + before.slice(start + cut);
  }, text);
}

function check(text: string): void {
  const parsed = parseStackFile(text, '/srv/fullchain.yaml', SOME_KINDS);
  if (parsed.kind === 'stack') {
    assert.ok(accepts(parse(text)), 'the schema refuses what the parser accepts');
    return;
  }
  assert.ok(parsed.problems.length > 0, 'refused without a reason');
  const lines = text.split('\n');
  for (const { line, column, length } of parsed.problems) {
    const source = lines[line - 1];
    assert.ok(source !== undefined, `line ${line} of ${lines.length}`);
    assert.ok(
      column >= 1 && column - 1 + length <= source.length + 1,
      `column ${column}+${length} in ${source.length}`,
    );
  }
  const rendered = formatStackProblems(parsed.problems, text, 'f');
  assert.doesNotMatch(rendered, /[^\P{Cc}\n]/u);
}

test('a mutated stack file gives a stack that the schema accepts, or problems within the text, and never throws', () => {
  const mutated = fc
    .tuple(fc.constantFrom(...TEXTS), fc.array(edit, { maxLength: 4 }))
    .map(([text, edits]) => edited(text, edits));
  fc.assert(fc.property(mutated, check), { numRuns: RUNS });
});

test('so does any text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), check), { numRuns: RUNS });
  const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((parts) => parts.join(''));
  fc.assert(fc.property(pieces, check), { numRuns: RUNS });
});

/** Made to be slow or deep. */
const HEAVY: readonly (readonly [title: string, text: string])[] = [
  ['brackets', '['.repeat(1 << 15)],
  ['dashes', '- '.repeat(1 << 14)],
  ['nested mappings', Array.from({ length: 700 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
  ['equal keys', 'a: 1\n'.repeat(10_000)],
  ['other keys', Array.from({ length: 10_000 }, (_, index) => `a${index}:\n`).join('')],
  ['problems', `stack: s\nservices:\n  a:\n    names: [${'_,'.repeat(20_000)}]\n`],
  ['syntax errors', '- @\n- [\n'.repeat(10_000)],
  ['anchors', '- &a b\n'.repeat(10_000)],
  ['aliases', `- &a b\n${'- *a\n'.repeat(10_000)}`],
];

for (const [title, text] of HEAVY) {
  test(`very many ${title} are refused in bounded time`, { timeout: 20_000 }, () => {
    check(text);
  });
}
