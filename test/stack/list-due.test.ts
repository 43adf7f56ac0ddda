/** Revocation lists that are about to be replaced are in the plan, and apply does what it says. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fullchain, up } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { ask } from '../services/fetch.ts';
import { FAKETIME_LIBRARY, needsFaketime } from '../surroundings/faketime.ts';
import { type Change, clientIn, type NginxStack, serialOf, startNginxStack } from './nginx-stack.ts';

const skip = skipWithout('nginx');
const ENDS = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ';

/** A client of the authority from outside the stack is revoked. */
function revokeSomebody({ directory, state }: NginxStack): void {
  const { certificate, key } = clientIn(directory);
  const run = (...args: readonly string[]): void => {
    const { status, stderr } = fullchain(['cert', ...args, '--state', state]);
    assert.equal(status, 0, stderr);
  };
  run('issue', 'somebody', '--profile', 'client', '--cert', certificate, '--key', key);
  run('revoke', serialOf(certificate));
}

const NOTHING = ['none'];
const actionsOf = (changes: readonly Change[]) => changes.map(({ action }) => action);

test('a client was revoked: the list will be signed, or is signed; applied once, there is nothing left', {
  skip,
}, async (t) => {
  const stack = await startNginxStack(t);
  await stack.answer('apply');
  assert.deepEqual(actionsOf(await stack.plan('site')), NOTHING);
  const list = join(stack.pair, 'crl.pem');
  const before = readFileSync(list, 'utf8');

  revokeSomebody(stack);
  const foreseen = await stack.plan('site');
  assert.deepEqual(actionsOf(foreseen), ['reload']);
  assert.match(
    foreseen[0]?.why ?? '',
    new RegExp(`^revocation list ends at ${ENDS} and lacks what was revoked since; a newer one will be signed$`),
  );
  assert.equal(readFileSync(list, 'utf8'), before, 'a plan changes nothing');
  const { services }: { services: { state: string; why: string }[] } = await stack.answer('status');
  assert.deepEqual([services[0]?.state, services[0]?.why], ['pending-install', foreseen[0]?.why]);

  // An authority that runs signs it when anybody asks for it.
  const authority = await up(t, stack.state);
  const root = readFileSync(join(stack.state, 'certs/root_ca.crt'), 'utf8');
  const port = Number(new URL(authority.ready.url).port);
  assert.equal((await ask({ port, path: '/crl', ca: root, serverName: 'localhost' })).status, 200);
  await authority.stop();
  const found = await stack.plan('site');
  assert.deepEqual(actionsOf(found), ['reload']);
  assert.match(found[0]?.why ?? '', new RegExp(`^revocation list ends at ${ENDS}; a newer one is there$`));

  await stack.answer('apply');
  assert.notEqual(readFileSync(list, 'utf8'), before);
  assert.deepEqual(actionsOf(await stack.plan('site')), NOTHING);
  const again: { services: { action: string }[] } = await stack.answer('apply');
  assert.equal(again.services[0]?.action, 'none');

  const right = readFileSync(list, 'utf8');
  writeFileSync(list, 'not a list\n');
  assert.match((await stack.plan('site'))[0]?.why ?? '', /^the revocation lists cannot be read; right ones are there$/);
  await stack.answer('apply');
  assert.equal(readFileSync(list, 'utf8'), right);
});

test('a list that ends, or has ended, is replaced although nobody was revoked', {
  skip: skip || needsFaketime,
}, async (t) => {
  const stack = await startNginxStack(t, 'defaults: { lifetime: 60d }\n');
  await stack.answer('apply');
  const later = async (days: number, ...args: readonly string[]): Promise<never> => {
    const env = { LD_PRELOAD: FAKETIME_LIBRARY ?? '', FAKETIME: `+${days}d` };
    const { status, stdout, output } = await stack.commandWith(env, ...args);
    assert.equal(status, 0, output);
    return JSON.parse(stdout) as never;
  };
  const planned = async (days: number): Promise<readonly Change[]> => {
    const { changes }: { changes: readonly Change[] } = await later(days, 'plan');
    return changes.filter(({ service }) => service === 'site');
  };
  for (const [days, ends] of [
    [2, 'ends'],
    [8, 'ended'],
  ] as const) {
    const changes = await planned(days);
    assert.deepEqual(actionsOf(changes), ['reload']);
    assert.match(changes[0]?.why ?? '', new RegExp(`^revocation list ${ends} at ${ENDS}; a newer one will be signed$`));
  }
  await later(8, 'apply');
  assert.deepEqual(actionsOf(await planned(8)), NOTHING);
  const again: { services: { action: string }[] } = await later(8, 'apply');
  assert.equal(again.services[0]?.action, 'none');
});
