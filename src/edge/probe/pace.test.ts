import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { atMost, perSecond } from './pace.ts';

test('no more than so many run at the same time, in order, and one that fails gives its place back', async () => {
  const place = atMost(2);
  const [begun, ends]: [number[], (() => void)[]] = [[], []];
  const work = (index: number): Promise<number> =>
    place(
      () =>
        new Promise((resolve, reject) => {
          begun.push(index);
          ends.push(() => (index === 0 ? reject(new Error('failed')) : resolve(index)));
        }),
    );
  const all = Promise.allSettled([0, 1, 2, 3].map(work));
  await turn();
  assert.deepEqual(begun, [0, 1]);
  ends[0]?.();
  await turn();
  assert.deepEqual(begun, [0, 1, 2]);
  ends[1]?.();
  await turn();
  assert.deepEqual(begun, [0, 1, 2, 3]);
  for (const end of ends) end();
  assert.deepEqual(
    (await all).map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  );
});

test('so many begin in a second, evenly, and a pause is not caught up with', async () => {
  let now = 0;
  const slept: number[] = [];
  const pace = perSecond(
    10,
    () => now,
    async (ms) => void slept.push(ms),
  );
  const once = () => pace(async () => {});
  await Promise.all([once(), once(), once()]);
  assert.deepEqual(slept, [100, 200]);
  now = 5000;
  await Promise.all([once(), once()]);
  assert.deepEqual(slept, [100, 200, 100]);
});
