/** Members that the stack file no longer names, and places that a member has left: told, kept, and taken out when somebody asks. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startAgent } from '../agent/running-agent.ts';
import { fullchain, scratch } from '../ca/command-line.ts';
import { type Site, startInstallSite } from '../install/site.ts';
import { skipWithout } from '../servers/available.ts';
import { until } from '../servers/process.ts';

const DYING = new URL('../install/dying-apply.ts', import.meta.url).pathname;
const skip = skipWithout('nginx');

interface Note {
  readonly service?: string;
  readonly client?: string;
  readonly note: string;
}

interface Answer {
  readonly services: readonly {
    readonly name: string;
    readonly action: string;
    readonly state: string;
    readonly why: string;
    readonly notAfter: string;
  }[];
  readonly clients: Answer['services'];
  readonly notes: readonly Note[];
}

/** A stack whose file a test writes anew. */
function stackIn(t: TestContext) {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  return {
    directory,
    state,
    write: (text: string, to = file) => writeFileSync(to, text),
    run: (args: readonly string[], from = file) =>
      answerOf(fullchain([...args, '--json', '--file', from, '--state', state])),
    shown: (args: readonly string[]) => fullchain([...args, '--file', file, '--state', state]),
  };
}

function answerOf({ status, stdout, stderr }: ReturnType<typeof fullchain>) {
  assert.equal(status, 0, stdout + stderr);
  return JSON.parse(stdout) as Answer;
}

const app = (directory: string, name = 'app'): string =>
  `  ${name}: { kind: files, names: [app.test], certificate: ${directory}/app.crt, key: ${directory}/app.key, reload: "true" }\n`;

/** The file without the site, which had nothing else in it. */
function takeOut(site: Site): { readonly back: () => void } {
  const text = readFileSync(site.file, 'utf8');
  writeFileSync(site.file, `stack: test\nservices:\n${app(site.directory)}`);
  return { back: () => writeFileSync(site.file, text) };
}

test('a service that is taken out of the file stays served until its removal is asked for', { skip }, async (t) => {
  const site = await startInstallSite(t);
  assert.equal(site.run('apply').status, 0);
  const served = await site.served();
  const answer = (...args: readonly string[]) =>
    answerOf(fullchain([...args, '--json', '--file', site.file, '--state', site.state]));
  takeOut(site);

  const told = [
    {
      service: 'site',
      note: `site is no longer in ${site.file}: its certificate and configuration stay; "fullchain apply --remove site" takes them out`,
    },
  ];
  assert.deepEqual(
    answer('plan').notes.filter(({ service }) => service === 'site'),
    told,
  );
  assert.match(site.shown('plan').stdout, /^site +note +site is no longer in /m);
  for (const times of ['once', 'twice']) {
    const applied = answer('apply');
    assert.deepEqual(
      applied.services.map(({ name }) => name),
      ['app'],
      times,
    );
    assert.deepEqual(applied.notes, told);
    assert.equal(await site.served(), served);
  }
  assert.match(site.shown('apply').stdout, /^note: site is no longer in /m);
  assert.equal(answer('verify').services.length, 1);
  const line = answer('status').services.find(({ name }) => name === 'site');
  assert.equal(line?.state, 'unmanaged');
  assert.equal(line?.why, told[0]?.note);
  assert.ok(Date.parse(line?.notAfter ?? '') > Date.now());
  const agent = startAgent(t, site.file, site.state, '--interval', '1s');
  await until(
    () => agent.log().some(({ service, note }) => service === 'site' && note === told[0]?.note),
    'the agent',
    20_000,
  );
  assert.equal(await agent.stop(), 0);
  assert.equal(await site.served(), served);

  assert.deepEqual(
    answer('apply', '--remove', 'site').services.map(({ name, action }) => [name, action]),
    [['site', 'removed']],
  );
  await until(async () => (await site.served()) === null, 'nginx to serve it no more', 10_000);
  assert.ok(!existsSync(site.install));
  assert.deepEqual(readdirSync(site.config), []);
  assert.deepEqual(
    answer('plan').notes.filter(({ service }) => service === 'site'),
    [],
  );
  assert.deepEqual(
    answer('status').services.map(({ name }) => name),
    ['app'],
  );
  const again = fullchain(['apply', '--remove', 'site', '--file', site.file, '--state', site.state]);
  assert.equal(again.status, 2, 'nothing is known of it any more');
});

test('one that does not run any more can be removed; one that refuses to be told keeps its files', {
  skip,
}, async (t) => {
  const site = await startInstallSite(t);
  assert.equal(site.run('apply').status, 0);
  const nginx = /command: (.*)/.exec(readFileSync(site.file, 'utf8'))?.[1] ?? '';
  takeOut(site);
  site.beforeReload('exit 3');
  const remove = () =>
    fullchain(['apply', '--remove', 'services/site', '--json', '--file', site.file, '--state', site.state]);
  const refused = remove();
  assert.equal(refused.status, 1);
  assert.match(refused.stdout, /the service was not told, so its files stay for now/);
  assert.ok(existsSync(join(site.install, 'current', 'tls.key')));
  assert.equal(spawnSync('sh', ['-c', `${nginx} -s stop`]).status, 0);
  await until(async () => (await site.served()) === null, 'nginx to end', 10_000);
  const { services } = answerOf(remove());
  assert.equal(services[0]?.action, 'removed');
  assert.ok(!existsSync(site.install));
});

test('an apply that was killed after each call of a port is remembered: it can be taken out by its name alone', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const site = await startInstallSite(t);
  let crashes = 0;
  for (let call = 1; ; call++) {
    const { signal, stderr } = spawnSync(
      process.execPath,
      [DYING, site.file, site.state, 'apply', 'after', String(call)],
      { encoding: 'utf8', env: { ...process.env, NODE_COMPILE_CACHE: join(site.directory, 'compiled') } },
    );
    if (signal !== 'SIGKILL') break;
    crashes++;
    const file = takeOut(site);
    const { status, stdout } = fullchain([
      'apply',
      '--remove',
      'site',
      '--json',
      '--file',
      site.file,
      '--state',
      site.state,
    ]);
    // As long as nothing was written there is nothing to be removed.
    assert.ok(status === 0 || (status === 2 && call <= 3), `call ${call}: ${stdout}${stderr}`);
    assert.deepEqual(site.versions(), [], `call ${call}`);
    assert.deepEqual(readdirSync(site.config), [], `call ${call}`);
    await until(async () => (await site.served()) === null, 'nginx to serve it no more', 10_000);
    file.back();
  }
  assert.ok(crashes >= 9, `${crashes} crashes`);
});

test('a client is remembered as well; without a name everything of the stack is removed', (t) => {
  const stack = stackIn(t);
  const { directory } = stack;
  stack.write(
    `stack: test\nservices:\n${app(directory)}clients:\n  web: { connects: [app], names: [web], directory: ${directory}/web }\n`,
  );
  stack.run(['apply']);
  assert.ok(existsSync(join(directory, 'web', 'connection.env')));
  stack.write(`stack: test\nservices:\n${app(directory, 'web').replaceAll(/app\.(crt|key)/g, 'web.$1')}`);
  const { notes } = stack.run(['plan']);
  assert.deepEqual(
    notes.map(({ service, client }) => service ?? client),
    ['app', 'web'],
  );
  assert.match(notes[1]?.note ?? '', /"fullchain apply --remove clients\/web"/, 'a service has this name');
  stack.run(['apply']);
  const removed = stack.run(['apply', '--remove', 'clients/web']);
  assert.deepEqual([removed.services.length, removed.clients.map(({ action }) => action)], [0, ['removed']]);
  assert.ok(!existsSync(join(directory, 'web')));
  assert.ok(existsSync(join(directory, 'web.key')) && existsSync(join(directory, 'app.key')));
  assert.deepEqual(
    stack.run(['apply', '--remove']).services.map(({ name, action }) => [name, action]),
    [
      ['app', 'removed'],
      ['web', 'removed'],
    ],
  );
  assert.deepEqual(readdirSync(directory).sort(), ['fullchain.yaml', 'state']);
});

test('a member under another name takes its places along: nobody is told to remove what is in use', (t) => {
  const stack = stackIn(t);
  const { directory } = stack;
  const members = (service: string, client: string) =>
    `stack: test\nservices:\n${app(directory, service)}clients:\n  ${client}: { connects: [${service}], names: [web], directory: ${directory}/web }\n`;
  stack.write(members('app', 'web'));
  stack.run(['apply']);
  stack.write(members('application', 'website'));
  stack.run(['apply']);
  const { notes } = stack.run(['plan']);
  // Of the old name only the directory is left that was named for it.
  assert.deepEqual(
    notes.map(({ service, client }) => service ?? client),
    ['app'],
  );
  const removed = stack.run(['apply', '--remove', 'app']);
  assert.equal(removed.services[0]?.action, 'removed');
  assert.ok(!existsSync(join(directory, 'fullchain-app')));
  for (const path of ['app.crt', 'app.key', 'web/client.key', 'web/connection.env'])
    assert.ok(existsSync(join(directory, path)), path);
  assert.deepEqual(
    stack.run(['apply']).services.map(({ action }) => action),
    ['none'],
  );
});

test('a member that moves: the place it has left is told before and after, and is removed by its path', (t) => {
  const stack = stackIn(t);
  const { directory } = stack;
  const [old, now] = [join(directory, 'old'), join(directory, 'now')];
  for (const path of [old, now]) mkdirSync(path);
  const placed = (where: string, more = '') => `stack: test\nservices:\n${app(where).replace(' }', `${more} }`)}`;
  stack.write(placed(old));
  stack.run(['apply']);
  stack.write(placed(now));
  const note = `app was set up elsewhere before, and that stays: ${old}/fullchain-app, ${old}/app.crt, ${old}/app.key; "fullchain apply --remove ${old}/fullchain-app" takes it out`;
  for (const command of ['plan', 'apply', 'apply', 'plan']) {
    const { notes } = stack.run([command]);
    assert.deepEqual(notes, [{ service: 'app', note }], command);
  }
  assert.equal(stack.run(['status']).services[0]?.state, 'ok');
  assert.equal(stack.run(['apply', '--remove', `${old}/fullchain-app`]).services[0]?.action, 'removed');
  assert.deepEqual(readdirSync(old), []);
  assert.ok(existsSync(join(now, 'app.key')));
  assert.deepEqual(stack.run(['plan']).notes, []);

  // The same directory, and copies elsewhere: a key in the old place is a key nobody looks after.
  stack.write(placed(old, `, directory: ${now}/fullchain-app`));
  const copies = stack.run(['apply']).notes[0]?.note ?? '';
  assert.match(copies, new RegExp(`stays: ${now}/app.crt, ${now}/app.key; "fullchain apply --remove ${now}/app.crt"`));
  stack.run(['apply', '--remove', `${now}/app.crt`]);
  assert.deepEqual(readdirSync(now), ['fullchain-app']);
  assert.ok(existsSync(join(old, 'app.key')));
  // All of it goes with the member.
  stack.write(placed(now, `, directory: ${now}/fullchain-app`));
  stack.run(['apply']);
  stack.run(['apply', '--remove', 'app']);
  assert.deepEqual([readdirSync(old), readdirSync(now)], [[], []]);
});

test('a place that has another path by now is not one that was left', (t) => {
  const stack = stackIn(t);
  const { directory } = stack;
  const [old, now] = [join(directory, 'old'), join(directory, 'now')];
  mkdirSync(old);
  stack.write(`stack: test\nservices:\n${app(old)}`);
  stack.run(['apply']);
  renameSync(old, now);
  symlinkSync(now, old);
  stack.write(`stack: test\nservices:\n${app(now)}`);
  assert.deepEqual(stack.run(['plan']).notes, []);
  assert.deepEqual(stack.run(['apply']).notes, []);
});

test('another stack on the same host: what it takes over is its own, and its members are nobody else’s business', (t) => {
  const stack = stackIn(t);
  const { directory } = stack;
  const other = join(directory, 'other.yaml');
  const [one, two] = [join(directory, 'one'), join(directory, 'two')];
  for (const path of [one, two]) mkdirSync(path);
  stack.write(`stack: a\nservices:\n${app(one, 'one')}${app(two, 'two')}`);
  stack.run(['apply']);
  stack.write(`stack: a\nservices:\n${app(one, 'one')}`);
  assert.equal(stack.run(['plan']).notes.length, 1);
  stack.write(`stack: b\nservices:\n${app(two, 'two')}`, other);
  assert.deepEqual(stack.run(['apply'], other).notes, []);
  assert.deepEqual(stack.run(['plan']).notes, []);
  assert.equal(stack.shown(['apply', '--remove', 'two']).status, 2);
  assert.ok(existsSync(join(two, 'app.key')));
  stack.run(['apply', '--remove'], other);
  assert.deepEqual([readdirSync(two), existsSync(join(one, 'app.key'))], [[], true]);
});

test('what a person has removed by hand is not spoken of', (t) => {
  const stack = stackIn(t);
  const { directory } = stack;
  const there = join(directory, 'there');
  mkdirSync(there);
  stack.write(`stack: test\nservices:\n${app(there, 'gone')}${app(directory)}`);
  stack.run(['apply']);
  rmSync(there, { recursive: true });
  stack.write(`stack: test\nservices:\n${app(directory)}`);
  assert.deepEqual(stack.run(['plan']).notes, []);
  assert.deepEqual(
    stack.run(['status']).services.map(({ name }) => name),
    ['app'],
  );
});
