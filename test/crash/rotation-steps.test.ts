/** A rotation that is killed before each of its changes: the authority goes on with what it had, and the same command finishes what was begun. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { intermediateRotationState } from '../../src/app/intermediate-rotation-state.ts';
import { openLocalIssuer } from '../../src/app/local-issuer.ts';
import { rootRotationState } from '../../src/app/root-rotation-state.ts';
import { trustedRoots } from '../../src/app/trusted-roots.ts';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { validatePath } from '../../src/core/x509/path.ts';
import { type StatePaths, statePaths } from '../../src/edge/files/state-directory.ts';
import { generateKey } from '../../src/edge/signer/key-pair.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { fullchain } from '../ca/command-line.ts';
import { NO_PASSWORD, ROTATION_STEPS, type RotationStepName, rotationStep } from './rotation-step.ts';

const DYING = new URL('./dying-rotation.ts', import.meta.url).pathname;

let scratch = '';
const ARGUMENTS: Record<RotationStepName, readonly string[]> = {
  intermediate: ['intermediate'],
  'prepare-intermediate': ['intermediate', '--prepare'],
  'activate-intermediate': ['intermediate'],
  prepare: ['root', '--prepare'],
  cancel: ['root', '--cancel'],
  activate: ['root', '--activate'],
  retire: ['root', '--retire', '--force'],
};

/** Of the intermediate and of the root, after the step. */
const PHASES: Record<RotationStepName, readonly [string, string]> = {
  intermediate: ['none', 'none'],
  'prepare-intermediate': ['prepared', 'none'],
  'activate-intermediate': ['none', 'none'],
  prepare: ['none', 'prepared'],
  cancel: ['none', 'none'],
  activate: ['none', 'activated'],
  retire: ['none', 'none'],
};

/** States in which each step begins. */
const sound = Object.fromEntries(ROTATION_STEPS.map((step) => [step, ''])) as Record<RotationStepName, string>;

before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'fullchain-crash-'));
  const state = join(scratch, 'state');
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  for (const step of ROTATION_STEPS) {
    sound[step] = join(scratch, `before-${step}`);
    cpSync(state, sound[step], { recursive: true });
    // At once, without a preparation: a way of its own, after which the walk begins anew.
    if (step !== 'intermediate' && step !== 'cancel') assert.equal(command(state, step).status, 0);
  }
});
after(() => rmSync(scratch, { recursive: true }));

function command(state: string, step: RotationStepName) {
  return fullchain(['ca', 'rotate', ...ARGUMENTS[step], '--json', '--state', state]);
}

/** A certificate that is issued now leads to a root that is handed out now. */
async function assertIssues(paths: StatePaths, when: string): Promise<void> {
  const issuer = await openLocalIssuer(paths, NO_PASSWORD);
  try {
    const key = await generateKey('ecdsa-p256');
    const names = [{ kind: 'dns', value: 'a.internal' }] as const;
    const [leaf, ...intermediates] = (await issuer.issue({ profile: 'server', names, key, provisioner: 'admin' })).map(
      parseCertificate,
    );
    assert.ok(leaf);
    const anchors = trustedRoots(paths).bundle;
    const path = validatePath({ leaf, intermediates, anchors, now: wallClock(), purpose: 'server' });
    assert.equal(path.ok, true, `${when}: ${path.ok ? '' : path.detail}`);
  } finally {
    issuer.close();
  }
}

for (const step of ROTATION_STEPS) {
  test(`${step}: killed before each change`, { timeout: 180_000 }, async () => {
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
      const paths = statePaths(state);
      await assertIssues(paths, `${when}, after the crash`);
      await rotationStep(paths, step);
      assert.deepEqual([intermediateRotationState(paths).phase, rootRotationState(paths).phase], PHASES[step], when);
      await assertIssues(paths, `${when}, finished`);
      rmSync(state, { recursive: true });
    }
    assert.ok(crashes >= 4, `${crashes} crashes`);
  });
}
