import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addSeconds, type Instant, instantFromSeconds } from '../../core/time/instant.ts';
import {
  type FailureRecord,
  type KeepEvent,
  type KeepPorts,
  keepStack,
  type Looked,
  type Member,
} from './keep-stack.ts';

const START = instantFromSeconds(1_800_000_000);
const error = { step: 'issue', detail: 'the authority is down', remedy: 'start it' };

/** A world whose time passes only in pauses; `until` ends it. */
class SimulatedWorld {
  now: Instant = START;
  readonly until: Instant;
  members: readonly Member[] | null;
  readonly looks: { readonly name: string; readonly at: number }[] = [];
  readonly events: KeepEvent[] = [];
  readonly records = new Map<string, FailureRecord>();
  ticks = 0;
  step = 0;
  private woken = false;
  look: (name: string) => Looked | Promise<Looked> = () => ({ kind: 'good', changed: false, renewAt: null });
  each: () => void = () => {};

  constructor(seconds: number, ...members: readonly Member[]) {
    this.until = addSeconds(START, seconds);
    this.members = members;
  }

  get ports(): KeepPorts {
    return {
      changedMembers: async () => {
        const { members } = this;
        this.members = null;
        return members;
      },
      look: async ({ name }) => {
        this.looks.push({ name, at: this.now - START });
        return this.look(name);
      },
      journal: {
        read: (name) => this.records.get(name) ?? null,
        write: (name, record) => {
          if (record === null) this.records.delete(name);
          else this.records.set(name, record);
        },
      },
      clock: () => this.now,
      clockStep: () => {
        const { step } = this;
        this.step = 0;
        return step;
      },
      pause: async (ms) => {
        this.ticks++;
        this.woken = false;
        // Lanes that have nothing to wait for come to their end first.
        await new Promise(setImmediate);
        if (this.woken) return;
        this.now = addSeconds(this.now, Math.ceil(ms / 1000));
        this.each();
      },
      wake: () => {
        this.woken = true;
      },
      stopping: () => this.now >= this.until,
      draw: () => 0.5,
      tell: (event) => this.events.push(event),
    };
  }

  looksAt(name: string): number[] {
    return this.looks.filter((look) => look.name === name).map(({ at }) => at);
  }
}

const db: Member = { name: 'db', lane: 'postgresql' };
const site: Member = { name: 'site', lane: 'nginx' };

test('looks at once, then when something is due, and otherwise once an hour: an idle tick touches nobody', async () => {
  const world = new SimulatedWorld(4 * 3600, db, site);
  world.look = (name) => ({
    kind: 'good',
    changed: false,
    renewAt: name === 'db' && world.now < addSeconds(START, 1000) ? addSeconds(START, 1000) : null,
  });
  await keepStack(world.ports, 60);
  assert.deepEqual(world.looksAt('db'), [0, 1000, 4600, 8200, 11_800]);
  assert.deepEqual(world.looksAt('site'), [0, 3600, 7200, 10_800]);
  assert.ok(world.ticks >= 240, `it woke ${world.ticks} times`);
});

test('a stopped authority: back-off, the certificate’s end in view; then it recovers alone', async () => {
  const world = new SimulatedWorld(2 * 3600, db);
  const notAfter = addSeconds(START, 1200);
  const back = addSeconds(START, 900);
  world.look = () =>
    world.now < back
      ? { kind: 'failed', error, notAfter, retryAfterSeconds: null }
      : { kind: 'good', changed: true, renewAt: addSeconds(world.now, 100_000) };
  await keepStack(world.ports, 60);
  const tries = world.looksAt('db').filter((at) => at <= 1200);
  const waits = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  assert.deepEqual(waits.slice(0, 5), [4, 8, 15, 30, 60], 'three quarters of 5, 10, 20, 40, 80: the draw is 0.5');
  const last = tries.at(-1) ?? 0;
  assert.ok(last >= 900 && last < 1000, `the first look that could succeed was at ${last}`);
  assert.equal(world.records.size, 0);
  assert.deepEqual(
    world.events.map(({ kind }) => kind),
    [...tries.slice(1).map(() => 'failed'), 'recovered'],
  );
});

test('Retry-After is respected, also by an agent that was started again', async () => {
  const world = new SimulatedWorld(100, db);
  world.look = () => ({ kind: 'failed', error, notAfter: null, retryAfterSeconds: 500 });
  await keepStack(world.ports, 10);
  assert.deepEqual(world.looksAt('db'), [0]);
  const second = new SimulatedWorld(700, db);
  for (const [name, record] of world.records) second.records.set(name, record);
  await keepStack(second.ports, 10);
  assert.equal(second.looksAt('db')[0], 500);
  assert.equal(second.records.size, 0);
  assert.deepEqual(second.events, [{ kind: 'recovered', member: db, failures: 1 }]);
});

test('when the clock is set everything is looked at', async () => {
  const world = new SimulatedWorld(3000, db, site);
  let set = false;
  world.each = () => {
    if (set || world.now < addSeconds(START, 600)) return;
    set = true;
    world.step = 40;
  };
  await keepStack(world.ports, 60);
  assert.deepEqual(world.looksAt('db'), [0, 600]);
  assert.deepEqual(world.looksAt('site'), [0, 600]);
  assert.deepEqual(world.events, [{ kind: 'clock-set', seconds: 40 }]);
});

test('a changed stack file: all of it is looked at, what is gone is left alone', async () => {
  const world = new SimulatedWorld(1000, db, site);
  world.each = () => {
    if (world.now === addSeconds(START, 120)) world.members = [site, { name: 'cache', lane: 'redis' }];
  };
  await keepStack(world.ports, 60);
  assert.deepEqual(world.looksAt('db'), [0]);
  assert.deepEqual(world.looksAt('site'), [0, 120]);
  assert.deepEqual(world.looksAt('cache'), [120]);
});

test('a service that hangs delays its own lane only', async () => {
  const world = new SimulatedWorld(200, db, { ...db, name: 'db2' }, site);
  let release: (looked: Looked) => void = () => {};
  world.look = (name) =>
    name === 'db'
      ? new Promise<Looked>((resolve) => {
          release = resolve;
        })
      : { kind: 'good', changed: false, renewAt: addSeconds(world.now, 50) };
  const kept = keepStack(world.ports, 10);
  while (world.now < world.until) await new Promise(setImmediate);
  assert.deepEqual(world.looksAt('db2'), []);
  assert.deepEqual(world.looksAt('site'), [0, 50, 100, 150]);
  release({ kind: 'good', changed: false, renewAt: null });
  await kept;
});

test('what is busy elsewhere is no failure', async () => {
  const world = new SimulatedWorld(10, db);
  world.look = () =>
    world.now < addSeconds(START, 4) ? { kind: 'busy' } : { kind: 'good', changed: false, renewAt: null };
  await keepStack(world.ports, 60);
  assert.deepEqual(world.looksAt('db'), [0, 2, 4]);
  assert.deepEqual(world.events, []);
});
