import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BlockStyle, setMarkedBlock } from './marked-block.ts';

const END: BlockStyle = { place: 'end', comment: '#' };
const START: BlockStyle = { place: 'start', comment: '#' };
const BLOCK = '# BEGIN fullchain db\nssl = on\n# END fullchain db';

const INSERTED: readonly (readonly [title: string, text: string, style: BlockStyle, after: string])[] = [
  ['an empty file is the block', '', END, `${BLOCK}\n`],
  ['at the end', 'a\nb\n', END, `a\nb\n${BLOCK}\n`],
  ['at the start', 'a\nb\n', START, `${BLOCK}\na\nb\n`],
  ['after a last line without an ending, and still none', 'a', END, `a\n${BLOCK}`],
  ['before a file without a last ending', 'a', START, `${BLOCK}\na`],
  ['with CRLF in a file of CRLF', 'a\r\nb\r\n', END, `a\r\nb\r\n${BLOCK.replaceAll('\n', '\r\n')}\r\n`],
  ['with CRLF after a last line without an ending', 'a\r\nb', END, `a\r\nb\r\n${BLOCK.replaceAll('\n', '\r\n')}`],
  ['after blank lines', 'a\n\n\n', END, `a\n\n\n${BLOCK}\n`],
  [
    'beside the block of another service whose name begins alike',
    '# BEGIN fullchain db-2\nx\n# END fullchain db-2\n',
    END,
    `# BEGIN fullchain db-2\nx\n# END fullchain db-2\n${BLOCK}\n`,
  ],
  ['in a file of semicolons', 'a\n', { place: 'end', comment: ';' }, `a\n${BLOCK.replaceAll('#', ';')}\n`],
];

for (const [title, text, style, after] of INSERTED) {
  test(`a block is inserted ${title}, twice is once, and taken out again the file is as it was`, () => {
    assert.equal(setMarkedBlock(text, 'db', ['ssl = on'], style), after);
    assert.equal(setMarkedBlock(after, 'db', ['ssl = on'], style), after);
    assert.equal(setMarkedBlock(after, 'db', null, style), text);
  });
}

const SET: readonly (readonly [title: string, text: string, lines: readonly string[] | null, after: string])[] = [
  [
    'an existing block stays where it is',
    `a\n${BLOCK}\nb\n`,
    ['x'],
    'a\n# BEGIN fullchain db\nx\n# END fullchain db\nb\n',
  ],
  ['a block may be empty', 'a\n', [], 'a\n# BEGIN fullchain db\n# END fullchain db\n'],
  ['what is not there is not taken out', 'a\nb', null, 'a\nb'],
  ['markers that an editor trimmed or padded are markers', `a\n${BLOCK}  \nb\n`, null, 'a\nb\n'],
  ['a file that is the block alone becomes empty', `${BLOCK}\n`, null, ''],
  ['without a last ending too', BLOCK, null, ''],
  ['a beginning without an end is a comment', '# BEGIN fullchain db\nmine\n', null, '# BEGIN fullchain db\nmine\n'],
  ['an end without a beginning is a comment', '# END fullchain db\nmine\n', null, '# END fullchain db\nmine\n'],
  [
    'of two beginnings the nearer one counts',
    `# BEGIN fullchain db\nmine\n${BLOCK}\n`,
    null,
    '# BEGIN fullchain db\nmine\n',
  ],
  [
    'a copy of the block goes',
    `${BLOCK}\nmine\n${BLOCK}\n`,
    ['x'],
    '# BEGIN fullchain db\nx\n# END fullchain db\nmine\n',
  ],
  ['all copies go', `a\n${BLOCK}\nmine\n${BLOCK}`, null, 'a\nmine'],
  ['a marker inside a line is no marker', `echo ${BLOCK}\n`, null, `echo ${BLOCK}\n`],
];

for (const [title, text, lines, after] of SET) {
  test(title, () => {
    assert.equal(setMarkedBlock(text, 'db', lines, END), after);
  });
}

test('for any text and any lines: in and out gives the same bytes, in twice is in once, replacing leaves the rest', () => {
  const line = fc.constantFrom(
    '',
    'a',
    'port 6379',
    '# comment',
    '\t',
    'a\r',
    '# BEGIN fullchain db-2',
    '# END fullchain d',
  );
  const text = fc
    .tuple(fc.array(line), fc.constantFrom('', '\n', '\r\n'))
    .map(([lines, last]) => lines.join('\n') + last);
  const style = fc.record({
    place: fc.constantFrom('start' as const, 'end' as const),
    comment: fc.constantFrom('#', ';'),
  });
  const lines = fc.array(fc.constantFrom('x', 'ssl = on', '', '# c'));
  fc.assert(
    fc.property(text, lines, lines, style, (before, one, two, how) => {
      const inserted = setMarkedBlock(before, 'db', one, how);
      assert.equal(setMarkedBlock(inserted, 'db', one, how), inserted);
      assert.equal(setMarkedBlock(inserted, 'db', null, how), before);
      assert.equal(setMarkedBlock(inserted, 'db', two, how), setMarkedBlock(before, 'db', two, how));
    }),
    { numRuns: process.env.SLOW ? 20_000 : 500 },
  );
});
