/** What `status` ends with: 0 while everything is good, also where something is yet to be done; 1 for what clients meet or what was tried in vain. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { skipWithout } from '../servers/available.ts';
import { FAKETIME_LIBRARY, needsFaketime } from '../surroundings/faketime.ts';
import { startNginxStack } from './nginx-stack.ts';

interface Page {
  readonly ok: boolean;
  readonly services: readonly { readonly state: string }[];
}

test('good, due, failed and expired', { skip: skipWithout('nginx', 'openssl') || needsFaketime }, async (t) => {
  const stack = await startNginxStack(t);
  const page = async (env: Readonly<Record<string, string>> = {}) => {
    const { status, stdout } = await stack.commandWith(env, 'status');
    const { ok, services }: Page = JSON.parse(stdout);
    return [status, ok, services[0]?.state];
  };
  assert.deepEqual(await page(), [1, false, 'unmanaged'], 'there is no authority yet');
  await stack.answer('apply');
  assert.deepEqual(await page(), [0, true, 'ok']);
  const later = (by: string) => ({
    LD_PRELOAD: FAKETIME_LIBRARY ?? '',
    FAKETIME: by,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  });
  assert.deepEqual(await page(later('+20h')), [0, true, 'due'], 'an agent will do it');
  assert.deepEqual(await page(later('+2d')), [1, false, 'due'], 'clients refuse it');
  writeFileSync(stack.fault, '');
  writeFileSync(
    stack.file,
    readFileSync(stack.file, 'utf8').replace('[service.internal,', '[service.internal, new.internal,'),
  );
  assert.equal((await stack.command('apply')).status, 1);
  assert.deepEqual(await page(), [1, false, 'failed']);
  rmSync(stack.fault);
  await stack.answer('apply');
  assert.deepEqual(await page(), [0, true, 'ok']);
});
