/** When the issuer wants a certificate replaced (RFC 9773) it is, long before two thirds of its life have passed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skipWithout } from '../servers/available.ts';
import { look } from '../services/look.ts';
import { startSite } from './site.ts';

interface Change {
  readonly action: string;
  readonly why: string;
}

test('an ACME server that says now', { skip: skipWithout('nginx') }, async (t) => {
  const site = await startSite(t);
  const plan = async (): Promise<readonly Change[]> => {
    const { status, stdout, output } = await site.fullchain('plan');
    assert.equal(status, 0, output);
    return JSON.parse(stdout).changes;
  };
  const served = async (): Promise<string> =>
    (await look({ port: site.port, ca: site.ca, servername: 'aragora.test' })).fingerprint;
  assert.equal((await site.fullchain('apply')).status, 0);
  const first = await served();
  assert.deepEqual(
    (await plan()).map(({ action }) => action),
    ['none'],
  );
  await site.authority.revokeNewest();
  const [change] = await plan();
  assert.equal(change?.action, 'issue');
  assert.match(change.why, /^its issuer wants it replaced; 23h\d+m are left$/);
  const applied = await site.fullchain('apply');
  assert.equal(applied.status, 0, applied.output);
  assert.notEqual(await served(), first);
  assert.deepEqual(
    (await plan()).map(({ action }) => action),
    ['none'],
  );
});
