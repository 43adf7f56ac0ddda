import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Footprint } from '../../core/services/footprint.ts';
import { memberRecords } from './member-records.ts';

function footprint(...copies: readonly string[]): Footprint {
  return {
    install: null,
    configuration: copies.map((path) => ({ kind: 'own-file', path, content: null, mode: 0o644, why: 'a copy' })),
    removal: null,
    address: null,
  };
}

const places = (footprints: readonly Footprint[]): string[] =>
  footprints.flatMap(({ configuration }) => configuration.map(({ path }) => path));

test('a place is one member’s, whoever wrote the records since: this process, another one, another stack', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-records-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [agent, person, other] = ['a', 'a', 'b'].map((stack) => memberRecords(directory, stack));
  assert.ok(agent && person && other);
  const [web, app] = [{ kind: 'service', name: 'web' } as const, { kind: 'client', name: 'app' } as const];
  const [one, two] = [join(directory, 'one'), join(directory, 'two')];

  agent.remember(web, footprint(one, two));
  person.remember(app, footprint(two));
  assert.deepEqual([places(agent.footprints(web)), places(agent.footprints(app))], [[one], [two]]);
  // What the agent had read of "app" is not there any more, and what it had read of "web" has changed.
  other.remember(web, footprint(one));
  agent.remember(app, footprint(one));
  assert.deepEqual(
    [agent.footprints(web), places(other.footprints(web)), places(agent.footprints(app))],
    [[], [], [one, two]],
  );
  // One that came to a directory that the agent had read.
  const api = { kind: 'service', name: 'api' } as const;
  person.remember(api, footprint(two));
  agent.remember(app, footprint(two));
  assert.deepEqual([person.footprints(api), places(agent.footprints(app))[0]], [[], two]);
  agent.forget(app, null);
  assert.deepEqual(agent.members(), []);
});
