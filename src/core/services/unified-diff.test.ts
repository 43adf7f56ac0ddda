import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { skipWithout } from '../../../test/servers/available.ts';
import { temporaryDirectory } from '../../../test/servers/process.ts';
import { unifiedDiff } from './unified-diff.ts';

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('');

const PAIRS: readonly (readonly [title: string, before: string, after: string])[] = [
  ['a line put in', 'a\nb\nc\n', 'a\nb\nx\nc\n'],
  ['a line taken out', 'a\nb\nc\n', 'a\nc\n'],
  ['a line replaced', 'a\nb\nc\n', 'a\nx\nc\n'],
  ['several lines replaced by fewer', numbered(1, 20), `${numbered(1, 8)}x\ny\n${numbered(13, 20)}`],
  ['a new file', '', 'a\nb\n'],
  ['a new file of one line', '', 'a\n'],
  ['a file that goes', 'a\nb\n', ''],
  ['a block at the end', numbered(1, 30), `${numbered(1, 30)}# BEGIN\nssl = on\n# END\n`],
  ['a block at the start', numbered(1, 30), `# BEGIN\nssl = on\n# END\n${numbered(1, 30)}`],
  ['two changes far apart', numbered(1, 40), `x\n${numbered(2, 39)}y\n`],
  [
    'two changes six lines apart share a hunk',
    numbered(1, 20),
    numbered(1, 20).replace('line 5\n', 'x\n').replace('line 12\n', 'y\n'),
  ],
  [
    'two changes seven lines apart do not',
    numbered(1, 20),
    numbered(1, 20).replace('line 5\n', 'x\n').replace('line 13\n', 'y\n'),
  ],
  ['a last line without an ending, before', 'a\nb', 'a\nb\n'],
  ['a last line without an ending, after', 'a\nb\n', 'a\nb'],
  ['a last line without an ending on both sides', 'a\nb', 'a\nc'],
  ['a context line without an ending', 'a\nb', 'x\nb'],
  ['CRLF', 'a\r\nb\r\n', 'a\r\nx\r\nb\r\n'],
  ['one ending changed', 'a\r\nb\n', 'a\nb\n'],
  ['everything', 'a\nb\n', 'c\nd\n'],
];

for (const [title, before, after] of PAIRS) {
  test(`as diff -u shows it: ${title}`, { skip: skipWithout('diff') }, () => {
    using directory = temporaryDirectory();
    const [a, b] = [join(directory.path, 'a'), join(directory.path, 'b')];
    writeFileSync(a, before);
    writeFileSync(b, after);
    const { stdout } = spawnSync('diff', ['-u', '--label', '/etc/x.conf', '--label', '/etc/x.conf', a, b], {
      encoding: 'utf8',
    });
    assert.equal(unifiedDiff(before, after, '/etc/x.conf'), stdout);
  });
}

test('equal texts have no difference', () => {
  assert.equal(unifiedDiff('a\n', 'a\n', 'x'), '');
  assert.equal(unifiedDiff('', '', 'x'), '');
});

test('for any two texts patch(1) makes one of the other, with as few lines as diff --minimal needs', {
  skip: skipWithout('diff', 'patch'),
}, () => {
  using directory = temporaryDirectory();
  const [a, b, patch] = ['a', 'b', 'patch'].map((name) => join(directory.path, name)) as [string, string, string];
  const line = fc.constantFrom('', 'a', 'b', 'c', 'd e');
  const text = fc.tuple(fc.array(line, { maxLength: 30 }), fc.boolean()).map(([lines, ending]) => {
    const joined = lines.join('\n');
    return ending && joined !== '' ? `${joined}\n` : joined;
  });
  const size = (diff: string): number => diff.split('\n').filter((one) => /^[-+](?![-+]{2} )/.test(one)).length;
  fc.assert(
    fc.property(text, text, (before, after) => {
      const diff = unifiedDiff(before, after, 'a');
      writeFileSync(a, before);
      writeFileSync(b, after);
      writeFileSync(patch, diff);
      const minimal = spawnSync('diff', ['-u', '--minimal', '--label', 'a', '--label', 'a', a, b], {
        encoding: 'utf8',
      });
      assert.equal(size(diff), size(minimal.stdout));
      if (diff !== '') spawnSync('patch', ['-s', '--binary', a, patch]);
      assert.equal(after === '' ? '' : readFileSync(a, 'utf8'), after);
    }),
    { numRuns: process.env.SLOW ? 2000 : 60 },
  );
});

test('a thousand and a hundred thousand lines that all differ take no longer than a person waits', () => {
  for (const count of [1000, 100_000]) {
    const before = numbered(1, count);
    const diff = unifiedDiff(before, before.replaceAll('line', 'zeile'), 'x');
    assert.equal(diff.split('\n').length, 2 + 1 + 2 * count + 1);
  }
});
