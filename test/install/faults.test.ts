/** What goes wrong between a new certificate and a client that sees it: the old one stays served, the report names the next step, the next run repairs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fullchain, scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { EVERYBODY, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { testAuthority } from '../services/test-authority.ts';
import { assertWhole, failure, type Result, startInstallSite } from './site.ts';

const skip = skipWithout('nginx');
const HOLDING = join(import.meta.dirname, '..', 'world', 'holding-lock.ts');

interface FaultCase {
  readonly what: string;
  /** Script that the reload runs first. */
  readonly hook: (install: string, directory: string) => string;
  readonly step: string;
  readonly detail: RegExp;
  readonly remedy: RegExp;
}

const CASES: readonly FaultCase[] = [
  {
    what: 'a reload that fails',
    hook: () => 'echo "no such unit" >&2; exit 3',
    step: 'reload',
    detail: /reloading failed: no such unit \(exit status 3\)/,
    remedy: /Run it by hand: .*\/reload/,
  },
  {
    what: 'a reload that says that all is well and does nothing',
    hook: () => 'exit 0',
    step: 'confirm',
    detail: /does not serve the new certificate: another certificate is served/,
    remedy: /log.*fullchain cert inspect 127\.0\.0\.1:/,
  },
  {
    what: 'a broken pair, planted between the check and the reload',
    hook: (install, directory) =>
      `test -e ${directory}/planted || cat ${directory}/other.key > ${install}/current/tls.key; touch ${directory}/planted`,
    step: 'reload',
    detail: /key values mismatch/,
    remedy: /Run it by hand/,
  },
];

test('a rotation that fails leaves the old certificate served', { skip }, async (t) => {
  const site = await startInstallSite(t);
  writeFileSync(join(site.directory, 'other.key'), testAuthority('Planted').issue(['serverAuth']).key, { mode: 0o600 });
  assert.equal(site.run('apply').result.action, 'issued');
  for (const { what, hook, step, detail, remedy } of CASES) {
    await t.test(what, async () => {
      const before = await site.served();
      assert.notEqual(before, null);
      site.beforeReload(hook(site.install, site.directory));
      const { status, result } = site.run('rotate');
      const failed = failure(result);
      assert.deepEqual([status, result.ok, failed.step], [1, false, step], JSON.stringify(result));
      assert.match(failed.detail, detail);
      assert.match(failed.remedy ?? '', remedy);
      assert.equal(await site.served(), before, 'the old certificate is served');
      assert.equal(assertWhole(site.install), before, 'and is what lies on disk');

      site.beforeReload(null);
      const repaired = site.run('apply');
      assert.deepEqual([repaired.status, repaired.result.ok], [0, true], JSON.stringify(repaired.result));
      const again = site.run('rotate');
      assert.equal(again.result.action, 'issued');
      assert.notEqual(await site.served(), before);
      assert.equal(site.run('apply').result.action, 'none');
    });
  }

  await t.test('a broken file of somebody else’s: nginx -t refuses, and nginx is told nothing', async () => {
    const before = await site.served();
    const other = join(site.config, 'other.conf');
    writeFileSync(other, 'server { listen 127.0.0.1:1; no_such_directive on; }\n');
    site.beforeReload(`touch ${site.directory}/told`);
    const { status, result } = site.run('rotate');
    const failed = failure(result);
    assert.deepEqual([status, failed.step], [1, 'configure']);
    assert.match(failed.detail, /no_such_directive/);
    assert.match(failed.remedy ?? '', /nginx.* -t/);
    assert.equal(await site.served(), before);
    rmSync(other);
    site.beforeReload(null);
    assert.equal(site.run('rotate').result.action, 'issued');
  });

  await t.test('for people: what failed, and the next command', () => {
    site.beforeReload('exit 3');
    const { status, stdout } = site.shown('rotate');
    assert.equal(status, 1);
    assert.match(stdout, /^✗ site +reload: reloading failed.*\n {2}next: Run it by hand: /);
    site.beforeReload(null);
  });

  await t.test('five versions are kept, and the one in use is among them', async () => {
    for (let rotations = 0; rotations < 7; rotations++) assert.equal(site.run('rotate').result.ok, true);
    assert.equal(site.versions().length, 5);
    assert.equal(assertWhole(site.install), await site.served());
  });
});

test('a first apply that fails leaves no TLS where there was none, and the next one succeeds', { skip }, async (t) => {
  const site = await startInstallSite(t);
  site.beforeReload('exit 3');
  const first = site.run('apply');
  assert.deepEqual([first.status, first.result.action, failure(first.result).step], [1, 'failed', 'reload']);
  assert.equal(await site.served(), null);
  assert.equal(existsSync(join(site.config, 'fullchain-site.conf')), false, 'the configuration is as it was');
  const pending = site.versions();
  site.beforeReload(null);
  const { status, result } = site.run('apply');
  assert.equal(status, 0, JSON.stringify(result));
  assert.equal(await site.served(), result.certificate?.fingerprint);
  assert.deepEqual(site.versions(), pending, 'the issuer was not asked twice');
  assert.equal(site.run('apply').result.action, 'none');
});

test('a service that is down: its line fails, the others go on, and the certificate that it was given is used when it is up', {
  skip: skip || skipWithoutPostgresql || (!IS_ROOT && 'skipped: needs root, to run servers as their own users'),
}, async (t) => {
  const [up, down] = await Promise.all([startCluster(t, EVERYBODY), startCluster(t, EVERYBODY)]);
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const entry = (name: string, { port, data }: typeof up): string =>
    `  ${name}: { kind: postgresql, names: [localhost, 127.0.0.1], address: 127.0.0.1:${port}, data: ${data} }\n`;
  writeFileSync(file, `stack: test\nservices:\n${entry('down', down)}${entry('up', up)}`);
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  await down.stop();
  const apply = (): { readonly status: number | null; readonly services: readonly Result[] } => {
    const { status, stdout } = fullchain(['apply', '--json', '--file', file, '--state', state]);
    return { status, services: JSON.parse(stdout).services };
  };
  const first = apply();
  assert.equal(first.status, 1);
  assert.deepEqual(
    first.services.map(({ name, ok }) => [name, ok]),
    [
      ['down', false],
      ['up', true],
    ],
    JSON.stringify(first.services),
  );
  const failed = failure(first.services[0] as Result);
  assert.equal(failed.step, 'reload');
  assert.match(failed.detail, /postmaster\.pid is missing: the service does not run/);
  const hba = readFileSync(join(down.data, 'pg_hba.conf'), 'utf8');
  assert.equal(hba, EVERYBODY, 'the configuration is as it was');

  await down.start();
  const second = apply();
  assert.equal(second.status, 0, JSON.stringify(second.services));
  assert.deepEqual(
    second.services.map(({ name, action }) => [name, action]),
    [
      ['down', 'issued'],
      ['up', 'none'],
    ],
  );
  assert.match(
    second.services[0]?.steps.find(({ step }) => step === 'stage')?.detail ?? '',
    /obtained by an earlier try/,
  );
  assert.equal(apply().services[0]?.action, 'none');
});

test('two at the same time: one works, the other waits, and no reader ever finds a mixed pair', { skip }, async (t) => {
  const site = await startInstallSite(t);
  assert.equal(site.run('apply').result.ok, true);
  const rotate = () =>
    run(process.execPath, [LAUNCHER, 'rotate', '--json', '--file', site.file, '--state', site.state]);
  let [reading, reads] = [true, 0];
  const reader = (async () => {
    while (reading) {
      assertWhole(site.install);
      reads++;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  const both = await Promise.all([rotate(), rotate(), rotate()]);
  reading = false;
  await reader;
  for (const { status, output } of both) assert.equal(status, 0, output);
  assert.ok(reads > 100, `${reads} reads`);
  assert.equal(assertWhole(site.install), await site.served());
  assert.equal(site.versions().length, 4);
});

test('an agent with a state of its own has the same directory in hand: it is said, and nothing is touched', {
  skip,
}, async (t) => {
  const site = await startInstallSite(t);
  assert.equal(site.run('apply').result.ok, true);
  const before = await site.served();
  const holder = spawn(process.execPath, [HOLDING, join(site.install, '.lock')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [said] = await once(holder.stdout, 'data');
  assert.equal(String(said), 'held\n');
  const { status, result } = site.run('rotate');
  assert.deepEqual([status, result.action], [1, 'failed']);
  assert.match(failure(result).detail, /another agent is changing/);
  assert.equal(await site.served(), before);
  holder.stdin.end();
  await once(holder, 'exit');
  assert.equal(site.run('rotate').result.action, 'issued');
});
