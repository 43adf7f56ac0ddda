/** A rotation that is killed before each of its changes: the authority goes on with what it had, and the same command finishes what was begun. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fullchain, openssl } from '../ca/command-line.ts';

const DYING = new URL('./dying-rotation.ts', import.meta.url).pathname;

let scratch = '';
/** States in which each step begins. */
const sound: Record<Step, string> = { intermediate: '', prepare: '', activate: '', retire: '' };
const STEPS = ['intermediate', 'prepare', 'activate', 'retire'] as const;
type Step = (typeof STEPS)[number];

before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'fullchain-crash-'));
  const state = join(scratch, 'state');
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  for (const step of STEPS) {
    sound[step] = join(scratch, `before-${step}`);
    cpSync(state, sound[step], { recursive: true });
    if (step !== 'intermediate') assert.equal(command(state, step).status, 0);
  }
});
after(() => rmSync(scratch, { recursive: true }));

function command(state: string, step: Step) {
  const args =
    step === 'intermediate' ? ['intermediate'] : ['root', `--${step}`, ...(step === 'retire' ? ['--force'] : [])];
  return fullchain(['ca', 'rotate', ...args, '--json', '--state', state]);
}

/** A certificate that is issued now leads to a root that is handed out now. */
function assertIssues(state: string, when: string): void {
  const [roots, certificate, key] = ['roots.pem', 'a.crt', 'a.key'].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(roots, fullchain(['ca', 'export', 'roots', '--state', state]).stdout);
  const issued = fullchain([
    'cert',
    'issue',
    'a.internal',
    '--cert',
    certificate,
    '--key',
    key,
    '--force',
    '--state',
    state,
  ]);
  assert.equal(issued.status, 0, `${when}: ${issued.stderr}`);
  const { status, stderr } = openssl(['verify', '-CAfile', roots, '-untrusted', certificate, certificate]);
  assert.equal(status, 0, `${when}: ${stderr}`);
}

for (const step of STEPS) {
  test(`${step}: killed before each change`, { timeout: 180_000 }, () => {
    let crashes = 0;
    for (let at = 1; ; at++) {
      const state = mkdtempSync(join(scratch, 'run-'));
      cpSync(sound[step], state, { recursive: true });
      const { signal, status, stderr } = spawnSync(process.execPath, [DYING, state, step, String(at)], {
        encoding: 'utf8',
        env: { ...process.env, NODE_COMPILE_CACHE: join(scratch, 'compiled') },
      });
      assert.ok(signal === 'SIGKILL' || status === 0, stderr);
      if (signal === null) break;
      crashes++;
      const when = `${step}, change ${at}`;
      assertIssues(state, `${when}, after the crash`);
      const finished = command(state, step);
      assert.equal(finished.status, 0, `${when}: ${finished.stdout}${finished.stderr}`);
      const { rotation } = JSON.parse(fullchain(['ca', 'status', '--json', '--state', state]).stdout);
      assert.equal(
        rotation.phase,
        { intermediate: 'none', prepare: 'prepared', activate: 'activated', retire: 'none' }[step],
        when,
      );
      assert.equal(rotation.intermediateInterrupted, false, when);
      assertIssues(state, `${when}, finished`);
      rmSync(state, { recursive: true });
    }
    assert.ok(crashes >= 4, `${crashes} crashes`);
  });
}
