/** `npm start` under npm itself: starts the authority, and ends it cleanly however it is stopped. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { type RunningProgram, run, startServer, temporaryDirectory } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** The contract: SIGTERM ends the authority within 5 seconds; npm needs a moment more. */
const STOPS_WITHIN_MS = 6000;

/** Leader of a process group of its own, as a shell starts a job. */
function npmStart(state: string, port: number): Promise<RunningProgram> {
  return startServer('setsid', ['npm', 'start', '--', '--state', state, '--listen', `127.0.0.1:${port}`], {
    cwd: ROOT,
    isReady: () => existsSync(join(state, 'ready.json')),
  });
}

for (const [how, send] of [
  ['SIGTERM to npm', (npm) => npm.signal('SIGTERM')],
  ['Ctrl-C, which is SIGINT to the whole process group', (npm) => void process.kill(-npm.pid, 'SIGINT')],
  ['SIGINT to npm alone', (npm) => npm.signal('SIGINT')],
  [
    // npm passes on what the group has had already, so that every Ctrl-C comes twice.
    'SIGINT that comes again while the authority is ending',
    async (npm) => {
      for (let times = 0; times < 3; times++) {
        npm.signal('SIGINT');
        await sleep(1);
      }
    },
  ],
] satisfies (readonly [string, (npm: RunningProgram) => void | Promise<void>])[]) {
  test(`npm start is ended by ${how}, with status 0 and nothing left running`, {
    skip: skipWithout('npm', 'setsid'),
  }, async () => {
    using directory = temporaryDirectory();
    const state = join(directory.path, 'state');
    const port = await freePort();
    await using npm = await npmStart(state, port);
    assert.ok(await acceptsConnections(port));
    const { pid } = JSON.parse(readFileSync(join(state, 'ready.json'), 'utf8')) as { pid: number };
    const since = performance.now();
    await send(npm);
    assert.equal(await npm.ended, 0, npm.output());
    assert.ok(performance.now() - since < STOPS_WITHIN_MS);
    assert.ok(!(await acceptsConnections(port)));
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    assert.ok(!existsSync(join(state, 'ready.json')));
  });
}

test('npm start keeps the state: the second start has the same root', {
  skip: skipWithout('npm', 'setsid'),
}, async () => {
  using directory = temporaryDirectory();
  const state = join(directory.path, 'state');
  const rootOf = () =>
    (JSON.parse(readFileSync(join(state, 'ready.json'), 'utf8')) as { rootFingerprint: string }).rootFingerprint;
  const roots: string[] = [];
  for (let start = 0; start < 2; start++) {
    await using _npm = await npmStart(state, await freePort());
    roots.push(rootOf());
  }
  assert.equal(roots[0], roots[1]);
});

test('npm start passes arguments and exit status on: wrong usage is 2', { skip: skipWithout('npm') }, async () => {
  using directory = temporaryDirectory();
  const { status, output } = await run('npm', ['start', '--', '--state', directory.path, '--listen', 'nowhere'], {
    cwd: ROOT,
  });
  assert.equal(status, 2, output);
});
