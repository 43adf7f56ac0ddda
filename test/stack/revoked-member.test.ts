/** What its issuer has revoked is replaced at once, by another key, and until then everything says so. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAgent, until } from '../agent/running-agent.ts';
import { fullchain, scratch, up } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { clientIn, keyOf, type NginxStack, serialOf, startNginxStack } from './nginx-stack.ts';

const skip = skipWithout('nginx');

const REVOKED = /^revoked \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, reason keyCompromise$/;

function revoke(state: string, serial: string): void {
  const { status, stderr } = fullchain(['cert', 'revoke', serial, '--reason', 'keyCompromise', '--state', state]);
  assert.equal(status, 0, stderr);
}

interface Member {
  readonly name: string;
  readonly state: string;
  readonly why: string;
  readonly checks: readonly { readonly id: string; readonly ok: boolean | null; readonly observed: string }[];
  readonly connects: readonly { readonly ok: boolean | null; readonly observed: string; readonly remedy: string }[];
  readonly steps: readonly { readonly step: string; readonly ok: boolean; readonly detail: string }[];
}

interface Answer {
  readonly services: readonly Member[];
  readonly clients: readonly Member[];
}

async function stateOf({ command }: NginxStack, kind: 'services' | 'clients'): Promise<string> {
  const { status, stdout } = await command('status');
  const { services, clients }: Answer = JSON.parse(stdout);
  const isRevoked = [...services, ...clients].some(({ why }) => why.startsWith('revoked'));
  assert.equal(status, isRevoked ? 1 : 0, stdout);
  const [member] = kind === 'services' ? services : clients;
  return `${member?.state}: ${member?.why}`;
}

test('a revoked certificate of a service is due at once, fails its proof, and apply replaces it with another key', {
  skip,
}, async (t) => {
  const stack = await startNginxStack(t);
  await stack.answer('apply');
  assert.match(await stateOf(stack, 'services'), /^ok/);
  const certificate = join(stack.pair, 'current/tls.crt');
  const [serial, key] = [stack.serial(), keyOf(certificate)];
  revoke(stack.state, serial);

  const [first] = await stack.plan('site');
  assert.equal(first?.action, 'issue');
  assert.match(first.why, REVOKED);
  assert.match(await stateOf(stack, 'services'), /^due: revoked/);
  const verified = await stack.command('verify', 'site');
  assert.equal(verified.status, 1, verified.output);
  const failed = (JSON.parse(verified.stdout) as Answer).services[0]?.checks.filter(({ ok }) => ok === false) ?? [];
  assert.deepEqual(
    failed.map(({ id }) => id),
    ['chain', 'renewal'],
  );
  assert.match(failed[0]?.observed ?? '', /the leaf is revoked .*, reason keyCompromise/);

  await stack.answer('apply');
  assert.notEqual(stack.serial(), serial);
  assert.notEqual(keyOf(certificate), key);
  assert.match(await stateOf(stack, 'services'), /^ok/);
  await stack.answer('verify');
});

test('a revoked certificate of a client: no service is asked whether it still lets it in', { skip }, async (t) => {
  const stack = await startNginxStack(t);
  await stack.answer('apply');
  const { certificate } = clientIn(join(stack.directory, 'app'));
  const [serial, key] = [serialOf(certificate), keyOf(certificate)];
  assert.equal((await stack.command('verify', 'clients/app')).status, 0);
  revoke(stack.state, serial);
  assert.match((await stack.plan('app'))[0]?.why ?? '', REVOKED);
  assert.match(await stateOf(stack, 'clients'), /^due: revoked/);
  // nginx has no newer list yet, and lets it in.
  assert.equal(await stack.get(clientIn(join(stack.directory, 'app'))), '200');
  const verified = await stack.command('verify', 'clients/app');
  assert.equal(verified.status, 1, verified.output);
  const [connects] = (JSON.parse(verified.stdout) as Answer).clients[0]?.connects ?? [];
  assert.match(connects?.observed ?? '', /revoked .*, reason keyCompromise/);
  assert.match(connects?.remedy ?? '', /fullchain apply clients\/app/);
  await stack.answer('apply');
  assert.notEqual(serialOf(certificate), serial);
  assert.notEqual(keyOf(certificate), key);
  await stack.answer('verify', 'clients/app');
});

test('the agent hears of it within its interval', { skip }, async (t) => {
  const stack = await startNginxStack(t);
  await stack.answer('apply');
  const agent = startAgent(t, stack.file, stack.state, '--interval', '1s');
  await until(() => agent.log().some(({ msg }) => /was read/.test(msg)), 'the agent');
  const client = clientIn(join(stack.directory, 'app')).certificate;
  for (const serial of [stack.serial, () => serialOf(client)]) {
    const before = serial();
    revoke(stack.state, before);
    await until(() => serial() !== before, 'the replacement', 10);
  }
  await until(async () => /^ok/.test(await stateOf(stack, 'services')), 'a stack that is as it should be', 20);
  assert.equal(await agent.stop(), 0);
});

test('a pair that was obtained and is revoked before it is served is not used; a revoked one that must stay is called so', {
  skip,
}, async (t) => {
  const stack = await startNginxStack(t);
  await stack.answer('apply');
  const served = stack.serial();
  revoke(stack.state, served);
  writeFileSync(stack.fault, '');
  const newest = (): string => {
    const numbers = readdirSync(join(stack.pair, 'versions')).map(Number);
    return serialOf(join(stack.pair, 'versions', String(Math.max(...numbers)), 'tls.crt'));
  };
  const fails = async (): Promise<string> => {
    const { status, stdout, output } = await stack.command('apply', 'site');
    assert.equal(status, 1, output);
    return (JSON.parse(stdout) as Answer).services[0]?.steps.map(({ detail }) => detail).join('\n') ?? '';
  };
  const report = await fails();
  const pending = newest();
  assert.notEqual(pending, served);
  assert.equal(stack.serial(), served);
  assert.match(report, /the old pair is back in place and served, although it is revoked .*keyCompromise/);
  assert.match(await fails(), /obtained by an earlier try, is used/);
  revoke(stack.state, pending);
  rmSync(stack.fault);
  await stack.answer('apply');
  assert.ok(![served, pending].includes(stack.serial()), 'a third one');
});

test('an authority on another host: what it revoked is known to every command, and to one that cannot ask any more', {
  skip,
}, async (t) => {
  const there = join(scratch(t), 'authority');
  assert.equal(fullchain(['ca', 'init', '--state', there, '--dns', 'localhost']).status, 0);
  const authority = await up(t, there);
  const { url, rootFingerprint } = authority.ready;
  const stack = await startNginxStack(
    t,
    `authority: { url: "${url}", fingerprint: ${rootFingerprint}, provisioner: admin, passwordFile: ${there}/secrets/provisioner_password }\n`,
  );
  await stack.answer('apply');
  const serial = stack.serial();
  revoke(there, serial);
  assert.match(await stateOf(stack, 'services'), /^due: revoked/);
  await authority.stop();
  const planned = await stack.plan('site');
  assert.match(planned[0]?.why ?? '', REVOKED);
  assert.match(planned.at(-1)?.why ?? '', /^revocation list ends at .*; a newer one is there; /);
  await up(t, there, ['--listen', new URL(url).host]);
  await stack.answer('apply');
  assert.notEqual(stack.serial(), serial);
  assert.match(await stateOf(stack, 'services'), /^ok/);
});
