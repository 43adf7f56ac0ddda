import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { fullchain, openssl, scratch } from '../ca/command-line.ts';
import { FAKETIME_LIBRARY, needsFaketime } from '../surroundings/faketime.ts';
import { freePort } from '../world/free-port.ts';
import { startAgent, startAgentWith, until } from './running-agent.ts';

const SERVER = new URL('./reloading-server.ts', import.meta.url).pathname;

interface App {
  readonly state: string;
  readonly file: string;
  readonly port: number;
  readonly tls: string;
  readonly stack: (lifetime: string) => string;
  readonly status: () => Record<string, never>;
}

/** A server that needs files, and a stack of it alone. It is started by its own reload command when there is a pair. */
async function app(t: TestContext): Promise<App> {
  let pid = '';
  // Before the directory goes, and the process id with it.
  t.after(() => existsSync(pid) && process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL'));
  const directory = scratch(t);
  pid = join(directory, 'pid');
  const [state, tls, file] = [join(directory, 'state'), join(directory, 'tls'), join(directory, 'fullchain.yaml')];
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  mkdirSync(tls);
  const port = await freePort();
  const reload = join(directory, 'reload.sh');
  writeFileSync(
    reload,
    `#!/bin/sh
if [ -f ${pid} ]; then exec kill -HUP "$(cat ${pid})"; fi
${process.execPath} ${SERVER} ${tls}/server.crt ${tls}/server.key ${port} >/dev/null 2>&1 &
echo $! >${pid}
`,
  );
  chmodSync(reload, 0o755);
  const stack = (lifetime: string) => `stack: test
defaults: { lifetime: ${lifetime} }
services:
  app:
    kind: files
    names: [app.test, 127.0.0.1]
    address: 127.0.0.1:${port}
    certificate: ${tls}/server.crt
    key: ${tls}/server.key
    ca: ${tls}/ca.crt
    mode: "0600"
    reload: ${reload}
`;
  const status = () => JSON.parse(fullchain(['status', '--json', '-f', file, '--state', state]).stdout).services[0];
  return { state, file, port, tls, stack, status };
}

/** Serial number that a verifying client sees; null when it connects to nothing that it trusts. */
function served(port: number, ca: string): Promise<string | null> {
  return new Promise((resolve) => {
    if (!existsSync(ca)) return resolve(null);
    const socket = connect({ host: '127.0.0.1', port, ca: readFileSync(ca), servername: 'app.test' });
    socket.on('secureConnect', () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', () => resolve(null));
  });
}

// Two thirds of a minute and the minute before it: after twenty seconds.
test('a certificate of a minute is renewed in time; no handshake fails; a stop is clean', async (t) => {
  const { file, state, port, tls, stack } = await app(t);
  writeFileSync(file, stack('60s'));
  const agent = startAgent(t, file, state, '--interval', '1s');
  await until(async () => (await served(port, join(tls, 'ca.crt'))) !== null, 'the first certificate');
  const serials: (string | null)[] = [];
  await until(
    async () => {
      const serial = await served(port, join(tls, 'ca.crt'));
      if (serial !== serials.at(-1)) serials.push(serial);
      return serials.length === 2;
    },
    'a renewal',
    60,
  );
  assert.ok(!serials.includes(null), `no handshake failed: ${serials}`);
  assert.equal(await agent.stop(), 0);
  assert.deepEqual(
    agent.log().filter(({ level }) => level >= 50),
    [],
  );
});

test('an agent that is killed leaves nothing in the way of the next, which renews in time', async (t) => {
  const { file, state, port, tls, stack } = await app(t);
  writeFileSync(file, stack('60s'));
  const serial = () => served(port, join(tls, 'ca.crt'));
  const first = startAgent(t, file, state, '--interval', '1s');
  await until(async () => (await serial()) !== null, 'the first certificate');
  const before = await serial();
  await first.stop('SIGKILL');
  const second = startAgent(t, file, state, '--interval', '1s');
  await until(() => second.log().some(({ msg }) => msg === 'the stack file was read'), 'its start');
  assert.equal(await serial(), before, 'what is good is kept');
  await until(async () => (await serial()) !== before, 'a renewal', 60);
  assert.notEqual(await serial(), null);
  assert.equal(await second.stop(), 0);
  assert.deepEqual(
    second.log().filter(({ level }) => level >= 50),
    [],
  );
});

test('a clock that is set ahead past the renewal: it is seen, and what is due by then is renewed', {
  skip: needsFaketime,
}, async (t) => {
  const { file, state, tls, stack } = await app(t);
  writeFileSync(file, stack('24h'));
  const clock = join(tls, 'clock');
  writeFileSync(clock, '+0');
  const env = {
    LD_PRELOAD: FAKETIME_LIBRARY ?? '',
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  const agent = startAgentWith(env, t, file, state, '--interval', '1s');
  const brought = () => agent.log().filter(({ msg }) => msg.startsWith('brought to')).length;
  await until(() => brought() === 1, 'the first certificate');
  const serial = (): string => openssl(['x509', '-in', join(tls, 'server.crt'), '-noout', '-serial']).stdout;
  const first = serial();
  writeFileSync(clock, '+20h');
  await until(() => brought() === 2, 'the renewal');
  assert.notEqual(serial(), first);
  assert.ok(
    agent.log().some(({ msg, seconds }) => msg.startsWith('the clock was set') && Number(seconds) > 71_000),
    JSON.stringify(agent.log()),
  );
  // Back again nothing is renewed, and nothing fails.
  writeFileSync(clock, '+0');
  await until(() => agent.log().filter(({ msg }) => msg.startsWith('the clock was set')).length === 2, 'the way back');
  assert.equal(brought(), 2);
  assert.equal(await agent.stop(), 0);
});

test('an authority that is away: the old certificate is served, back-off and cause are told, and it recovers alone', async (t) => {
  const { file, state, port, tls, stack, status } = await app(t);
  writeFileSync(file, stack('1h'));
  const agent = startAgent(t, file, state, '--interval', '1s');
  await until(async () => (await served(port, join(tls, 'ca.crt'))) !== null, 'the first certificate');
  const first = await served(port, join(tls, 'ca.crt'));
  renameSync(join(state, 'secrets'), join(state, 'secrets.away'));
  await agent.stop();
  writeFileSync(file, stack('1h').replace('[app.test,', '[app.test, www.app.test,'));
  const second = startAgent(t, file, state, '--interval', '1s');
  await until(() => second.log().filter(({ failures }) => Number(failures) >= 2).length > 0, 'two failures');
  assert.equal(await served(port, join(tls, 'ca.crt')), first, 'the old certificate is still served');
  const failed = status();
  assert.equal(failed.state, 'failed');
  assert.match(JSON.stringify(failed.lastError), /"step":"issue".*"remedy":"[^"]+"/);
  renameSync(join(state, 'secrets.away'), join(state, 'secrets'));
  await until(async () => (await served(port, join(tls, 'ca.crt'))) !== first, 'the new certificate', 30);
  await until(() => second.log().some(({ msg }) => msg === 'works again'), 'the report');
  assert.equal(status().state, 'ok');
  assert.equal(await second.stop(), 0);
});

test('a stack file with a mistake changes nothing; when it is right again it holds at once', async (t) => {
  const { file, state, port, tls, stack } = await app(t);
  writeFileSync(file, stack('1h'));
  const agent = startAgent(t, file, state, '--interval', '1s');
  await until(async () => (await served(port, join(tls, 'ca.crt'))) !== null, 'the first certificate');
  const first = await served(port, join(tls, 'ca.crt'));
  writeFileSync(file, stack('1h').replace('kind:', 'knid:'));
  await until(() => agent.log().some(({ msg }) => msg.startsWith('the stack cannot be read')), 'the report');
  const told = agent.log().at(-1);
  assert.deepEqual([told?.code, told?.err], ['stack-file-invalid', undefined]);
  assert.match(`${told?.what} ${told?.remedy}`, /:4:\d+: .*knid.* /s);
  assert.equal(await served(port, join(tls, 'ca.crt')), first);
  writeFileSync(file, stack('1h').replace('[app.test,', '[app.test, www.app.test,'));
  await until(async () => (await served(port, join(tls, 'ca.crt'))) !== first, 'the new names');
  assert.equal(agent.log().filter(({ msg }) => msg.startsWith('the stack cannot be read')).length, 1, 'told once');
  assert.equal(await agent.stop('SIGINT'), 0);
});

test('a file that is not right from the start is no stack to keep: the agent ends and says so', async (t) => {
  const { file, state, stack } = await app(t);
  const missing = fullchain(['agent', '-f', file, '--state', state]);
  assert.equal(missing.status, 1, missing.stderr);
  assert.match(missing.stderr, /\(input-unreadable\)\n.*\n.*next: /);
  writeFileSync(file, stack('1h').replace('kind:', 'knid:'));
  const wrong = fullchain(['agent', '-f', file, '--state', state]);
  assert.equal(wrong.status, 2, wrong.stderr);
  assert.match(wrong.stderr, /\(stack-file-invalid\)/);
});

test('one agent a host; an apply beside it waits for it, and both see the same', async (t) => {
  const { file, state, stack, status } = await app(t);
  writeFileSync(file, stack('1h'));
  const agent = startAgent(t, file, state, '--interval', '1s');
  await until(() => agent.log().some(({ msg }) => msg.startsWith('brought to')), 'the first certificate');
  const second = fullchain(['agent', '-f', file, '--state', state]);
  assert.equal(second.status, 1);
  assert.match(second.stderr, /another agent/);
  const rotated = fullchain(['rotate', '--json', '-f', file, '--state', state]);
  assert.equal(rotated.status, 0, rotated.stderr);
  assert.equal(status().state, 'ok');
  const verified = JSON.parse(fullchain(['verify', '--json', '-f', file, '--state', state]).stdout);
  assert.equal(verified.ok, true, JSON.stringify(verified, null, 1));
  assert.equal(await agent.stop(), 0);
});

const systemd = spawnSync('systemd-analyze', ['--version']).status === 0;

test('a service that is not seen with the installed pair is told again, by hand and by an agent that starts', async (t) => {
  const { file, state, port, tls, stack, status } = await app(t);
  writeFileSync(file, stack('24h'));
  const apply = () => JSON.parse(fullchain(['apply', '--json', '-f', file, '--state', state]).stdout).services[0];
  assert.equal(apply().action, 'issued');
  const serial = await served(port, join(tls, 'ca.crt'));
  const crash = (): void => {
    const pid = join(tls, '..', 'pid');
    process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL');
    rmSync(pid);
  };
  crash();
  assert.equal(status().state, 'not-served');
  assert.equal(fullchain(['status', '-f', file, '--state', state]).status, 1);
  const { changes } = JSON.parse(fullchain(['plan', '--json', '-f', file, '--state', state]).stdout);
  assert.deepEqual([changes.length, changes[0].action], [1, 'reload']);
  assert.match(changes[0].why, /refused/i);
  assert.equal(apply().action, 'reloaded');
  assert.equal(await served(port, join(tls, 'ca.crt')), serial);
  assert.equal(apply().action, 'none');
  crash();
  const agent = startAgent(t, file, state);
  await until(async () => (await served(port, join(tls, 'ca.crt'))) === serial, 'the service to be back');
  assert.equal(await agent.stop(), 0);
});

/** Not what HOME says. */
const home = userInfo().homedir;

test('the unit lets the agent write where it writes, and nowhere else below /etc and home directories', {
  skip: !/^\/(home|root)\b/.test(home) && `skipped: the home directory is ${home}`,
}, (t) => {
  const directory = mkdtempSync(join(home, 'fullchain-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'conf.d'));
  const file = join(directory, 'stack.yaml');
  writeFileSync(
    file,
    `stack: test
services:
  site: { kind: nginx, names: [a.test], address: "127.0.0.1:443", config: ${directory}/conf.d }
  app: { kind: files, names: [b.test], certificate: ${directory}/app/tls/tls.crt, key: ${directory}/app/tls/tls.key, directory: /var/lib/app }
clients:
  me: { connects: [site], names: [me.test], directory: ${directory}/me/tls }
`,
  );
  const writable = (state: string): readonly string[] => {
    const { status, stdout, stderr } = fullchain(['agent', '--print-unit', '-f', file, '--state', state]);
    assert.equal(status, 0, stderr);
    return [...stdout.matchAll(/^ReadWritePaths=-(.*)$/gm)].map(([, path = '']) => path);
  };
  // The pair of a site lies beside conf.d; what is not there is made below the nearest directory.
  assert.deepEqual(writable('/var/lib/fullchain'), [directory, `${directory}/conf.d`]);
  mkdirSync(join(directory, 'me/tls'), { recursive: true });
  mkdirSync(join(directory, 'state'));
  assert.deepEqual(writable(join(directory, 'state')), [
    directory,
    `${directory}/conf.d`,
    `${directory}/me/tls`,
    `${directory}/state`,
  ]);
});

test('the unit is one that systemd takes, with little exposure', {
  skip: !systemd && 'systemd-analyze is not installed',
}, (t) => {
  const directory = scratch(t);
  const file = join(directory, 'a stack.yaml');
  writeFileSync(
    file,
    'stack: test\nservices:\n  site:\n    kind: nginx\n    names: [a.test]\n    address: 127.0.0.1:443\n    config: /etc/nginx/conf.d\n',
  );
  const printed = fullchain(['agent', '--print-unit', '-f', file, '--state', '/var/lib/fullchain']);
  assert.equal(printed.status, 0, printed.stderr);
  assert.match(printed.stdout, /^ReadWritePaths=-\/etc(\/nginx)?$/m);
  const unit = join(directory, 'fullchain-agent.service');
  writeFileSync(unit, printed.stdout);
  const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
  assert.equal(
    verified.stderr
      .split('\n')
      .filter((line) => line.includes('fullchain-agent'))
      .join('\n'),
    '',
  );
  const exposure = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=40', '--no-pager', unit], {
    encoding: 'utf8',
  });
  assert.equal(exposure.status, 0, exposure.stdout.slice(-300) + exposure.stderr);
  // The words are as systemd reads them.
  assert.match(printed.stdout, new RegExp(`--file "${file}"`));
});
