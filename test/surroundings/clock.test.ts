import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { faultOf, run, soundState, treeOf } from './authority-run.ts';
import { FAKETIME_LIBRARY, needsFaketime } from './faketime.ts';
import { checkOf, startAuthorityOn } from './running-authority.ts';

let sound: ReturnType<typeof soundState>;
before(() => {
  sound = soundState();
});
after(() => sound.remove());

/** Another time for a process; its monotonic clock stays, as it does when a clock is set. */
function clockIn(file: string, offset: string): Record<string, string> {
  writeFileSync(file, offset);
  return {
    LD_PRELOAD: FAKETIME_LIBRARY ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
}

const UP = ['up', '--listen', '127.0.0.1:0'];

/** One row a clock that is wrong at the start. */
const WRONG: readonly (readonly [what: string, offset: string, code: string, words: RegExp])[] = [
  ['ten days behind: before the authority existed', '-10d', 'clock-behind', /before the authority existed \(/],
  ['half an hour behind the newest record', '-1800s', 'clock-behind', /, (?:30m|29m5\ds) before the newest record \(/],
  ['eleven years ahead: the issuing certificate has expired', '+4015d', 'issuance-refused', /expired at \d{4}-/],
];

for (const [what, offset, code, words] of WRONG) {
  test(`a clock ${what}: ${code}, and not a byte of the state changes`, { skip: needsFaketime }, (t) => {
    const state = sound.copy(t);
    const env = clockIn(join(state, '..', 'clock'), offset);
    const before = treeOf(state);
    const fault = faultOf([...UP, '--state', state], { env });
    assert.deepEqual([fault.code, words.test(fault.what)], [code, true], fault.what);
    assert.deepEqual(treeOf(state), before);
  });
}

// They wait more than they work.
describe('a clock that is wrong while the authority runs, or was', { concurrency: true }, () => {
  test('a clock a minute behind the newest record is taken: time services slew', { skip: needsFaketime }, async (t) => {
    const state = sound.copy(t);
    const { health, stop } = await startAuthorityOn(t, state, [], clockIn(join(state, '..', 'clock'), '-60s'));
    assert.equal((await health()).code, 200);
    assert.equal(await stop(), 0);
  });

  test('records of a clock that was ahead are accepted by --accept-clock, said once', {
    skip: needsFaketime,
  }, async (t) => {
    const state = sound.copy(t);
    const ahead = await startAuthorityOn(t, state, [], clockIn(join(state, '..', 'clock'), '+2d'));
    assert.equal(await ahead.stop(), 0);
    const fault = faultOf([...UP, '--state', state]);
    assert.equal(fault.code, 'clock-behind');
    assert.match(fault.remedy.text, /--accept-clock/);
    for (const args of [['--accept-clock'], []]) {
      const right = await startAuthorityOn(t, state, args);
      assert.equal((await right.health()).code, 200);
      assert.equal(await right.stop(), 0);
    }
    const { status, stderr } = run(['cert', 'list', '--state', state]);
    assert.equal(status, 0, stderr);
  });

  for (const [what, offset, words] of [
    ['back', '-1800s', /the clock was set back by 1[78]\d\d s/],
    ['forward', '+1800s', /the clock was set forward by 1[78]\d\d s/],
  ] as const) {
    test(`a clock that is set ${what} by half an hour while the authority runs shows in /health, with how far`, {
      skip: needsFaketime,
    }, async (t) => {
      const state = sound.copy(t);
      const file = join(state, '..', 'clock');
      const { health } = await startAuthorityOn(t, state, [], clockIn(file, '+0s'));
      assert.equal((await health()).code, 200);
      writeFileSync(file, offset);
      // Health is looked at anew when the last look is two seconds old.
      await sleep(2200);
      const { code, health: seen } = await health();
      assert.equal(code, 503);
      assert.match(checkOf(seen, 'clock').detail, words);
      assert.ok(checkOf(seen, 'database').ok && checkOf(seen, 'keys').ok);
    });
  }

  test('a clock that leaves the life of the issuing certificate shows in /health for as long as it is there', {
    skip: needsFaketime,
  }, async (t) => {
    const state = sound.copy(t);
    const file = join(state, '..', 'clock');
    const { health } = await startAuthorityOn(t, state, [], clockIn(file, '+0s'));
    assert.equal((await health()).code, 200);
    writeFileSync(file, '+4015d');
    for (let look = 0; look < 2; look++) {
      await sleep(2200);
      const { code, health: seen } = await health();
      assert.equal(code, 503);
      assert.match(checkOf(seen, 'clock').detail, /the issuing certificate is valid from .* to /);
    }
  });
});
