import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { skipWithout } from '../servers/available.ts';
import { run, temporaryDirectory } from '../servers/process.ts';

/** The script is plain JavaScript, as it runs before TypeScript can. */
const script = new URL('../../scripts/setup.mjs', import.meta.url).href;
const { isInstalled } = (await import(script)) as { isInstalled: (root: string, development: boolean) => boolean };

const LOCK = {
  '': { name: 'fullchain' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/a/node_modules/b': { version: '1.0.0', integrity: 'sha512-b' },
  'node_modules/tool': { version: '1.0.0', integrity: 'sha512-tool', dev: true },
  'node_modules/node-plan9': { version: '1.0.0', integrity: 'sha512-p', optional: true, os: ['plan9'] },
};
const { '': _root, 'node_modules/node-plan9': _plan9, ...INSTALLED } = LOCK;
const { 'node_modules/tool': _tool, ...PRODUCTION } = INSTALLED;

interface Case {
  /** What node_modules/.package-lock.json says, as text; null: there is none. */
  readonly record: string | null;
  readonly folders?: readonly string[];
  readonly development?: boolean;
  readonly installed: boolean;
}

const recordOf = (packages: object): string => JSON.stringify({ packages });
const CASES: Readonly<Record<string, Case>> = {
  'everything is there': { record: recordOf(INSTALLED), installed: true },
  'npm was interrupted, so that its record is missing': { record: null, installed: false },
  'the record was cut short': { record: recordOf(INSTALLED).slice(0, 80), installed: false },
  'the lockfile has another version': {
    record: recordOf({ ...INSTALLED, 'node_modules/a': { version: '0.9.0', integrity: 'sha512-old' } }),
    installed: false,
  },
  'a folder was deleted': {
    record: recordOf(INSTALLED),
    folders: ['node_modules/a', 'node_modules/tool'],
    installed: false,
  },
  'development tools are missing': { record: recordOf(PRODUCTION), installed: false },
  'development tools are missing, and not needed': {
    record: recordOf(PRODUCTION),
    development: false,
    installed: true,
  },
};

for (const [title, { record, folders = Object.keys(INSTALLED), development = true, installed }] of Object.entries(
  CASES,
)) {
  test(`setup has ${installed ? 'nothing' : 'something'} to do if ${title}`, () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'package-lock.json'), recordOf(LOCK));
    for (const folder of folders) {
      mkdirSync(join(directory.path, folder), { recursive: true });
      writeFileSync(join(directory.path, folder, 'package.json'), '{}');
    }
    if (record !== null) writeFileSync(join(directory.path, 'node_modules/.package-lock.json'), record);
    assert.equal(isInstalled(directory.path, development), installed);
  });
}

test('setup without a network says that the registry could not be reached, and what to do', {
  skip: skipWithout('npm'),
}, async () => {
  using directory = temporaryDirectory();
  const root = join(import.meta.dirname, '..', '..');
  for (const path of ['scripts', 'bin', 'package.json', 'package-lock.json', '.npmrc']) {
    cpSync(join(root, path), join(directory.path, path), { recursive: true });
  }
  const { status, stdout, output } = await run(process.execPath, ['scripts/start.mjs'], {
    cwd: directory.path,
    env: {
      npm_config_registry: 'http://127.0.0.1:1/',
      npm_config_cache: join(directory.path, 'cache'),
      npm_config_fetch_retries: '0',
    },
  });
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(output, /npm ci failed with status 1\.\n[\s\S]*could not be reached \(ECONNREFUSED\)\.\nNext: npm ping/);
});
