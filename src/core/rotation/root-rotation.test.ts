import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideStep, nextStep, type RotationPhase, type RotationStep } from './root-rotation.ts';

const PHASES: readonly RotationPhase[] = ['none', 'preparing', 'prepared', 'activating', 'activated', 'cancelling'];

test('in every phase the next step is one that is done, and no step skips another', () => {
  const order: readonly RotationStep[] = ['prepare', 'activate', 'retire'];
  for (const phase of PHASES) {
    const next = nextStep(phase) ?? 'prepare';
    assert.equal(decideStep(next, phase, false).kind, 'do', phase);
    for (const later of order.slice(order.indexOf(next) + 1))
      assert.equal(decideStep(later, phase, false).kind, 'refused', `${phase} ${later}`);
  }
});

test('a new root is cancelled until it is active, and what was cut short only goes on', () => {
  const kinds = PHASES.map((phase) => decideStep('cancel', phase, true).kind);
  assert.deepEqual(kinds, ['refused', 'do', 'do', 'refused', 'refused', 'do']);
  for (const step of ['prepare', 'activate', 'retire'] as const)
    assert.equal(decideStep(step, 'cancelling', true).kind, 'refused', step);
});

test('a step that was done is done once more without a change', () => {
  assert.equal(decideStep('prepare', 'prepared', false).kind, 'done');
  assert.equal(decideStep('activate', 'activated', false).kind, 'done');
  assert.equal(decideStep('retire', 'none', true).kind, 'done');
});
