import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instantFromSeconds } from '../time/instant.ts';
import { instantInWindow } from './renewal-window.ts';

const window = { start: instantFromSeconds(1000), end: instantFromSeconds(2000) };

test('the spread is where in the window', () => {
  assert.deepEqual(
    [0, 0.25, 0.9999, 1].map((spread) => instantInWindow(window, spread)),
    [1000, 1250, 1999, 2000],
  );
});

test('never outside of the window', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.double({ min: 0, max: 1, noNaN: true }), (width, spread) => {
      const at = instantInWindow({ start: window.start, end: instantFromSeconds(1000 + width) }, spread);
      assert.ok(at >= 1000 && at <= 1000 + width, String(at));
    }),
  );
});
