/** Postfix and Dovecot from plaintext to proven and back, each check of `verify` seen to fail where a person broke it. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHECK_IDS } from '../../src/flow/agent/verify/verify-service.ts';
import { skipWithout } from '../servers/available.ts';
import { run, until } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { startDovecot } from '../services/start-dovecot.ts';
import { startPostfix } from '../services/start-postfix.ts';
import { checkOf, failed, oneService, untried } from './one-service.ts';

const needRoot = IS_ROOT ? false : 'skipped: mail servers start as root only';

test('Dovecot: apply, verify, rotate, remove', { skip: skipWithout('dovecot', 'doveadm') || needRoot }, async (t) => {
  const { port, config } = await startDovecot(t);
  const keys = (more = ''): string =>
    `kind: dovecot, names: [service.internal, localhost], address: 127.0.0.1:${port}, config: ${config}${more}`;
  const { declare, apply, rotate, plan, verify } = oneService(t, keys());
  const reload = async (): Promise<void> =>
    assert.equal((await run('doveadm', ['-c', join(config, '../dovecot.conf'), 'reload'])).status, 0);
  /** Settings that are read after ours. */
  const byHand = join(config, '99-z.conf');

  await t.test('before, it has no TLS and lets clients in', async () => {
    assert.deepEqual(failed(await verify()), ['served', 'plaintext', 'key', 'renewal']);
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

  const broken: readonly (readonly [what: string, settings: string, fails: readonly string[]])[] = [
    ['plaintext logins', 'ssl = yes\ndisable_plaintext_auth = no\n', ['plaintext']],
    ['a network that is trusted in plaintext', 'login_trusted_networks = 127.0.0.0/8\n', ['plaintext']],
    ['no TLS 1.2', 'ssl_min_protocol = TLSv1.3\n', ['protocols']],
    ['a weak suite', 'ssl_cipher_list = ECDHE-ECDSA-AES256-SHA384\n', ['suites']],
    ['TLS switched off', 'ssl = no\ndisable_plaintext_auth = no\n', ['served', 'plaintext']],
  ];
  for (const [what, settings, fails] of broken)
    await t.test(`by hand: ${what}`, async () => {
      writeFileSync(byHand, settings);
      await reload();
      const checks = await verify();
      assert.deepEqual(failed(checks), fails, JSON.stringify(checks));
      // Nothing is left to apply: a file of a person's says otherwise.
      assert.match(
        checkOf(checks, fails.at(-1) ?? '').remedy ?? '',
        /: \S+\/99-fullchain-svc\.conf says so already, so look for what overrides it .*doveadm .* reload$/,
      );
      rmSync(byHand);
      await reload();
    });

  await t.test('a new pair is served', async () => {
    const rotated = await rotate();
    assert.equal(rotated.ok, true, JSON.stringify(rotated));
    assert.notEqual(rotated.certificate.fingerprint, first.certificate.fingerprint);
    assert.deepEqual(failed(await verify()), []);
  });

  await t.test('clients: who has no right certificate is refused at a login', async () => {
    declare(keys(', clients: required'));
    assert.match((await plan()).notes.map((note) => JSON.stringify(note)).join(), /Dovecot reads no revocation lists/);
    assert.equal((await apply()).ok, true);
    const checks = await verify();
    assert.deepEqual([failed(checks), untried(checks)], [[], []], JSON.stringify(checks));
    const wrong: readonly (readonly [settings: string, observed: RegExp])[] = [
      [
        'auth_ssl_require_client_cert = no\n',
        /without a certificate: accepted; .*foreign.*: accepted; .*clientAuth: accepted$/,
      ],
      ['ssl_verify_client_cert = no\n', /^a right certificate: refused$/],
    ];
    for (const [settings, observed] of wrong) {
      writeFileSync(byHand, settings);
      await reload();
      const now = await verify();
      assert.deepEqual(failed(now), ['clients'], JSON.stringify(now));
      assert.match(checkOf(now, 'clients').observed, observed);
    }
    rmSync(byHand);
    await reload();
  });

  await t.test('taken out again, nothing is left', async () => {
    const removed = await apply('--remove');
    assert.equal(removed.ok, true, JSON.stringify(removed));
    assert.equal(existsSync(join(config, '99-fullchain-svc.conf')), false);
    assert.equal(existsSync(join(config, '../fullchain-svc')), false);
    declare(keys());
    assert.deepEqual(failed(await verify()), ['served', 'plaintext', 'key', 'renewal']);
  });
});

test('Postfix: apply, verify, rotate, remove', { skip: skipWithout('postfix') || needRoot }, async (t) => {
  const { port, config, text } = await startPostfix(t);
  const keys = (more = ''): string =>
    `kind: postfix, names: [service.internal, localhost], address: 127.0.0.1:${port}, config: ${config}${more}`;
  const { declare, apply, rotate, plan, verify } = oneService(t, keys());
  const reload = async (): Promise<void> =>
    assert.equal((await run('postfix', ['-c', join(config, '..'), 'reload'])).status, 0);

  await t.test('before, it has no TLS and takes mail', async () => {
    assert.deepEqual(failed(await verify()), ['served', 'plaintext', 'key', 'renewal']);
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

  const broken: readonly (readonly [what: string, settings: string, fails: readonly string[]])[] = [
    ['mail in plaintext', 'smtpd_tls_security_level = may\n', ['plaintext']],
    ['no TLS 1.2', 'smtpd_tls_mandatory_protocols = >=TLSv1.3\n', ['protocols']],
    ['a weak suite', 'tls_medium_cipherlist = ECDHE-ECDSA-AES256-SHA384\n', ['suites']],
    ['TLS switched off', 'smtpd_tls_security_level = none\n', ['served', 'plaintext']],
  ];
  for (const [what, settings, fails] of broken)
    await t.test(`by hand: ${what}`, async () => {
      const right = readFileSync(config, 'utf8');
      appendFileSync(config, settings);
      await reload();
      await until(async () => failed(await verify()).join() === fails.join(), `${fails.join()} to fail`, 15_000);
      writeFileSync(config, right);
      await reload();
      await until(async () => failed(await verify()).length === 0, 'what was before', 15_000);
    });

  await t.test('a new pair is served', async () => {
    const rotated = await rotate();
    assert.equal(rotated.ok, true, JSON.stringify(rotated));
    assert.notEqual(rotated.certificate.fingerprint, first.certificate.fingerprint);
    assert.deepEqual(failed(await verify()), []);
  });

  await t.test('clients: who has no right certificate cannot send', async () => {
    declare(keys(', clients: required'));
    assert.match((await plan()).notes.map((note) => JSON.stringify(note)).join(), /Postfix reads no revocation lists/);
    assert.equal((await apply()).ok, true);
    const checks = await verify();
    assert.deepEqual([failed(checks), untried(checks)], [[], []], JSON.stringify(checks));
    const right = readFileSync(config, 'utf8');
    appendFileSync(config, 'smtpd_tls_req_ccert = no\n');
    await reload();
    await until(async () => failed(await verify()).join() === 'clients', 'clients to fail', 15_000);
    writeFileSync(config, right);
  });

  await t.test('taken out again, the file is as it was', async () => {
    const removed = await apply('--remove');
    assert.equal(removed.ok, true, JSON.stringify(removed));
    assert.equal(readFileSync(config, 'utf8'), text);
    assert.equal(existsSync(join(config, '../fullchain-svc')), false);
    declare(keys());
    await until(
      async () => failed(await verify()).join() === 'served,plaintext,key,renewal',
      'plaintext again',
      15_000,
    );
  });
});
