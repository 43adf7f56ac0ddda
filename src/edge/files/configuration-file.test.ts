import assert from 'node:assert/strict';
import {
  lchownSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { configurationFiles } from './configuration-file.ts';

const NOBODY = 65_534;
const skip = process.getuid?.() !== 0 && 'skipped: only root can make files of other users';

function linked(t: TestContext): { readonly link: string; readonly target: string } {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [link, target] = [join(directory, 'link'), join(directory, 'target')];
  writeFileSync(target, 'as it was\n', { mode: 0o640 });
  symlinkSync(target, link);
  return { link, target };
}

test('a link of a person’s stays, and what it leads to keeps owner and mode', { skip }, (t) => {
  const { link, target } = linked(t);
  lchownSync(target, NOBODY, NOBODY);
  configurationFiles.write(link, 'new\n', 0o600);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(readFileSync(target, 'utf8'), 'new\n');
  const { mode, uid, gid } = statSync(target);
  assert.deepEqual([mode & 0o777, uid, gid], [0o640, NOBODY, NOBODY]);
});

test('a link that a service’s user has made does not lead us to what that user may not write', { skip }, (t) => {
  const { link, target } = linked(t);
  lchownSync(link, NOBODY, NOBODY);
  assert.throws(
    () => configurationFiles.write(link, 'new\n', 0o600),
    (fault) =>
      fault instanceof OperatorFault && fault.code === 'file-unwritable' && /another user's/.test(fault.message),
  );
  assert.equal(readFileSync(target, 'utf8'), 'as it was\n');
  lchownSync(target, NOBODY, NOBODY);
  configurationFiles.write(link, 'new\n', 0o600);
  assert.equal(readFileSync(target, 'utf8'), 'new\n');
});
