/** HAProxy from plaintext to proven and back; what is to be done where the bind line is a person's own, and where it is stopped. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHECK_IDS } from '../../src/flow/agent/verify/verify-service.ts';
import { skipWithout } from '../servers/available.ts';
import { until } from '../servers/process.ts';
import { startHaproxy } from '../services/start-haproxy.ts';
import { startUpstream } from '../services/upstream.ts';
import { freePort } from '../world/free-port.ts';
import { checkOf, failed, oneService, untried } from './one-service.ts';

const skip = skipWithout('haproxy');

test('HAProxy: apply, verify, rotate, remove', { skip }, async (t) => {
  const { start, config, pidFile, text, directory } = await startHaproxy(t);
  const server = await start();
  await using upstream = await startUpstream();
  const port = await freePort();
  const keys = (more = ''): string =>
    `kind: haproxy, names: [service.internal, localhost], address: 127.0.0.1:${port}, config: ${config}, pidFile: ${pidFile}, upstream: ${upstream.url}${more}`;
  const { declare, apply, rotate, verify } = oneService(t, keys());
  /** With this text of the configuration in force. */
  const failing = async (now: string, fails: readonly string[]): Promise<void> => {
    writeFileSync(config, now);
    server.signal('SIGUSR2');
    await until(async () => failed(await verify()).join() === fails.join(), `"${fails.join()}" to fail`, 20_000);
  };

  await t.test('before, nobody listens there', async () => {
    assert.deepEqual(failed(await verify()), ['served', 'key', 'renewal']);
  });

  const first = await apply();
  assert.equal(first.ok, true, JSON.stringify(first));

  await t.test('proven, and settled', async () => {
    const checks = await verify();
    assert.deepEqual(
      checks.map(({ id }) => id),
      CHECK_IDS,
    );
    assert.deepEqual(failed(checks), [], JSON.stringify(checks));
    assert.deepEqual(untried(checks), [['clients', 'the stack file asks for none']]);
    assert.equal((await apply()).action, 'none');
  });

  const right = readFileSync(config, 'utf8');
  const broken: readonly (readonly [what: string, from: RegExp, to: string, fails: readonly string[]])[] = [
    ['plaintext', / ssl crt .*/, '', ['served', 'plaintext']],
    ['no TLS 1.2', /ssl-min-ver TLSv1.2/, 'ssl-min-ver TLSv1.3', ['protocols']],
    ['a weak suite', / ciphers \S+/, ' ciphers ECDHE-ECDSA-AES256-SHA384', ['suites']],
  ];
  for (const [what, from, to, fails] of broken)
    await t.test(`by hand: ${what}`, async () => {
      assert.match(right, from);
      await failing(right.replace(from, to), fails);
      await failing(right, []);
    });

  await t.test('a new pair is served', async () => {
    const rotated = await rotate();
    assert.equal(rotated.ok, true, JSON.stringify(rotated));
    assert.notEqual(rotated.certificate.fingerprint, first.certificate.fingerprint);
    assert.deepEqual(failed(await verify()), []);
  });

  await t.test('clients: who has no right certificate is refused', async () => {
    declare(keys(', clients: required'));
    assert.equal((await apply()).ok, true);
    const checks = await verify();
    assert.deepEqual([failed(checks), untried(checks)], [[], []], JSON.stringify(checks));
    const required = readFileSync(config, 'utf8');
    await failing(required.replace('verify required', 'verify none'), ['clients']);
    await failing(required, []);
  });

  await t.test('taken out again, the file is as it was', async () => {
    const removed = await apply('--remove');
    assert.equal(removed.ok, true, JSON.stringify(removed));
    assert.equal(readFileSync(config, 'utf8'), text);
    assert.equal(existsSync(join(directory, 'fullchain-svc')), false);
  });
});

test('HAProxy with a bind line of a person’s own: its line, and what to write there', { skip }, async (t) => {
  const port = await freePort();
  const pair = (directory: string): string => join(directory, 'pair.pem');
  const { start, config, pidFile, text, directory } = await startHaproxy(t);
  const server = await start();
  const { apply, verify } = oneService(
    t,
    `kind: haproxy, names: [localhost], address: 127.0.0.1:${port}, config: ${config}, pidFile: ${pidFile}, certificate: ${pair(directory)}`,
  );
  const refused = await apply();
  assert.equal(refused.ok, false, 'nothing names the pair yet');

  const own = `${text}frontend secure\n    bind 127.0.0.1:${port} ssl crt ${pair(directory)}\n    http-request return status 204\n`;
  const line = own.split('\n').findIndex((one) => one.includes(' ssl crt ')) + 1;
  writeFileSync(config, own);
  assert.equal((await apply()).ok, true);
  const checks = await verify();
  assert.deepEqual(failed(checks), ['suites']);
  const { remedy } = checkOf(checks, 'suites');
  assert.ok(
    remedy?.includes(
      `in ${config}:${line}, write: bind … ssl crt ${pair(directory)} alpn h2,http/1.1 ssl-min-ver TLSv1.2`,
    ),
    remedy ?? '',
  );

  await t.test('what it says, written there, proves the service', async () => {
    const options = /write: bind … (.*)$/.exec(remedy ?? '')?.[1] ?? '';
    writeFileSync(config, own.replace(/ ssl crt .*/, ` ${options}`));
    server.signal('SIGUSR2');
    await until(async () => failed(await verify()).length === 0, 'every check to hold', 20_000);
  });

  await t.test('stopped, it is to be started, whatever its process id says', async () => {
    await server.stop();
    const again = await apply();
    const step = again.steps.find(({ ok }) => !ok);
    assert.equal(step?.step, 'reload', JSON.stringify(again));
    assert.match(step?.remedy ?? '', /^Start the service, which does not run — then again: fullchain apply$/);
    assert.match(checkOf(await verify(), 'served').remedy ?? '', /^Start svc — then look at its log/);
  });
});
