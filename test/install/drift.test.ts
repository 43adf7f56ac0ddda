/** Owners, modes, copies and links that somebody changed: seen, told, and put right, with the service none the wiser. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAgent, until } from '../agent/running-agent.ts';
import { fullchain, scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { IS_ROOT } from '../services/applied.ts';
import { type Site, startInstallSite } from './site.ts';

const skip = skipWithout('nginx');

const at = (site: Site, ...names: readonly string[]): string => join(site.install, 'versions', '1', ...names);

interface Drifted {
  readonly what: string;
  readonly drift: (site: Site) => void;
  readonly why: RegExp;
  readonly isExposed?: true;
  readonly needsRoot?: true;
}

const CASES: readonly Drifted[] = [
  {
    what: 'a key that everybody may read',
    drift: (site) => chmodSync(at(site, 'tls.key'), 0o644),
    why: /versions\/1\/tls\.key: the key is readable by others: mode 0644, wanted 0600$/,
    isExposed: true,
  },
  {
    what: 'a key that its group may read',
    drift: (site) => chmodSync(at(site, 'tls.key'), 0o640),
    why: /tls\.key: the key is readable by others: mode 0640, wanted 0600$/,
    isExposed: true,
  },
  {
    what: 'a key that others may replace',
    drift: (site) => chmodSync(at(site, 'tls.key'), 0o622),
    why: /tls\.key: mode 0622, wanted 0600$/,
  },
  {
    what: 'a key of another user',
    drift: (site) => chownSync(at(site, 'tls.key'), 65534, 65534),
    why: /tls\.key: the key is readable by others: owner 65534:65534, wanted 0:0$/,
    isExposed: true,
    needsRoot: true,
  },
  {
    what: 'a certificate that its service may not read',
    drift: (site) => chmodSync(at(site, 'tls.crt'), 0o600),
    why: /tls\.crt: mode 0600, wanted 0644$/,
  },
  {
    what: 'a directory that everybody may write to',
    drift: (site) => chmodSync(at(site), 0o777),
    why: /versions\/1: others may write: mode 0777, wanted 0755$/,
  },
  {
    what: 'directories that nobody may enter',
    drift: (site) => chmodSync(join(site.install, 'versions'), 0o700),
    why: /versions: the service may not pass: mode 0700, wanted 0755$/,
  },
  {
    what: 'directories of another user',
    drift: (site) => chownSync(join(site.install, 'versions'), 65534, 65534),
    why: /versions: belongs to 65534, wanted 0$/,
    needsRoot: true,
  },
];

test('what somebody did to owner and mode is seen and put right', { skip, timeout: 180_000 }, async (t) => {
  const site = await startInstallSite(t);
  assert.equal(site.run('apply').status, 0);
  const before = await site.served();
  const answer = (command: string) => {
    const { status, stdout, stderr } = fullchain([command, '--json', '--file', site.file, '--state', site.state]);
    assert.equal(status, 0, stdout + stderr);
    return JSON.parse(stdout);
  };
  for (const { what, drift, why, isExposed = false, needsRoot } of CASES) {
    await t.test(what, { skip: needsRoot && !IS_ROOT && 'needs root' }, async () => {
      drift(site);
      const { changes, notes } = answer('plan');
      assert.equal(changes[0].action, 'install');
      assert.match(changes[0].why, why);
      const told = (list: readonly unknown[]) => JSON.stringify(list).includes('fullchain rotate site');
      assert.equal(told(notes), isExposed, JSON.stringify(notes));
      const [line] = answer('status').services;
      assert.deepEqual([line.state, why.test(line.why)], ['pending-install', true], line.why);
      const { result } = site.run('apply');
      assert.equal(result.action, 'installed', JSON.stringify(result));
      assert.match(result.steps[0]?.detail ?? '', /^put right: /);
      assert.equal(told([result]), isExposed);
      for (const [path, mode] of [
        [join(site.install, 'versions'), 0o755],
        [at(site), 0o755],
        [at(site, 'tls.key'), 0o600],
        [at(site, 'tls.crt'), 0o644],
      ] as const) {
        const status = statSync(path);
        assert.deepEqual([status.mode & 0o7777, status.uid], [mode, process.getuid?.()], path);
      }
      assert.equal(await site.served(), before, 'the same certificate');
      assert.equal(site.run('apply').result.action, 'none');
      assert.equal(answer('status').services[0].state, 'ok');
    });
  }

  await t.test('who has the open key open has the old file: rights of it go with it', () => {
    chmodSync(at(site, 'tls.key'), 0o666);
    const { ino } = statSync(at(site, 'tls.key'));
    linkSync(at(site, 'tls.key'), join(site.directory, 'another-name'));
    assert.equal(site.run('apply').status, 0);
    assert.notEqual(statSync(at(site, 'tls.key')).ino, ino);
    writeFileSync(join(site.directory, 'another-name'), 'not a key');
    assert.equal(site.run('apply').result.action, 'none');
  });

  await t.test('a link in the place of a key is never followed by a repair: there is a new pair', async () => {
    const elsewhere = join(site.directory, 'elsewhere.key');
    copyFileSync(at(site, 'tls.key'), elsewhere);
    chmodSync(elsewhere, 0o644);
    rmSync(at(site, 'tls.key'));
    symlinkSync(elsewhere, at(site, 'tls.key'));
    const { result } = site.run('apply');
    assert.equal(result.action, 'issued', JSON.stringify(result));
    assert.equal(statSync(elsewhere).mode & 0o777, 0o644);
    assert.ok(lstatSync(join(site.install, 'current', 'tls.key')).isFile());
    assert.notEqual(await site.served(), before);
  });

  await t.test('the agent does it too, and says what may have been seen', async () => {
    const key = join(site.install, 'current', 'tls.key');
    chmodSync(key, 0o644);
    const agent = startAgent(t, site.file, site.state, '--interval', '1s');
    await until(() => (statSync(key).mode & 0o777) === 0o600, 'the agent to put it right');
    await until(
      () => agent.log().some(({ notes }) => /others could read the key/.test(JSON.stringify(notes))),
      'the note',
    );
    assert.equal(await agent.stop(), 0);
  });

  await t.test('rotation replaces the key that others have seen, and needs no note', () => {
    chmodSync(join(site.install, 'current', 'tls.key'), 0o644);
    const { result } = site.run('rotate');
    assert.equal(result.action, 'issued');
    assert.ok(!JSON.stringify(result).includes('others could read'));
    assert.equal(site.run('apply').result.action, 'none');
  });
});

test('copies and links are what is installed', (t) => {
  const directory = scratch(t);
  const [state, file, key] = ['state', 'fullchain.yaml', 'app.key'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const write = (more: string) =>
    writeFileSync(
      file,
      `stack: test
services:
  app: { kind: files, names: [app.test], certificate: ${directory}/app.crt, key: ${key}, reload: "true"${more} }
clients:
  web: { connects: [app], names: [web], directory: ${directory}/web }
`,
    );
  const run = (command: string) => {
    const { status, stdout, stderr } = fullchain([command, '--json', '--file', file, '--state', state]);
    assert.equal(status, 0, stdout + stderr);
    return JSON.parse(stdout);
  };
  const actions = () => {
    const { services, clients } = run('apply');
    return [...services, ...clients].map(({ action }: { action: string }) => action);
  };
  const planned = (): string => JSON.stringify(run('plan').changes);
  write('');
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  run('apply');
  const text = readFileSync(key, 'utf8');

  chmodSync(key, 0o644);
  assert.match(planned(), /app\.key: the key is readable by others: mode 0644, wanted 0600/);
  assert.deepEqual(actions(), ['installed', 'none']);
  assert.equal(statSync(key).mode & 0o777, 0o600);

  rmSync(key);
  assert.match(planned(), /app\.key: is missing/);
  assert.deepEqual(actions(), ['installed', 'none']);
  assert.equal(readFileSync(key, 'utf8'), text);

  writeFileSync(join(directory, 'app.crt'), 'cut off');
  assert.match(planned(), /app\.crt: is not what is installed/);
  assert.deepEqual(actions(), ['installed', 'none']);

  const link = join(directory, 'web', 'client.key');
  renameSync(link, `${link}.old`);
  assert.deepEqual(actions(), ['none', 'installed']);
  assert.equal(readlinkSync(link), 'current/client.key');

  // Another mode in the stack file is a mode that is not as wanted.
  write(', mode: "0640"');
  assert.deepEqual(actions(), ['installed', 'none']);
  assert.equal(statSync(key).mode & 0o777, 0o640);
  assert.deepEqual(actions(), ['none', 'none']);
  assert.ok(!existsSync(`${key}.before-fullchain`), 'what is ours is not put aside');
});

test('whatever the umask, a service may pass: a second apply changes nothing', (t) => {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  mkdirSync(join(directory, 'etc'));
  writeFileSync(
    file,
    `stack: test\nservices:\n  app: { kind: files, names: [app.test], certificate: ${directory}/etc/app.crt, key: ${directory}/etc/app.key, reload: "true" }\n`,
  );
  const umask = process.umask(0o077);
  try {
    assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
    for (const action of ['issued', 'none'])
      assert.equal(
        JSON.parse(fullchain(['apply', '--json', '--file', file, '--state', state]).stdout).services[0].action,
        action,
      );
  } finally {
    process.umask(umask);
  }
  for (const name of ['', 'versions', 'versions/1'])
    assert.equal(statSync(join(directory, 'etc', 'fullchain-app', name)).mode & 0o777, 0o755, name);
});
