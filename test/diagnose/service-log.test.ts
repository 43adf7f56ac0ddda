/** `diagnose --service`: what a service's own log adds, with real services; and what an old line must not add. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from '../../src/core/diagnosis/finding.ts';
import { readCertificates } from '../../src/edge/files/certificate-files.ts';
import { logFileTail } from '../../src/edge/system/log-tail.ts';
import { fullchain, scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run, until } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { as } from '../services/own-user.ts';
import { startMariaDb } from '../services/start-mariadb.ts';
import { startNginx } from '../services/start-nginx.ts';
import { skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { startRedis } from '../services/start-redis.ts';
import { makeRoot } from '../vectors/made-certificate.ts';
import { assertCause, assertHealthy, diagnose, keyPem, leafOf, pem, tree, writePair } from './world.ts';

const asRoot = !IS_ROOT && 'skipped: needs root, to install for another user';
/** Logs and /proc tell whole seconds: what is to count as later has to be so by more than one. */
const LATER_MS = 2100;

interface Stack {
  readonly args: readonly string[];
  readonly apply: () => void;
}

function stackOf(t: TestContext, service: string): Stack {
  const directory = scratch(t);
  const file = join(directory, 'fullchain.yaml');
  const state = join(directory, 'state');
  writeFileSync(file, `stack: test\nservices:\n  svc: ${service}\n`);
  return {
    args: ['--service', 'svc', '-f', file, '--state', state],
    apply: () => {
      const { status, stdout, stderr } = fullchain(['apply', '--file', file, '--state', state]);
      assert.equal(status, 0, stdout + stderr);
    },
  };
}

interface LogEvidence {
  readonly place: string;
  readonly line: number | null;
  readonly at: string;
  readonly said: string;
}

/** The line is where the finding says that it is. */
function logOf({ evidence }: Finding, place: string | null): LogEvidence {
  const log = evidence.log as unknown as LogEvidence | undefined;
  assert.ok(log, JSON.stringify(evidence));
  if (place === null) return log;
  assert.equal(log.place, place);
  const said = readFileSync(place, 'utf8').split('\n')[(log.line ?? 0) - 1] ?? '';
  assert.equal(said.replaceAll(/\s+/g, ' ').slice(0, 100), log.said.slice(0, 100));
  return log;
}

/** Another pair in the place of the installed one, as somebody would put it there who does not reload. */
function overwritePair(current: string): void {
  const { intermediate } = tree();
  const leaf = leafOf(intermediate);
  const real = realpathSync(current);
  const { uid, gid } = statSync(join(real, 'tls.key'));
  writePair(real, 'tls', pem(leaf, intermediate), keyPem(leaf));
  for (const name of ['tls.crt', 'tls.key']) chownSync(join(real, name), uid, gid);
}

const JOURNALD = '/lib/systemd/systemd-journald';

/** A namespace of its own, where a journal can be kept beside this host's. */
function skipWithoutJournal(): false | string {
  const can =
    existsSync(JOURNALD) && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/run']).status === 0;
  return !can && 'skipped: no journal can be kept in a namespace of its own here';
}

test('PostgreSQL: only the log knows why it did not reload; after a good reload it says nothing', {
  skip: skipWithoutPostgresql || asRoot,
  timeout: 120_000,
}, async (t) => {
  const pg = await startCluster(t, 'host all all 127.0.0.1/32 trust\nlocal all all trust\n');
  const config = join(pg.data, 'postgresql.conf');
  appendFileSync(config, "logging_collector = on\nlog_directory = 'log'\nlog_filename = 'pg.log'\n");
  await pg.stop();
  await pg.start();
  const log = join(pg.data, 'log', 'pg.log');
  const stack = stackOf(
    t,
    `{ kind: postgresql, names: [localhost, 127.0.0.1], address: "127.0.0.1:${pg.port}", data: ${pg.data}, directory: ${pg.directory}/pair }`,
  );
  stack.apply();
  assertHealthy(await diagnose(stack.args));

  const before = readFileSync(config, 'utf8');
  const reload = async (): Promise<void> => {
    const lines = (): number => readFileSync(log, 'utf8').split('received SIGHUP').length;
    const known = lines();
    process.kill(Number(readFileSync(join(pg.data, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGHUP');
    await until(() => lines() > known, 'the reload in the log', 10_000);
    await sleep(200);
  };
  appendFileSync(config, "ssl_ca_file = '/nowhere/ca.crt'\n");
  await t.test('a reload that failed, and nobody is the worse for it: a warning', async () => {
    await reload();
    const answer = await diagnose(stack.args);
    assert.deepEqual(
      answer.findings.map(({ id, severity, confidence }) => [id, severity, confidence]),
      [['file-missing', 'warning', 'likely']],
      answer.output,
    );
  });
  await t.test('renewed, and not taken up: the line is the cause, the old pair what follows', async () => {
    overwritePair(join(pg.directory, 'pair', 'current'));
    await reload();
    const finding = assertCause(await diagnose(stack.args), 'file-missing');
    assert.match(logOf(finding, log).said, /could not load root certificate file "\/nowhere\/ca\.crt"/);
    assert.match(JSON.stringify(finding.evidence), /"follows":\[\{"id":"served-not-installed"/);
  });
  await t.test('mended and reloaded: the old line is of another time', async () => {
    writeFileSync(config, before);
    await reload();
    const { findings } = await diagnose(stack.args);
    assert.deepEqual(
      findings.filter(({ evidence }) => evidence.log !== undefined),
      [],
    );
    assert.ok(!findings.some(({ id }) => id === 'file-missing' || id === 'served-not-installed'));
  });
});

for (const destination of ['csvlog', 'jsonlog'])
  test(`PostgreSQL with log_destination = ${destination}: what it says is read there too`, {
    skip: skipWithoutPostgresql || asRoot,
    timeout: 120_000,
  }, async (t) => {
    const pg = await startCluster(t, 'host all all 127.0.0.1/32 trust\nlocal all all trust\n');
    const config = join(pg.data, 'postgresql.conf');
    appendFileSync(config, `logging_collector = on\nlog_destination = '${destination}'\nlog_filename = 'pg.log'\n`);
    await pg.stop();
    await pg.start();
    const log = join(pg.data, 'log', destination === 'csvlog' ? 'pg.csv' : 'pg.json');
    const stack = stackOf(
      t,
      `{ kind: postgresql, names: [localhost, 127.0.0.1], address: "127.0.0.1:${pg.port}", data: ${pg.data}, directory: ${pg.directory}/pair }`,
    );
    stack.apply();
    assertHealthy(await diagnose(stack.args));
    appendFileSync(config, "ssl_ca_file = '/nowhere/ca.crt'\n");
    overwritePair(join(pg.directory, 'pair', 'current'));
    process.kill(Number(readFileSync(join(pg.data, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGHUP');
    await until(() => readFileSync(log, 'utf8').includes('/nowhere/ca.crt'), 'the failure in the log', 10_000);
    const { place, line, said } = logOf(assertCause(await diagnose(stack.args), 'file-missing'), null);
    assert.equal(place, log);
    assert.match(readFileSync(log, 'utf8').split('\n')[(line ?? 0) - 1] ?? '', /nowhere/);
    assert.match(said, /^[-0-9]+ [:.0-9]+ \S+ \[\d+\] LOG: could not load root certificate file "\/nowhere\/ca\.crt"/);
  });

test('nginx: the log beside the check that fails; once the check passes, an old error is no finding', {
  skip: skipWithout('nginx') || asRoot,
  timeout: 120_000,
}, async (t) => {
  const nginx = await startNginx(t);
  const directory = scratch(t);
  const log = join(nginx.directory, 'error.log');
  const stack = stackOf(
    t,
    `{ kind: nginx, names: [localhost], address: "localhost:${nginx.port}", config: ${nginx.config}, upstream: "${nginx.settings.upstream}", command: ${nginx.settings.command}, directory: ${directory}/pair }`,
  );
  stack.apply();
  await sleep(LATER_MS);
  const { intermediate } = tree();
  const [one, two] = [leafOf(intermediate), leafOf(intermediate)];
  const pair = writePair(directory, 'other', pem(one, intermediate), keyPem(two));
  const other = join(nginx.config, 'other.conf');
  const reload = async (): Promise<void> => {
    process.kill(Number(readFileSync(join(nginx.directory, 'nginx.pid'), 'utf8')), 'SIGHUP');
    await sleep(500);
  };
  writeFileSync(
    other,
    `server { listen 127.0.0.1:1 ssl; ssl_certificate ${pair.cert}; ssl_certificate_key ${pair.key}; }\n`,
  );
  await reload();

  await t.test('a reload that failed for another server’s pair', async () => {
    const finding = assertCause(await diagnose(stack.args), 'key-mismatch');
    assert.match(logOf(finding, log).said, /SSL_CTX_use_PrivateKey.*key values mismatch/);
    assert.equal(finding.evidence.file, pair.key);
  });
  await t.test('what a client asked for is no file of the service', async () => {
    rmSync(other);
    const now = new Date().toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
    appendFileSync(
      log,
      `${now} [error] 1#1: *7 open() "/srv/tls.key" failed (2: No such file or directory), client: 192.0.2.1\n`,
    );
    assertHealthy(await diagnose(stack.args));
  });
  await t.test('with workers of a later reload, it is of another time, whatever the check says', async () => {
    await sleep(LATER_MS);
    await reload();
    await sleep(LATER_MS);
    writeFileSync(other, 'ssl_protocols TLSv9;\n');
    rmSync(join(directory, 'pair/current/tls.key'));
    const { findings, output } = await diagnose(stack.args);
    assert.ok(findings.some(({ id }) => id === 'file-missing'));
    assert.doesNotMatch(output, /key values mismatch/);
  });
});

test('Redis: it did not start, and its log says why', {
  skip: skipWithout('redis-server') || asRoot,
  timeout: 120_000,
}, async (t) => {
  const redis = await startRedis(t);
  const own = join(redis.config, '..');
  const log = join(own, 'redis.log');
  appendFileSync(redis.config, 'logfile redis.log\n');
  await redis.server.stop();
  const server = await redis.start();
  const stack = stackOf(
    t,
    `{ kind: redis, names: [localhost, 127.0.0.1], address: "127.0.0.1:${redis.port}", config: ${redis.config}, passwordFile: ${redis.passwordFile}, clients: required, directory: ${own}/pair }`,
  );
  stack.apply();

  await t.test('stopped: nobody listens, and the log has nothing to add', async () => {
    await server.stop();
    assertCause(await diagnose(stack.args), 'connection-refused');
  });
  const right = readFileSync(redis.config, 'utf8');
  const start = async (): Promise<void> => {
    const [program, args] = as('redis', ['redis-server', redis.config]);
    assert.notEqual((await run(program, args)).status, 0);
  };
  writeFileSync(redis.config, `${right}tls-ca-cert-file /nowhere/ca.crt\n`);
  await t.test('it does not start: the log says why', async () => {
    await start();
    const finding = assertCause(await diagnose(stack.args), 'file-missing');
    assert.match(logOf(finding, log).said, /Failed to configure CA certificate.*No such file or directory/);
    assert.match(JSON.stringify(finding.evidence), /"follows":\[\{"id":"connection-refused"/);
  });
  await t.test('the same words of the day before are no evidence', async () => {
    writeFileSync(log, readFileSync(log, 'utf8').replaceAll(/ \d\d [A-Z][a-z]{2} \d{4} /g, ' 01 Jan 2020 '));
    assertCause(await diagnose(stack.args), 'connection-refused');
  });
});

test('MariaDB: it takes plaintext too, as it says itself; it did not start, as its log says', {
  skip: skipWithout('mariadbd', 'mariadb', 'mariadb-install-db') || asRoot,
  timeout: 120_000,
}, async (t) => {
  const db = await startMariaDb(t);
  const log = join(db.pidFile, '..', 'error.log');
  writeFileSync(join(db.config, 'log.cnf'), `[mysqld]\nlog_error = ${log}\n`);
  const stack = stackOf(
    t,
    `{ kind: mysql, names: [localhost, 127.0.0.1], address: "127.0.0.1:${db.port}", config: ${db.config}, socket: ${db.socket}, restart: ${db.restartScript}, directory: ${db.path}/pair }`,
  );
  stack.apply();
  assertHealthy(await diagnose(stack.args));
  assert.equal((await db.overSocket('SET GLOBAL require_secure_transport = OFF')).status, 0);
  assert.match(JSON.stringify(assertCause(await diagnose(stack.args), 'plaintext-accepted').evidence), /"said":"0"/);
  await db.stop();
  const broken = join(db.config, 'zzz.cnf');
  const rows = {
    'ssl_ca = /nowhere/ca.crt': /SSL_CTX_set_default_verify_paths failed/,
    'ssl_cert = /nowhere/tls.crt': /Unable to get certificate/,
  };
  for (const [setting, said] of Object.entries(rows)) {
    writeFileSync(broken, `[mysqld]\n${setting}\n`);
    await assert.rejects(db.restart());
    const finding = assertCause(await diagnose(stack.args), 'config-refused');
    // The words fit a file that is missing as well as one that may not be read.
    assert.equal(finding.confidence, 'likely');
    assert.match(logOf(finding, log).said, said);
    assert.match(JSON.stringify(finding.evidence), /"id":"connection-refused"/);
  }
});

test('nginx: of a client’s certificate it says nothing but that it is wrong; its log says what is', {
  skip: skipWithout('nginx') || asRoot,
  timeout: 120_000,
}, async (t) => {
  const nginx = await startNginx(t);
  const directory = scratch(t);
  const main = join(nginx.directory, 'nginx.conf');
  writeFileSync(main, readFileSync(main, 'utf8').replace('error.log;', 'error.log info;'));
  const stack = stackOf(
    t,
    `{ kind: nginx, names: [localhost], address: "localhost:${nginx.port}", config: ${nginx.config}, upstream: "${nginx.settings.upstream}", command: ${nginx.settings.command}, directory: ${directory}/pair, clients: required }`,
  );
  stack.apply();
  const root = readCertificates(join(directory, 'pair/current/ca.crt'))[0];
  assert.ok(root);
  // Of an authority with the accepted one’s name.
  const impostor = makeRoot('', { subject: root.subject.raw });
  const client = leafOf(impostor, { purposes: ['clientAuth'] });
  const shown = writePair(directory, 'client', pem(client), keyPem(client));
  const finding = assertCause(
    await diagnose([...stack.args, '--client-cert', shown.cert, '--client-key', shown.key]),
    'client-certificate-untrusted',
  );
  assert.equal(finding.confidence, undefined);
  assert.match(logOf(finding, join(nginx.directory, 'error.log')).said, /client SSL certificate verify error/);
});

test('a log that may not be read is told, and no finding; a pipe is not waited for', {
  skip: asRoot,
}, async (t) => {
  const directory = scratch(t);
  chmodSync(directory, 0o755);
  const log = join(directory, 'error.log');
  writeFileSync(log, 'secret\n', { mode: 0o600 });
  const source = new URL('../../src/edge/system/log-tail.ts', import.meta.url).href;
  const tail = async (path: string): Promise<unknown> => {
    const script = `import(${JSON.stringify(source)}).then(({ logFileTail }) => console.log(JSON.stringify(logFileTail(${JSON.stringify(path)}))))`;
    const { stdout, output } = await run(...as('nobody', [process.execPath, '-e', script]));
    assert.match(stdout, /^[{n]/, output);
    return JSON.parse(stdout);
  };
  assert.deepEqual(await tail(log), { place: log, unread: 'permission denied' });
  assert.equal((await run('mkfifo', ['-m', '644', join(directory, 'pipe')])).status, 0);
  assert.deepEqual(await tail(join(directory, 'pipe')), { place: join(directory, 'pipe'), unread: 'it is no file' });
  assert.equal(await tail(join(directory, 'none')), null);
});

test('a long log: its end alone, with the numbers that its lines have in the file', (t) => {
  const log = join(scratch(t), 'error.log');
  writeFileSync(log, Array.from({ length: 20_000 }, (_, index) => `line ${index + 1} ${'x'.repeat(40)}\n`).join(''));
  const tail = logFileTail(log);
  assert.ok(tail && 'text' in tail);
  assert.ok(tail.text.length <= 256 * 1024 && tail.text.length > 255 * 1024);
  assert.equal(tail.text.split(' ', 2).join(' '), `line ${tail.firstLine}`);
});

test('the journal of a unit that does not run', {
  skip: asRoot || skipWithout('journalctl', 'logger', 'unshare') || skipWithoutJournal(),
  timeout: 120_000,
}, async (t) => {
  const redis = await startRedis(t);
  const own = join(redis.config, '..');
  const stack = stackOf(
    t,
    `{ kind: redis, names: [localhost, 127.0.0.1], address: "127.0.0.1:${redis.port}", config: ${redis.config}, passwordFile: ${redis.passwordFile}, directory: ${own}/pair }`,
  );
  stack.apply();
  await redis.server.stop();
  const key = join(own, 'pair/current/tls.key');
  const message = `77:M 26 Nov 2026 10:00:00.000 # Failed to load private key: ${key}: error:8000000D:system library::Permission denied`;
  const script = join(own, 'in-a-journal');
  writeFileSync(
    script,
    `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/log/journal
${JOURNALD} >/dev/null 2>&1 & journald=$!
until [ -S /run/systemd/journal/socket ]; do sleep 0.05; done
printf 'MESSAGE=%s\\nOBJECT_SYSTEMD_UNIT=redis-server.service\\n' "$0" | logger --journald
sleep 0.5
"$@"; status=$?
kill $journald
exit $status
`,
  );
  const { output } = await run('unshare', [
    ...['-m', 'sh', '-c', `. ${script}`, message, process.execPath, LAUNCHER, 'diagnose', '--json'],
    ...stack.args,
  ]);
  const { targets } = JSON.parse(output) as { targets: readonly { findings: readonly Finding[] }[] };
  const [finding] = targets[0]?.findings ?? [];
  assert.equal(finding?.id, 'key-permissions', output);
  const log = logOf(finding, null);
  assert.match(log.place, /^the journal of redis-server\.service/);
  assert.match(log.said, /Failed to load private key/);
  assert.equal(log.line, null);
});
