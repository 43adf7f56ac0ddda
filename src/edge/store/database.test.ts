import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { skipWithout } from '../../../test/servers/available.ts';
import { mountSmallDisk } from '../../../test/world/small-disk.ts';
import { StoreFault } from '../../flow/ca/store-ports.ts';
import { type Database, openDatabase, SchemaTooNew } from './database.ts';
import { MIGRATIONS } from './schema.ts';

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-database-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function opened(t: TestContext, path = join(scratch(t), 'records.db')): Database & { readonly path: string } {
  const db = openDatabase(path);
  t.after(db.close);
  return { ...db, path };
}

/** A table that takes anything, the same row twice included. */
function insert(db: Database, name: string, id = 0): Promise<void> {
  const statement = db.prepare('INSERT INTO certificate_name (name, certificate_id) VALUES (?, ?)');
  return db.write(() => void statement.run(name, id));
}

function names(db: Pick<Database, 'prepare'> | DatabaseSync): unknown[] {
  return db
    .prepare('SELECT name FROM certificate_name ORDER BY rowid')
    .all()
    .map(({ name }) => name);
}

function isFault(code: StoreFault['code']): (fault: unknown) => boolean {
  return (fault) => fault instanceof StoreFault && fault.code === code;
}

test('the journal is a write-ahead log that SQLite syncs at its checkpoints: journal_mode WAL, synchronous NORMAL', (t) => {
  const db = opened(t);
  const pragma = (name: string): unknown => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  assert.equal(pragma('journal_mode'), 'wal');
  assert.equal(pragma('synchronous'), 1);
  assert.equal(pragma('user_version'), MIGRATIONS.length);
});

test('a promise resolves only after the commit: another connection sees the row then', async (t) => {
  const db = opened(t);
  const other = new DatabaseSync(db.path);
  t.after(() => other.close());
  for (let round = 0; round < 20; round++) {
    const name = `n${round}.test`;
    const written = insert(db, name);
    assert.ok(!names(other).includes(name), 'nothing is written within the call');
    await written;
    assert.equal(names(other).at(-1), name);
  }
});

test('the jobs of one turn are committed together: nobody ever sees a part of them', async (t) => {
  const db = opened(t);
  const other = new DatabaseSync(db.path);
  t.after(() => other.close());
  const seen = new Set<number>();
  const writes = Array.from({ length: 100 }, (_, id) =>
    insert(db, 'a.test', id).then(() => seen.add(names(other).length)),
  );
  await Promise.all(writes);
  assert.deepEqual([...seen], [100]);
});

test('a job that fails in a group fails alone, with its own error; its effects are undone and the others’ are kept', async (t) => {
  const db = opened(t);
  const statement = db.prepare('INSERT INTO certificate_name (name, certificate_id) VALUES (?, 0)');
  const results = await Promise.allSettled([
    insert(db, 'before.test'),
    db.write(() => {
      statement.run('half.test');
      throw new RangeError('this one');
    }),
    insert(db, 'after.test'),
    db.write(() => db.prepare('INSERT INTO certificate_name (name, certificate_id) VALUES (NULL, 0)').run()),
  ]);
  assert.deepEqual(
    results.map((result) => (result.status === 'rejected' ? result.reason.name : 'kept')),
    ['kept', 'RangeError', 'kept', 'StoreFault'],
  );
  assert.deepEqual(names(db), ['before.test', 'after.test']);
});

test('a write that is under way when the database is closed is kept and answered, however busy the thread pool is', async (t) => {
  const db = opened(t);
  await insert(db, 'first.test');
  const busy = Array.from(
    { length: 4 },
    () => new Promise((resolve) => pbkdf2('password', 'salt', 200_000, 32, 'sha256', resolve)),
  );
  const written = [insert(db, 'flushed.test')];
  await new Promise(setImmediate);
  written.push(insert(db, 'queued.test'));
  db.close();
  await Promise.all(written);
  const other = new DatabaseSync(db.path);
  t.after(() => other.close());
  assert.deepEqual(names(other), ['first.test', 'flushed.test', 'queued.test']);
  await Promise.all(busy);
});

test('a write to a closed database is refused, and does not hang', async (t) => {
  const db = opened(t);
  db.close();
  await assert.rejects(
    db.write(() => 'late'),
    isFault('database-failed'),
  );
  db.close();
});

test('when another process holds the database, a whole group waits for it once and fails together', async (t) => {
  const db = opened(t);
  const other = new DatabaseSync(db.path);
  t.after(() => other.close());
  // As short as it can be told to be; the real one is five seconds.
  db.prepare('PRAGMA busy_timeout = 200').get();
  other.exec('BEGIN IMMEDIATE');
  const since = performance.now();
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, id) => insert(db, 'a.test', id)));
  const waited = performance.now() - since;
  assert.ok(results.every((result) => result.status === 'rejected' && isFault('database-locked')(result.reason)));
  assert.ok(waited < 1000, `${waited} ms for twenty jobs`);
  other.exec('ROLLBACK');
  await insert(db, 'a.test');
});

test('eight processes that open a new database at once all find it complete', async (t) => {
  const path = join(scratch(t), 'records.db');
  const url = new URL('./database.ts', import.meta.url).href;
  const code = `import { openDatabase } from ${JSON.stringify(url)};
    const db = openDatabase(${JSON.stringify(path)});
    await db.write(() => db.prepare('INSERT INTO certificate_name (name, certificate_id) VALUES (?, 0)').run('a.test'));
    db.close();`;
  const all = spawnSync(
    '/bin/sh',
    [
      '-c',
      'for i in 1 2 3 4 5 6 7 8; do "$0" --input-type=module-typescript -e "$1" & done; wait',
      process.execPath,
      code,
    ],
    { encoding: 'utf8' },
  );
  assert.equal(all.stderr, '');
  const db = opened(t, path);
  assert.equal(names(db).length, 8);
});

const TRACED = new URL('../../../test/world/traced-writes.ts', import.meta.url).pathname;

/** One thread in the pool, so that strace counts the syncs of the log in the order of their making. */
function traced(t: TestContext, count: number, how: 'together' | 'apart', inject: readonly string[] = []) {
  const directory = scratch(t);
  const trace = join(directory, 'trace');
  const { stdout, stderr, status } = spawnSync(
    'strace',
    [
      ...['-f', '-qq', '-e', 'trace=fdatasync,pwrite64,write', ...inject, '-o', trace],
      ...[process.execPath, TRACED, join(directory, 'records.db'), String(count), how],
    ],
    { encoding: 'utf8', env: { ...process.env, UV_THREADPOOL_SIZE: '1' } },
  );
  assert.equal(status, 0, stderr);
  const lines = readFileSync(trace, 'utf8').split('\n');
  const [begin, end] = ['begin', 'end'].map((mark) =>
    lines.findIndex((line) => line.includes(`write(1, "${mark}\\n"`)),
  );
  const calls = lines.slice(begin, end).map((line) => {
    if (/ fdatasync\(\d+\) += 0| fdatasync resumed>\) += 0/.test(line)) return 'synced';
    const printed = / write\(1, "(\d+)\\n"/.exec(line)?.[1];
    if (printed !== undefined) return 'answered';
    return line.includes(' pwrite64(') ? 'written' : null;
  });
  return { stdout, calls: calls.filter((call) => call !== null) };
}

const needsStrace = skipWithout('strace');

test('a write is answered after its record was written and synced to disk, never before', {
  skip: needsStrace,
}, (t) => {
  const { calls } = traced(t, 5, 'apart');
  const order = calls.filter((call, index) => call !== calls[index - 1]);
  assert.deepEqual(order, Array(5).fill(['written', 'synced', 'answered']).flat());
});

test('two hundred writes of one turn share one sync', { skip: needsStrace }, (t) => {
  const { calls } = traced(t, 200, 'together');
  assert.equal(calls.filter((call) => call === 'synced').length, 1);
  assert.equal(calls.filter((call) => call === 'answered').length, 200);
  assert.ok(calls.lastIndexOf('written') < calls.indexOf('synced'));
  assert.ok(calls.indexOf('synced') < calls.indexOf('answered'));
});

for (const [error, code] of [
  ['EIO', 'database-failed'],
  ['ENOSPC', 'disk-full'],
] as const) {
  test(`after one sync that failed with ${error} nothing is promised any more, although later syncs would succeed`, {
    skip: needsStrace,
  }, (t) => {
    // The first sync is that of the first row; the third write's fails.
    const { stdout } = traced(t, 5, 'apart', ['-e', `inject=fdatasync:error=${error}:when=4`]);
    assert.deepEqual(stdout.trim().split('\n'), ['begin', '1', '2', `3 ${code}`, `4 ${code}`, `5 ${code}`, 'end']);
  });
}

test('a database of a newer program is refused by its number, and no byte of it changes', (t) => {
  for (const mode of ['wal', 'delete']) {
    const directory = scratch(t);
    const path = join(directory, 'records.db');
    openDatabase(path).close();
    const newer = new DatabaseSync(path);
    newer.exec(`PRAGMA journal_mode = ${mode}; PRAGMA user_version = 999`);
    newer.close();
    const before = readFileSync(path);
    assert.throws(
      () => openDatabase(path),
      (fault) => fault instanceof SchemaTooNew && fault.found === 999 && fault.supported === MIGRATIONS.length,
    );
    assert.deepEqual(readFileSync(path), before, mode);
    assert.deepEqual(readdirSync(directory), ['records.db']);
  }
});

test('a database of the first schema is brought to the newest, and its rows are kept', async (t) => {
  const path = join(scratch(t), 'records.db');
  const old = new DatabaseSync(path);
  old.exec(`${MIGRATIONS[0]} PRAGMA user_version = 1`);
  old.exec("INSERT INTO certificate_name (name, certificate_id) VALUES ('old.test', 1)");
  old.close();
  const db = opened(t, path);
  assert.deepEqual(names(db), ['old.test']);
  assert.equal(db.prepare('PRAGMA user_version').get()?.user_version, MIGRATIONS.length);
});

/** A database of some hundred pages, closed. */
async function filled(t: TestContext): Promise<string> {
  const path = join(scratch(t), 'records.db');
  const db = openDatabase(path);
  await Promise.all(Array.from({ length: 5000 }, (_, id) => insert(db, `${id}.${'x'.repeat(60)}.test`, id)));
  db.close();
  return path;
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, bytes, 0, bytes.byteLength, offset);
  closeSync(descriptor);
}

/** One row a way to be damaged; each is seen at the opening or at the first reading of what is damaged. */
const DAMAGES: readonly (readonly [what: string, damage: (path: string) => void])[] = [
  ['random bytes', (path) => writeFileSync(path, Buffer.alloc(65_536, 0xa7))],
  ['text', (path) => writeFileSync(path, 'this is no database\n')],
  ['another magic', (path) => overwrite(path, 0, Buffer.from('SQLite format 4\0'))],
  ['a page of zeros amid the rows', (path) => zeroPages(path, 40, 80)],
  ['a schema of zeros', (path) => overwrite(path, 100, Buffer.alloc(3996))],
  ['the end cut off', (path) => truncateSync(path, 40 * 4096)],
];

function zeroPages(path: string, from: number, to: number): void {
  overwrite(path, from * 4096, Buffer.alloc((to - from) * 4096));
}

for (const [what, damage] of DAMAGES) {
  test(`a damaged database is called damaged: ${what}`, async (t) => {
    const path = await filled(t);
    assert.ok(statSync(path).size > 100 * 4096);
    damage(path);
    await assert.rejects(async () => {
      const db = opened(t, path);
      await db.read(() => db.prepare('SELECT count(*), max(name) FROM certificate_name').get());
      await db.read(() => db.prepare('SELECT * FROM certificate_name').all());
    }, isFault('database-damaged'));
  });
}

test('an empty file is a new database', async (t) => {
  const path = join(scratch(t), 'records.db');
  writeFileSync(path, '');
  const db = opened(t, path);
  await insert(db, 'a.test');
  assert.deepEqual(names(db), ['a.test']);
});

/** Writes groups of ten until one of them is refused; says how many rows were promised. */
async function writeUntilFull(db: Database): Promise<number> {
  let promised = 0;
  for (let group = 0; group < 2000; group++) {
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, id) => insert(db, `${id}.${'x'.repeat(200)}`, group)),
    );
    promised += results.filter(({ status }) => status === 'fulfilled').length;
    const refused = results.filter((result) => result.status === 'rejected');
    for (const { reason } of refused) assert.ok(isFault('disk-full')(reason), String(reason));
    if (refused.length > 0) return promised;
  }
  return assert.fail('the disk did not fill');
}

test('a full disk is called full, exactly what was promised is there, and with room again everything works', async (t) => {
  const disk = mountSmallDisk(t, 'size=1m');
  if ('skip' in disk) return t.skip(disk.skip);
  const db = opened(t, join(disk.path, 'records.db'));
  await insert(db, 'first.test');
  const filler = join(disk.path, 'filler');
  writeFileSync(filler, Buffer.alloc(300 * 1024));

  const promised = await writeUntilFull(db);
  assert.equal(names(db).length, promised + 1);
  await assert.rejects(insert(db, `${'x'.repeat(5000)}`), isFault('disk-full'));
  assert.equal(names(db).length, promised + 1, 'reading goes on, and nothing half written is seen');
  assert.equal(db.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');

  rmSync(filler);
  await Promise.all(Array.from({ length: 10 }, (_, id) => insert(db, `again${id}.test`)));
  assert.equal(names(db).length, promised + 11);
  db.close();
  const again = opened(t, db.path);
  assert.equal(names(again).length, promised + 11);
  assert.equal(again.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
});

test('a database that may not grow is called full, and keeps exactly what was promised', async (t) => {
  const db = opened(t);
  await insert(db, 'first.test');
  db.prepare('PRAGMA max_page_count = 120').get();
  const promised = await writeUntilFull(db);
  assert.equal(names(db).length, promised + 1);
  db.prepare('PRAGMA max_page_count = 4294967294').get();
  await insert(db, 'again.test');
  assert.equal(names(db).length, promised + 2);
});
