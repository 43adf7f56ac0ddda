/** A power cut right after an install must not undo it or leave half of it: every file and every name is synced, in order. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';

const TRACED = join(import.meta.dirname, '..', 'world', 'traced-install.ts');

type Call =
  | { readonly kind: 'said'; readonly what: string }
  | { readonly kind: 'synced'; readonly path: string }
  | { readonly kind: 'made'; readonly path: string }
  | { readonly kind: 'renamed'; readonly from: string; readonly to: string };

test('files are synced before they have their names, names before it is said that they are there', {
  skip: skipWithout('strace'),
}, (t) => {
  const directory = scratch(t);
  const trace = join(directory, 'trace');
  const { status, stderr } = spawnSync(
    'strace',
    [
      '-f',
      '-y',
      '-qq',
      '-s',
      '4096',
      '-e',
      'trace=fsync,mkdir,mkdirat,rename,renameat,renameat2,write',
      '-o',
      trace,
    ].concat([process.execPath, TRACED, directory]),
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  const calls = readFileSync(trace, 'utf8')
    .split('\n')
    .flatMap((line) => callIn(line, directory));
  const begin = calls.findIndex((call) => call.kind === 'said' && call.what === 'begin');
  const ours = calls.slice(begin);
  const renames = ours.flatMap((call, index) => (call.kind === 'renamed' ? [{ ...call, index }] : []));
  assert.deepEqual(
    renames.map(({ to }) => to),
    [
      ...['tls.crt', 'tls.key', 'ca.crt', 'version.json'].map((name) => `pair/versions/.staging-1/${name}`),
      'pair/versions/1',
      'pair/current',
      'pair/tls.key',
      'copies/server.crt',
    ],
  );
  const isSynced = (path: string, from: number, to: number): boolean =>
    ours.slice(from, to).some((call) => call.kind === 'synced' && call.path === path);
  for (const { from, to, index } of renames) {
    // Links have no content of their own; a directory is synced with the names in it.
    const isLink = to === 'pair/current' || to === 'pair/tls.key';
    if (!isLink) assert.ok(isSynced(from, 0, index), `${to} is synced before it has its name`);
    const nextRename = renames.find((other) => other.index > index)?.index ?? ours.length;
    assert.ok(isSynced(dirname(to), index, nextRename), `the name ${to} is synced before anything else happens`);
  }
  // A directory whose name is lost is lost with all that is in it.
  const made = ours.flatMap((call, index) => (call.kind === 'made' ? [{ ...call, index }] : []));
  assert.deepEqual(
    made.map(({ path }) => path),
    ['pair', 'pair/versions', 'pair/versions/.staging-1', 'copies'],
  );
  for (const { path, index } of made) {
    const parent = dirname(path) === '.' ? directory : dirname(path);
    const isRenamed = renames.some(({ from }) => from === path);
    const firstInside = renames.find(({ to }) => to.startsWith(`${path}/`))?.index ?? ours.length;
    assert.ok(isRenamed || isSynced(parent, index, firstInside), `the name ${path} is synced before anything is in it`);
  }
  const [staged, activated] = ['staged', 'activated'].map((what) =>
    ours.findIndex((call) => call.kind === 'said' && call.what === what),
  );
  const indexOf = (path: string): number => renames.find(({ to }) => to === path)?.index ?? -1;
  assert.ok(indexOf('pair/versions/1') < (staged ?? -1) && (staged ?? -1) < indexOf('pair/current'));
  assert.ok(indexOf('copies/server.crt') < (activated ?? -1));
});

function callIn(line: string, directory: string): Call[] {
  const inside = (path: string): string => path.replace(`${directory}/`, '');
  const said = / write\(1<[^>]*>, "(\w+)\\n"/.exec(line)?.[1];
  if (said !== undefined) return [{ kind: 'said', what: said }];
  const synced = / fsync\(\d+<([^>]*)>\) += 0/.exec(line)?.[1];
  if (synced !== undefined) return [{ kind: 'synced', path: inside(synced) }];
  const made = / mkdir(?:at)?\((?:[^"]*, )?"([^"]*)", \d+\) += 0/.exec(line)?.[1];
  if (made !== undefined) return [{ kind: 'made', path: inside(made) }];
  const [, from, to] = / rename(?:at2?)?\([^"]*"([^"]*)", [^"]*"([^"]*)"[^)]*\) += 0/.exec(line) ?? [];
  return from === undefined || to === undefined ? [] : [{ kind: 'renamed', from: inside(from), to: inside(to) }];
}
