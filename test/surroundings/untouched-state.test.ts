import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { up } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { mountSmallDisk } from '../world/small-disk.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { faultOf, run, shownToPerson, soundState, treeOf } from './authority-run.ts';

let sound: ReturnType<typeof soundState>;
before(() => {
  sound = soundState();
});
after(() => sound.remove());

const LISTEN = ['--listen', '127.0.0.1:0'];
const UP = ['up', ...LISTEN];

function edited(state: string, change: (config: Record<string, unknown>) => void): void {
  const path = join(state, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  change(config);
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
}

function validation(key: string, value: unknown): (state: string) => void {
  return (state) => edited(state, (config) => Object.assign(config.validation as object, { [key]: value }));
}

function database(state: string, sql: string): void {
  const db = new DatabaseSync(join(state, 'db/fullchain.db'));
  db.exec(sql);
  db.close();
}

/** One row a way to be broken: what is done by hand, what is said, and in which words. */
const BROKEN: readonly (readonly [what: string, code: string, words: RegExp, damage: (state: string) => void])[] = [
  [
    'the issuing key cut short',
    'key-unusable',
    /intermediate_ca_key is not a private key/,
    (state) => truncateSync(join(state, 'secrets/intermediate_ca_key'), 200),
  ],
  [
    'the issuing key of another authority',
    'key-mismatch',
    /intermediate_ca_key is not the key of .*intermediate_ca\.crt/,
    (state) => replaceKey(state, 'EC', ['-pkeyopt', 'ec_paramgen_curve:P-256']),
  ],
  [
    'an issuing key of a kind that signs nothing',
    'key-mismatch',
    /intermediate_ca_key is not the key of/,
    (state) => replaceKey(state, 'X25519', []),
  ],
  [
    'no issuing key',
    'state-incomplete',
    /secrets\/intermediate_ca_key is missing/,
    (state) => rmSync(join(state, 'secrets/intermediate_ca_key')),
  ],
  [
    'no root certificate',
    'state-incomplete',
    /certs\/root_ca\.crt is missing/,
    (state) => rmSync(join(state, 'certs/root_ca.crt')),
  ],
  [
    'an empty root certificate',
    'input-invalid',
    /certs\/root_ca\.crt/,
    (state) => writeFileSync(join(state, 'certs/root_ca.crt'), ''),
  ],
  [
    'a damaged issuing certificate',
    'input-invalid',
    /certs\/intermediate_ca\.crt: certificate 1 is not well formed/,
    (state) => {
      const path = join(state, 'certs/intermediate_ca.crt');
      writeFileSync(path, readFileSync(path, 'utf8').replace(/\n..../, '\nAAAA'));
    },
  ],
  [
    'the root of another authority',
    'key-mismatch',
    /intermediate_ca\.crt was not issued by .*root_ca\.crt/,
    (state) => cpSync(join(state, 'certs/intermediate_ca.crt'), join(state, 'certs/root_ca.crt')),
  ],
  [
    'no database',
    'state-incomplete',
    /db\/fullchain\.db is missing/,
    (state) => rmSync(join(state, 'db/fullchain.db')),
  ],
  [
    'a database whose first page is zeros',
    'database-damaged',
    /damaged/,
    (state) => {
      const path = join(state, 'db/fullchain.db');
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.fill(0, 100, 4096));
    },
  ],
  [
    'a database of a newer version with another kind of journal',
    'state-too-new',
    /schema 999/,
    (state) => database(state, 'PRAGMA journal_mode = DELETE; PRAGMA user_version = 999'),
  ],
  [
    'a password file that is empty',
    'password-missing',
    /secrets\/password is empty/,
    (state) => writeFileSync(join(state, 'secrets/password'), '\n'),
  ],
  [
    'a password file with another password',
    'password-wrong',
    /does not open .*intermediate_ca_key/,
    (state) => writeFileSync(join(state, 'secrets/password'), 'another\n'),
  ],
  [
    'a password longer than OpenSSL reads',
    'usage',
    /has 1500 bytes; at most 1023/,
    (state) => writeFileSync(join(state, 'secrets/password'), 'x'.repeat(1500)),
  ],
  [
    'a configuration that is no JSON',
    'config-invalid',
    /config\.json cannot be read: .*JSON/,
    (state) => writeFileSync(join(state, 'config.json'), '{"version": 1,'),
  ],
  [
    'a list for a configuration',
    'config-invalid',
    /config\.json/,
    (state) => writeFileSync(join(state, 'config.json'), '[]'),
  ],
  [
    'a configuration of a newer form',
    'config-invalid',
    /config\.json: version: /,
    (state) => edited(state, (config) => Object.assign(config, { version: 2 })),
  ],
  [
    'a configuration with a key that is none',
    'config-invalid',
    /config\.json: .*nmae/,
    (state) => edited(state, (config) => Object.assign(config, { nmae: 'x' })),
  ],
  ['a key that is none, deeper', 'config-invalid', /config\.json: validation: .*httpport/, validation('httpport', 80)],
  ['a port that is none', 'config-invalid', /config\.json: validation\.httpPort: /, validation('httpPort', 70_000)],
  [
    'a network that is none',
    'config-invalid',
    /config\.json: validation\.denyAddresses\.1: .*10\.0\.0\.0\/33/,
    validation('denyAddresses', ['10.0.0.0/8', '10.0.0.0/33']),
  ],
  [
    'a resolver that is none',
    'config-invalid',
    /config\.json: validation\.resolvers\.0: /,
    validation('resolvers', ['no resolver']),
  ],
  [
    'an address to listen on that is none',
    'config-invalid',
    /config\.json: httpListen: .*HOST:PORT/,
    (state) => edited(state, (config) => Object.assign(config, { httpListen: 'localhost' })),
  ],
  [
    'no name',
    'config-invalid',
    /config\.json: dnsNames: /,
    (state) => edited(state, (config) => Object.assign(config, { dnsNames: [] })),
  ],
  [
    'a name that no certificate can carry',
    'config-invalid',
    /config\.json: dnsNames\.0: /,
    (state) => edited(state, (config) => Object.assign(config, { dnsNames: ['not a name'] })),
  ],
];

function replaceKey(state: string, algorithm: string, options: readonly string[]): void {
  const password = `file:${join(state, 'secrets/password')}`;
  const path = join(state, 'secrets/intermediate_ca_key');
  const made = spawnSync('openssl', [
    ...['genpkey', '-algorithm', algorithm, ...options, '-aes-256-cbc', '-pass', password, '-out', path],
  ]);
  assert.equal(made.status, 0, String(made.stderr));
  chmodSync(path, 0o600);
}

for (const [what, code, words, damage] of BROKEN) {
  test(`${what}: ${code}, with the place and the next command, and not a byte of the state changes`, {
    skip: /another authority|signs nothing/.test(what) && skipWithout('openssl'),
  }, (t) => {
    const state = sound.copy(t);
    damage(state);
    const before = treeOf(state);
    const fault = faultOf([...UP, '--state', state]);
    assert.deepEqual([fault.code, words.test(fault.what)], [code, true], fault.what);
    assert.deepEqual(treeOf(state), before);
  });
}

test('a fault is shown to people on standard error: what happened, what to do, the next command', (t) => {
  for (const [what, code, words, damage] of BROKEN.slice(0, 4)) {
    if (/another authority|signs nothing/.test(what)) continue;
    const state = sound.copy(t);
    damage(state);
    const shown = shownToPerson([...UP, '--state', state]);
    assert.match(shown, words);
    assert.ok(shown.includes(`(${code})`));
  }
});

test('a newer version that was killed leaves its log; it is refused, and the records of the newer version are kept', (t) => {
  const state = sound.copy(t);
  const path = join(state, 'db/fullchain.db');
  const newer = new DatabaseSync(path);
  newer.exec("PRAGMA user_version = 999; CREATE TABLE newer (x); INSERT INTO newer VALUES ('kept')");
  // What a killed process leaves: the log not yet in the database.
  for (const suffix of ['', '-wal']) cpSync(`${path}${suffix}`, `${path}.left${suffix}`);
  newer.close();
  for (const suffix of ['', '-wal']) cpSync(`${path}.left${suffix}`, `${path}${suffix}`);
  assert.equal(faultOf([...UP, '--state', state]).code, 'state-too-new');
  const again = new DatabaseSync(path);
  assert.deepEqual({ ...again.prepare('SELECT x FROM newer').get() }, { x: 'kept' });
  again.close();
});

test('a second authority on a state in use changes nothing, and the first one goes on', async (t) => {
  const state = sound.copy(t);
  const { ready, stop } = await up(t, state);
  const files = (): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(treeOf(state)).filter(([name]) => !/fullchain\.db/.test(name)));
  const before = files();
  assert.ok('ready.json' in before);
  assert.equal(faultOf([...UP, '--state', state]).code, 'state-locked');
  assert.equal(faultOf(['authority', ...LISTEN, '--state', state]).code, 'state-locked');
  assert.equal(faultOf(['ca', 'init', '--state', state]).code, 'already-initialised');
  assert.deepEqual(files(), before);
  // The remedy's own command shows where the first one is.
  const { remedy } = faultOf([...UP, '--state', state]);
  const shown = spawnSync('/bin/sh', ['-c', remedy.command], { encoding: 'utf8' });
  assert.equal(JSON.parse(shown.stdout).pid, ready.pid);
  assert.equal(await stop(), 0);
});

test('a busy port for lists over plain HTTP is named, the other port is let go, and the state is untouched', async (t) => {
  const state = sound.copy(t);
  const taken = await startTcpServer(createServer(), '127.0.0.1', 0);
  t.after(taken.close);
  const before = treeOf(state);
  const fault = faultOf([...UP, '--http-listen', `127.0.0.1:${taken.port}`, '--state', state]);
  assert.equal(fault.code, 'port-in-use');
  assert.match(fault.what, new RegExp(`127\\.0\\.0\\.1:${taken.port} is taken`));
  assert.match(fault.remedy.command, new RegExp(`sport = :${taken.port}'`));
  assert.deepEqual(treeOf(state), before);
});

test('an address that this host does not have is named, and the state is untouched', (t) => {
  const state = sound.copy(t);
  const before = treeOf(state);
  const fault = faultOf(['up', '--listen', '192.0.2.1:9000', '--state', state]);
  assert.equal(fault.code, 'address-unavailable');
  assert.match(fault.what, /192\.0\.2\.1:9000/);
  assert.deepEqual(treeOf(state), before);
});

const NOBODY = 65534;
const needsRoot = process.getuid?.() !== 0 && 'skipped: only root can become another user';
const AS_NOBODY = { prefix: ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] };

/** Ways in which a state of one user comes to hold things of another; running it once as root is enough. */
const FOREIGN: readonly (readonly [what: string, words: RegExp, change: (state: string) => void])[] = [
  ['the lock', /authority\.lock/, (state) => chownSync(join(state, 'authority.lock'), 0, 0)],
  ['the issuing key', /intermediate_ca_key/, (state) => chownSync(join(state, 'secrets/intermediate_ca_key'), 0, 0)],
  ['the password', /secrets\/password/, (state) => chownSync(join(state, 'secrets/password'), 0, 0)],
  ['the secrets', /secrets/, (state) => chownSync(join(state, 'secrets'), 0, 0)],
  ['the configuration', /config\.json/, (state) => chownSync(join(state, 'config.json'), 0, 0)],
  ['the database', /fullchain\.db|readonly database/, (state) => chownSync(join(state, 'db/fullchain.db'), 0, 0)],
];

for (const [what, words, change] of FOREIGN) {
  test(`${what} of another user in a state: a fault that names it, no stack, and the state is untouched`, {
    skip: needsRoot,
  }, (t) => {
    const state = sound.copy(t);
    chmodSync(join(state, '..'), 0o755);
    for (const name of ['.', ...readdirSync(state, { recursive: true, encoding: 'utf8' })])
      chownSync(join(state, name), NOBODY, NOBODY);
    change(state);
    const before = treeOf(state);
    if (run(['--version'], AS_NOBODY).status !== 0) return t.skip('skipped: other users may not read this checkout');
    const fault = faultOf([...UP, '--state', state], AS_NOBODY);
    assert.match(fault.what, words);
    assert.ok(
      ['state-unwritable', 'input-unreadable', 'config-invalid', 'database-failed'].includes(fault.code),
      fault.code,
    );
    assert.deepEqual(treeOf(state), before);
  });
}

test('a ready.json that a killed authority left is no obstacle, although its process number is now another user’s', {
  skip: needsRoot,
}, (t) => {
  const state = sound.copy(t);
  chmodSync(join(state, '..'), 0o755);
  writeFileSync(join(state, 'ready.json'), JSON.stringify({ url: 'https://localhost:1', plainUrl: '', pid: 1 }));
  for (const name of ['.', ...readdirSync(state, { recursive: true, encoding: 'utf8' })])
    chownSync(join(state, name), NOBODY, NOBODY);
  if (run(['--version'], AS_NOBODY).status !== 0) return t.skip('skipped: other users may not read this checkout');
  const { status, stdout, stderr } = run(['ca', 'status', '--json', '--state', state], AS_NOBODY);
  assert.equal(status, 0, stderr);
  assert.equal(JSON.parse(stdout).running, null);
});

test('a port that only root may take is named with what would help', { skip: needsRoot }, (t) => {
  const lowest = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  if (lowest <= 80) return t.skip('skipped: every user may take every port here');
  const state = sound.copy(t);
  chmodSync(join(state, '..'), 0o755);
  for (const name of ['.', ...readdirSync(state, { recursive: true, encoding: 'utf8' })])
    chownSync(join(state, name), NOBODY, NOBODY);
  if (run(['--version'], AS_NOBODY).status !== 0) return t.skip('skipped: other users may not read this checkout');
  const fault = faultOf(['up', '--listen', '127.0.0.1:79', '--state', state], AS_NOBODY);
  assert.equal(fault.code, 'port-forbidden');
  assert.match(fault.remedy.text, /CAP_NET_BIND_SERVICE/);
});

test('a state on a disk that is mounted read-only is unwritable', (t) => {
  const disk = mountSmallDisk(t, 'size=4m');
  if ('skip' in disk) return t.skip(disk.skip);
  const state = join(disk.path, 'state');
  cpSync(sound.copy(t), state, { recursive: true });
  chmodSync(state, 0o700);
  assert.equal(spawnSync('mount', ['-o', 'remount,ro', disk.path]).status, 0);
  assert.equal(faultOf([...UP, '--state', state]).code, 'state-unwritable');
  assert.equal(faultOf([...UP, '--state', join(disk.path, 'new')]).code, 'state-unwritable');
});

test('a disk without room for a new authority is full, and with room the same command works', (t) => {
  const disk = mountSmallDisk(t, 'size=1m');
  if ('skip' in disk) return t.skip(disk.skip);
  const filler = join(disk.path, 'filler');
  writeFileSync(filler, Buffer.alloc(900 * 1024));
  const state = join(disk.path, 'state');
  const fault = faultOf(['ca', 'init', '--state', state]);
  assert.equal(fault.code, 'disk-full');
  rmSync(filler);
  const made = run(['ca', 'init', '--state', state]);
  assert.equal(made.status, 0, made.stderr);
});
