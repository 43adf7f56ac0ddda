/** A site on HTTPS from nothing: the stack of examples/aragora.yaml, with ports and directories that are free here. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { getCiphers } from 'node:tls';
import { TLS_POLICIES } from '../../src/core/services/tls-policy.ts';
import { skipWithout } from '../servers/available.ts';
import { look } from '../services/look.ts';
import { ask, echo, NAMES, type Site, startSite } from './site.ts';

/** TLS 1.2 with this suite alone; whether the server takes it. */
async function takes({ port, ca }: Site, suite: string): Promise<boolean> {
  const options = {
    port,
    ca,
    servername: 'aragora.test',
    maxVersion: 'TLSv1.2',
    ciphers: `${suite}:@SECLEVEL=0`,
  } as const;
  return look(options).then(
    () => true,
    () => false,
  );
}

test('a site on HTTPS from nothing, by one command', { skip: skipWithout('nginx') }, async (t) => {
  const site = await startSite(t);
  const { port, redirectHttp, ca } = site;
  const applied = await site.fullchain('apply');
  assert.equal(applied.status, 0, applied.output);

  await t.test('https answers through the proxy, for each name', async () => {
    for (const name of NAMES) {
      const { status, headers, body } = await ask(name, port, '/a?b=c', ca);
      assert.equal(status, 200);
      assert.equal(JSON.parse(body).url, '/a?b=c');
      assert.equal(JSON.parse(body).headers['x-forwarded-proto'], 'https');
      assert.equal(headers['strict-transport-security'], 'max-age=300', 'short');
    }
  });

  await t.test('a WebSocket echoes', async () => assert.equal(await echo(site, 'hello there'), 'hello there'));

  await t.test('http redirects, but for challenges, which are gone after use', async () => {
    const { status, headers } = await ask('www.aragora.test', redirectHttp, '/a?b=c');
    assert.deepEqual([status, headers.location], [301, `https://www.aragora.test:${port}/a?b=c`]);
    const challenges = join(site.webroot, '.well-known', 'acme-challenge');
    writeFileSync(join(challenges, 'planted'), 'planted.thumbprint');
    const planted = await ask('aragora.test', redirectHttp, '/.well-known/acme-challenge/planted');
    assert.deepEqual([planted.status, planted.body], [200, 'planted.thumbprint']);
    assert.equal((await ask('aragora.test', redirectHttp, '/.well-known/acme-challenge/other')).status, 404);
    assert.deepEqual(spawnSync('ls', [challenges], { encoding: 'utf8' }).stdout.trim(), 'planted');
  });

  await t.test('TLS 1.2 and 1.3, and of TLS 1.2 the suites of the policy that fit the key; nothing else', async () => {
    const versions: string[] = [];
    for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const) {
      const options = { port, ca, servername: 'aragora.test', minVersion: version, maxVersion: version };
      await look(options).then(
        () => versions.push(version),
        () => {},
      );
    }
    assert.deepEqual(versions, ['TLSv1.2', 'TLSv1.3']);
    const taken: string[] = [];
    for (const suite of getCiphers().map((name) => name.toUpperCase())) {
      if (!suite.startsWith('TLS_') && (await takes(site, suite))) taken.push(suite);
    }
    const wanted = TLS_POLICIES.intermediate.suites12.filter((suite) => suite.includes('ECDSA'));
    assert.deepEqual(taken.sort(), [...wanted].sort());
  });

  await t.test('nginx has nothing to warn of', () => {
    const { status, stderr } = spawnSync('/bin/sh', ['-c', `${site.nginx} -t`], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.doesNotMatch(stderr, /warn|emerg/);
  });

  await t.test('a second apply changes nothing', async () => {
    const again = await site.fullchain('apply');
    assert.equal(again.status, 0, again.output);
    assert.deepEqual(
      JSON.parse(again.stdout).services.map(({ action }: { action: string }) => action),
      ['none'],
    );
  });

  await t.test('verify finds nothing wrong', async () => {
    const { stdout, output } = await site.fullchain('verify');
    const [service] = JSON.parse(stdout || '{}').services ?? [];
    assert.ok(service, output);
    for (const check of service.checks)
      assert.notEqual(check.ok, false, `${check.id}: wanted ${check.wanted}; ${check.observed}`);
  });
});
