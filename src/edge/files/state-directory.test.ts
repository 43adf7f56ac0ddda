import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { mountSmallDisk } from '../../../test/world/small-disk.ts';
import { OperatorFault, type OperatorFaultCode } from '../../core/faults/operator-faults.ts';
import { prepareStateDirectory, refuseExposedSecrets, statePaths } from './state-directory.ts';

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-state-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

/** Whatever the umask of whoever runs the tests. */
function makeDirectory(path: string, mode: number): void {
  mkdirSync(path);
  chmodSync(path, mode);
}

function isFault(code: OperatorFaultCode, words: RegExp): (fault: unknown) => boolean {
  return (fault) => fault instanceof OperatorFault && fault.code === code && words.test(fault.message);
}

/** What lies at the path beforehand; the directory is usable and closed afterwards. */
const ACCEPTED: readonly (readonly [what: string, arrange: (path: string) => void])[] = [
  ['nothing', () => {}],
  ['a directory of our own that is closed', (path) => makeDirectory(path, 0o700)],
  ['an empty directory that others may read: it is closed', (path) => makeDirectory(path, 0o755)],
  ['an empty directory that others may write: it is closed', (path) => makeDirectory(path, 0o777)],
  [
    'a closed directory with the parts in it',
    (path) => {
      makeDirectory(path, 0o700);
      for (const part of ['certs', 'secrets', 'db']) makeDirectory(join(path, part), 0o700);
    },
  ],
  [
    'a link to a directory of our own',
    (path) => {
      makeDirectory(`${path}-elsewhere`, 0o700);
      symlinkSync(`${path}-elsewhere`, path);
    },
  ],
];

for (const [what, arrange] of ACCEPTED) {
  test(`a state directory is made of ${what}`, (t) => {
    const root = join(scratch(t), 'state');
    arrange(root);
    prepareStateDirectory(statePaths(root));
    assert.equal(modeOf(root), 0o700);
    assert.deepEqual(readdirSync(root).sort(), ['certs', 'db', 'secrets']);
    for (const part of readdirSync(root)) assert.equal(modeOf(join(root, part)), 0o700);
    prepareStateDirectory(statePaths(root));
  });
}

test('a state directory is made with the directories above it, which keep the modes they are given', (t) => {
  const root = join(scratch(t), 'a', 'b', 'state');
  prepareStateDirectory(statePaths(root));
  assert.equal(modeOf(root), 0o700);
});

const REFUSED: readonly (readonly [
  what: string,
  code: OperatorFaultCode,
  words: RegExp,
  arrange: (path: string) => void,
])[] = [
  [
    'others may read it and something lies in it',
    'state-exposed',
    /state has mode 755: others may read it/,
    (path) => {
      makeDirectory(path, 0o755);
      writeFileSync(join(path, 'config.json'), '{}');
    },
  ],
  [
    'the group may enter it and something lies in it',
    'state-exposed',
    /state has mode 710/,
    (path) => {
      makeDirectory(path, 0o710);
      mkdirSync(join(path, 'db'));
    },
  ],
  ['it is a file', 'state-unwritable', /EEXIST|not a directory/, (path) => writeFileSync(path, '')],
  [
    'it is a link to nowhere',
    'state-unwritable',
    /state cannot be written \((?:EEXIST|ENOENT)\)/,
    (path) => symlinkSync(`${path}-nowhere`, path),
  ],
  [
    'a part of it is a file',
    'state-unwritable',
    /state\/secrets cannot be written \(EEXIST\)/,
    (path) => {
      makeDirectory(path, 0o700);
      writeFileSync(join(path, 'secrets'), '');
    },
  ],
];

for (const [what, code, words, arrange] of REFUSED) {
  test(`a state directory is refused when ${what}: ${code}, and it is left as it is`, (t) => {
    const root = join(scratch(t), 'state');
    arrange(root);
    const before = existsSync(root) ? [modeOf(root), ...(statSync(root).isDirectory() ? readdirSync(root) : [])] : [];
    assert.throws(() => prepareStateDirectory(statePaths(root)), isFault(code, words));
    if (existsSync(root) && statSync(root).isDirectory()) {
      const after = readdirSync(root).filter((name) => name !== 'certs');
      assert.deepEqual([modeOf(root), ...after], before);
    }
  });
}

test('a directory below a file is refused: state-unwritable', (t) => {
  const file = join(scratch(t), 'file');
  writeFileSync(file, '');
  assert.throws(
    () => prepareStateDirectory(statePaths(join(file, 'state'))),
    isFault('state-unwritable', /cannot be written \(ENOTDIR\)/),
  );
});

test('a disk without room for the directory is full, not unwritable: disk-full', (t) => {
  const disk = mountSmallDisk(t, 'nr_inodes=2');
  if ('skip' in disk) return t.skip(disk.skip);
  writeFileSync(join(disk.path, 'filler'), '');
  assert.throws(() => prepareStateDirectory(statePaths(join(disk.path, 'state'))), isFault('disk-full', /no room/));
});

const NOBODY = 65534;

/** The same as another user; the code that a fault has, or "prepared". */
function prepareAsNobody(t: TestContext, root: string): string {
  const url = new URL('./state-directory.ts', import.meta.url).href;
  const code = `import { prepareStateDirectory, refuseExposedSecrets, statePaths } from ${JSON.stringify(url)};
    const paths = statePaths(${JSON.stringify(root)});
    try { prepareStateDirectory(paths); refuseExposedSecrets(paths); console.log('prepared'); }
    catch (fault) { console.log(fault.code, fault.message); }`;
  const ran = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', code], {
    encoding: 'utf8',
    uid: NOBODY,
    gid: NOBODY,
  });
  if (ran.status !== 0) t.skip('skipped: other users may not read this checkout');
  return ran.stdout;
}

const needsRoot = process.getuid?.() !== 0 && 'skipped: only root can become another user';

test('a directory of another user is refused, and so is one that this user may not make', { skip: needsRoot }, (t) => {
  const directory = scratch(t);
  chmodSync(directory, 0o755);
  const foreign = join(directory, 'foreign');
  makeDirectory(foreign, 0o700);
  const open = join(directory, 'open');
  makeDirectory(open, 0o777);
  const readOnly = join(directory, 'own');
  makeDirectory(readOnly, 0o500);
  chownSync(readOnly, NOBODY, NOBODY);
  const mixed = join(directory, 'mixed');
  makeDirectory(mixed, 0o700);
  makeDirectory(join(mixed, 'secrets'), 0o700);
  chownSync(mixed, NOBODY, NOBODY);
  assert.match(prepareAsNobody(t, foreign), /^state-unwritable .*foreign belongs to another user/);
  assert.match(prepareAsNobody(t, open), /^state-unwritable .*open belongs to another user/);
  assert.match(prepareAsNobody(t, readOnly), /^state-unwritable .*own cannot be written \(EACCES\)/);
  assert.match(prepareAsNobody(t, join(directory, 'new')), /^state-unwritable .*new cannot be written \(EACCES\)/);
  assert.match(prepareAsNobody(t, mixed), /^state-unwritable .*secrets.*\(EACCES\)/);
  assert.equal(modeOf(open), 0o777);
  assert.deepEqual(readdirSync(open), []);
});

for (const [mode, refused] of [
  [0o600, false],
  [0o400, false],
  [0o604, true],
  [0o640, true],
  [0o602, true],
  [0o644, true],
] as const) {
  test(`a secret of mode ${mode.toString(8)} is ${refused ? 'refused: state-exposed, with its name' : 'accepted'}`, (t) => {
    const paths = statePaths(join(scratch(t), 'state'));
    prepareStateDirectory(paths);
    writeFileSync(paths.rootKey, 'key', { mode: 0o600 });
    writeFileSync(paths.intermediateKey, 'key');
    chmodSync(paths.intermediateKey, mode);
    const check = (): void => refuseExposedSecrets(paths);
    if (!refused) check();
    else
      assert.throws(check, (fault) => {
        const named = new RegExp(`secrets/intermediate_ca_key has mode ${mode.toString(8)}: others may read it`);
        return isFault('state-exposed', named)(fault) && (fault as OperatorFault).facts.path === paths.intermediateKey;
      });
  });
}

test('a secret that is a link is judged by the file it leads to', (t) => {
  const directory = scratch(t);
  const paths = statePaths(join(directory, 'state'));
  prepareStateDirectory(paths);
  const elsewhere = join(directory, 'password');
  writeFileSync(elsewhere, 'secret\n', { mode: 0o600 });
  symlinkSync(elsewhere, paths.password);
  refuseExposedSecrets(paths);
  chmodSync(elsewhere, 0o644);
  assert.throws(() => refuseExposedSecrets(paths), isFault('state-exposed', /secrets\/password has mode 644/));
  rmSync(elsewhere);
  refuseExposedSecrets(paths);
});
