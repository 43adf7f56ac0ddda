import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, test } from 'node:test';
import { fullchain, scratch, up } from '../ca/command-line.ts';

/** An authority that each test damages a copy of. */
let sound = '';

before(() => {
  sound = join(mkdtempSync(join(tmpdir(), 'fullchain-sound-')), 'state');
  assert.equal(fullchain(['ca', 'init', '--state', sound]).status, 0);
  process.once('exit', () => rmSync(join(sound, '..'), { recursive: true, force: true }));
});

function copy(t: Parameters<typeof scratch>[0]): string {
  const state = join(scratch(t), 'state');
  cpSync(sound, state, { recursive: true, preserveTimestamps: true });
  chmodSync(state, 0o700);
  return state;
}

/** Every file below a directory with the hash of its content; SQLite's own bookkeeping of readers left out. */
function contents(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !/-shm$|-wal$|lock/.test(name) && statSync(join(directory, name)).isFile(),
  );
  return Object.fromEntries(
    entries.sort().map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex'),
    ]),
  );
}

const UP = ['up', '--json', '--listen', '127.0.0.1:0'];

/** What `up` says when it refuses: a code, words, and the next command; nothing else changed. */
function refuses(
  state: string,
  code: string,
  args: readonly string[] = UP,
  environment: Record<string, string> = {},
): string {
  const ran = fullchain([...args, '--state', state], environment);
  assert.equal(ran.status, 1, `${ran.stdout}${ran.stderr}`);
  const { error } = JSON.parse(ran.stdout) as {
    error: { code: string; what: string; remedy: { text: string; command: string } };
  };
  assert.equal(error.code, code, error.what);
  assert.ok(error.remedy.text.length > 10 && error.remedy.command.length > 3);
  assert.doesNotMatch(ran.stderr, /\n\s+at /, 'no stack');
  return error.what;
}

test('a busy port is named, and nothing in the state changes', async (t) => {
  const state = copy(t);
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const before = contents(state);
  const what = refuses(state, 'port-in-use', ['up', '--json', '--listen', `127.0.0.1:${port}`]);
  assert.match(what, new RegExp(`:${port} is taken`));
  assert.deepEqual(contents(state), before);
});

/** One row a way to be broken: how it is done by hand, what is said, and in which words. */
const BROKEN: readonly (readonly [title: string, code: string, words: RegExp, damage: (state: string) => void])[] = [
  ['a state directory that others may read', 'state-exposed', /mode 755/, (state) => chmodSync(state, 0o755)],
  [
    'a secret that others may read',
    'state-exposed',
    /intermediate_ca_key has mode 644/,
    (state) => chmodSync(join(state, 'secrets/intermediate_ca_key'), 0o644),
  ],
  [
    'a state of a newer version',
    'state-too-new',
    /schema 999/,
    (state) => {
      const db = new DatabaseSync(join(state, 'db/fullchain.db'));
      db.exec('PRAGMA user_version = 999');
      db.close();
    },
  ],
  [
    'a damaged database',
    'database-damaged',
    /damaged/,
    (state) => writeFileSync(join(state, 'db/fullchain.db'), Buffer.alloc(8192, 7)),
  ],
  [
    'a key file that is no key',
    'key-unusable',
    /not a private key/,
    (state) => writeFileSync(join(state, 'secrets/intermediate_ca_key'), 'rubbish', { mode: 0o600 }),
  ],
  [
    'a missing certificate',
    'state-incomplete',
    /intermediate_ca.crt is missing/,
    (state) => rmSync(join(state, 'certs/intermediate_ca.crt')),
  ],
  [
    'the certificate of another authority',
    'key-mismatch',
    /is not the key of/,
    (state) => cpSync(join(state, 'certs/root_ca.crt'), join(state, 'certs/intermediate_ca.crt')),
  ],
  [
    'a configuration with an unknown key',
    'config-invalid',
    /config.json/,
    (state) => writeFileSync(join(state, 'config.json'), '{"version":1,"nmae":"x"}', { mode: 0o600 }),
  ],
  ['keys without a configuration', 'state-incomplete', /no config.json/, (state) => rmSync(join(state, 'config.json'))],
  [
    'a clock behind the newest record',
    'clock-behind',
    /before the newest record/,
    (state) => {
      const db = new DatabaseSync(join(state, 'db/fullchain.db'));
      db.exec(`INSERT OR REPLACE INTO heartbeat (id, at) VALUES (1, ${Math.floor(Date.now() / 1000) + 86_400})`);
      db.close();
    },
  ],
];

for (const [title, code, words, damage] of BROKEN) {
  test(`${title}: ${code}, with the place and the next command, and nothing is touched`, (t) => {
    const state = copy(t);
    damage(state);
    const before = contents(state);
    assert.match(refuses(state, code), words);
    assert.deepEqual(contents(state), before);
  });
}

test('a clock that was wrong before is accepted once, by name', async (t) => {
  const state = copy(t);
  BROKEN.find(([, code]) => code === 'clock-behind')?.[3](state);
  const { stop } = await up(t, state, ['--accept-clock']);
  assert.equal(await stop(), 0);
  const again = await up(t, state);
  assert.equal(await again.stop(), 0);
});

test('a wrong password, an exposed password file and no password at all are three faults', (t) => {
  const state = copy(t);
  const directory = scratch(t);
  const wrong = join(directory, 'wrong');
  writeFileSync(wrong, 'wrong\n', { mode: 0o600 });
  refuses(state, 'password-wrong', [...UP, '--password-file', wrong]);
  chmodSync(wrong, 0o644);
  refuses(state, 'password-file-exposed', [...UP, '--password-file', wrong]);
  rmSync(join(state, 'secrets/password'));
  refuses(state, 'password-missing');
  refuses(state, 'password-wrong', UP, { FULLCHAIN_PASSWORD: 'also wrong' });
});

test('a second authority on the same state is refused while the first one runs, also after the first was killed', async (t) => {
  const state = copy(t);
  const first = await up(t, state);
  refuses(state, 'state-locked');
  assert.equal(
    JSON.parse(readFileSync(join(state, 'ready.json'), 'utf8')).pid,
    first.ready.pid,
    'the first one is left alone',
  );
  process.kill(first.ready.pid, 'SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 200));
  const second = await up(t, state);
  assert.equal(await second.stop(), 0);
});

test('an unwritable state directory is refused', {
  skip: process.getuid?.() !== 0 && 'needs root, to become another user',
}, (t) => {
  const directory = scratch(t);
  chmodSync(directory, 0o755);
  const main = new URL('../../src/app/cli/main.ts', import.meta.url).pathname;
  mkdirSync(join(directory, 'roots'), { mode: 0o755 });
  const ran = spawnSync(
    'setpriv',
    [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      process.execPath,
      main,
      'ca',
      'init',
      '--json',
      '--state',
      join(directory, 'roots', 'state'),
    ],
    { encoding: 'utf8' },
  );
  // A checkout that nobody may enter cannot run as another user; then nothing is shown here.
  if (/Cannot find module|EACCES: permission denied, open/.test(ran.stderr) && ran.stdout === '')
    return t.skip('this checkout cannot be read by other users');
  assert.equal(JSON.parse(ran.stdout).error.code, 'state-unwritable', ran.stderr);
});

test('a full disk while it runs: the request fails with the cause, nothing is half issued, and room makes it well again', {
  skip: process.getuid?.() !== 0 && 'needs root, to mount a small disk',
}, (t) => {
  const disk = scratch(t);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m,mode=0700', 'tmpfs', disk]);
  if (mounted.status !== 0) return t.skip('mounting is not allowed here');
  try {
    const state = join(disk, 'state');
    cpSync(sound, state, { recursive: true });
    chmodSync(state, 0o700);
    const out = scratch(t);
    const issue = (name: string) =>
      fullchain([
        'cert',
        'issue',
        `${name}.test`,
        '--json',
        '--state',
        state,
        '--cert',
        join(out, `${name}.crt`),
        '--key',
        join(out, `${name}.key`),
      ]);
    assert.equal(issue('fits').status, 0);
    const filler = join(disk, 'filler');
    assert.throws(() => writeFileSync(filler, Buffer.alloc(4 << 20)), /ENOSPC/);
    const refused = issue('full');
    assert.equal(refused.status, 1, refused.stdout);
    assert.equal(JSON.parse(refused.stdout).error.code, 'disk-full', refused.stdout);
    rmSync(filler);
    assert.equal(issue('again').status, 0);
    const listed = JSON.parse(fullchain(['cert', 'list', '--json', '--state', state]).stdout) as {
      certificates: { names: string[] }[];
    };
    const names = listed.certificates.flatMap((entry) => entry.names);
    assert.ok(
      names.includes('fits.test') && names.includes('again.test') && !names.includes('full.test'),
      names.join(),
    );
  } finally {
    // Before the directory goes with the test.
    spawnSync('umount', ['-l', disk]);
  }
});
