/** S-11 as the agent does it: between the activation of a new root and its own renewals, what is served is right. */
import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAgent, until } from '../agent/running-agent.ts';
import { fullchain, scratch, up } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { clientIn, copyOf, type NginxStack, startNginxStack } from './nginx-stack.ts';

const skip = skipWithout('nginx');
const OUTGOING = 'issued under the outgoing root, to be replaced';

function rotateRoot(state: string, step: string): void {
  const { status, stdout, stderr } = fullchain(['ca', 'rotate', 'root', step, '--state', state]);
  assert.equal(status, 0, stdout + stderr);
}

interface Service {
  readonly state: string;
  readonly why: string;
  readonly checks: readonly { readonly id: string; readonly ok: boolean | null; readonly observed: string }[];
}

/** What fails; and what is said of the renewal. */
async function proof({ command }: NginxStack) {
  const { stdout } = await command('verify');
  const { services, clients }: { services: Service[]; clients: { ok: boolean }[] } = JSON.parse(stdout);
  const checks = services[0]?.checks ?? [];
  assert.ok(clients.every(({ ok }) => ok));
  return {
    failed: checks.filter(({ ok }) => ok === false).map(({ id }) => id),
    renewal: checks.find(({ id }) => id === 'renewal')?.observed ?? '',
  };
}

async function statusOf({ answer }: NginxStack): Promise<Service | undefined> {
  const { services }: { services: Service[] } = await answer('status');
  return services[0];
}

test('what was issued under the outgoing root is valid and due; the agent replaces it, and no connection fails', {
  skip,
}, async (t) => {
  const stack = await startNginxStack(t);
  const { directory, state } = stack;
  await stack.answer('apply');
  const old = copyOf(clientIn(join(directory, 'app')), join(directory, 'old'));
  rotateRoot(state, '--prepare');
  assert.deepEqual((await stack.plan('site')).map(({ action }) => action).slice(0, 1), ['install']);
  await stack.answer('apply');
  assert.equal((await statusOf(stack))?.state, 'ok');
  rotateRoot(state, '--activate');

  const [first] = await stack.plan('site');
  assert.deepEqual([first?.action, first?.why], ['issue', OUTGOING]);
  const { state: due, why } = (await statusOf(stack)) ?? {};
  assert.deepEqual([due, why], ['due', OUTGOING]);
  const without = await proof(stack);
  assert.deepEqual(without.failed, ['renewal'], 'the chain is right; only nobody will replace it');
  assert.match(without.renewal, /outgoing root.*no agent is running/);

  const before = stack.serial();
  const agent = startAgent(t, stack.file, state, '--interval', '1s');
  const answers = new Map<string, number>();
  await until(async () => {
    // Of one version, lest certificate and key be read on both sides of a replacement.
    for (const client of [old, clientIn(realpathSync(join(directory, 'app/current')))]) {
      const seen = await stack.get(client);
      answers.set(seen, (answers.get(seen) ?? 0) + 1);
    }
    return stack.serial() !== before && (await statusOf(stack))?.state === 'ok';
  }, 'the renewal');
  assert.deepEqual([...answers.keys()], ['200']);
  assert.deepEqual((await proof(stack)).failed, []);
  rotateRoot(state, '--retire');
  await until(async () => (await stack.get(old)) === '400', 'the refusal of what is of the old root');
  assert.equal(await stack.get(clientIn(join(directory, 'app'))), '200');
  assert.deepEqual((await proof(stack)).failed, []);
  assert.equal(await agent.stop(), 0);
});

test('the same below an authority on another host', { skip }, async (t) => {
  const there = join(scratch(t), 'authority');
  assert.equal(fullchain(['ca', 'init', '--state', there, '--dns', 'localhost']).status, 0);
  const { url, rootFingerprint } = (await up(t, there)).ready;
  const stack = await startNginxStack(
    t,
    `authority: { url: "${url}", fingerprint: ${rootFingerprint}, provisioner: admin, passwordFile: ${there}/secrets/provisioner_password }\n`,
  );
  await stack.answer('apply');
  rotateRoot(there, '--prepare');
  const isKnown = (what: RegExp) => async () => what.test(JSON.stringify(await stack.plan('site')));
  await until(isKnown(/another bundle of roots/), 'the bundle');
  await stack.answer('apply');
  rotateRoot(there, '--activate');
  await until(isKnown(/outgoing root/), 'the activation');
  assert.deepEqual((await proof(stack)).failed, ['renewal']);
  const before = stack.serial();
  await stack.answer('apply');
  assert.notEqual(stack.serial(), before);
  rotateRoot(there, '--retire');
});
