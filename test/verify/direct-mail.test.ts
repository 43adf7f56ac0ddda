/** Ports of mail servers at which TLS comes first (993, 465): proven as such, with clients, and not taken for those of STARTTLS. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { pathOf, skipWithout } from '../servers/available.ts';
import { run, until } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { startDovecot } from '../services/start-dovecot.ts';
import { startPostfix } from '../services/start-postfix.ts';
import { checkOf, failed, oneService, untried } from './one-service.ts';

const needRoot = IS_ROOT ? false : 'skipped: mail servers start as root only';

test('Dovecot, imaps', { skip: skipWithout('dovecot', 'doveadm') || needRoot }, async (t) => {
  const { directPort, config } = await startDovecot(t);
  const keys = (more = ''): string =>
    `kind: dovecot, names: [service.internal, localhost], address: 127.0.0.1:${directPort}, config: ${config}, protocol: imaps${more}`;
  const { declare, apply, rotate, verify } = oneService(t, keys());
  const first = await apply();
  assert.equal(first.ok, true, JSON.stringify(first));
  const checks = await verify();
  assert.deepEqual([failed(checks), untried(checks)], [[], [['clients', 'the stack file asks for none']]]);
  assert.match(checkOf(checks, 'plaintext').observed, /alert or a closed connection/);
  assert.equal((await rotate()).ok, true);

  declare(keys(', clients: required'));
  assert.equal((await apply()).ok, true);
  const asked = await verify();
  assert.deepEqual([failed(asked), untried(asked)], [[], []], JSON.stringify(asked));
  const byHand = join(config, '99-z.conf');
  for (const [settings, fails] of [
    ['auth_ssl_require_client_cert = no\n', ['clients']],
    ['ssl_min_protocol = TLSv1.3\n', ['protocols']],
    ['ssl = no\n', ['served']],
  ] as const) {
    writeFileSync(byHand, settings);
    assert.equal((await run('doveadm', ['-c', join(config, '../dovecot.conf'), 'reload'])).status, 0);
    await until(async () => failed(await verify())[0] === fails[0], `${fails} to fail`, 15_000);
  }
  rmSync(byHand);
});

test('Postfix, smtps', { skip: skipWithout('postfix') || needRoot }, async (t) => {
  const { directPort, config } = await startPostfix(t);
  const keys = (more = ''): string =>
    `kind: postfix, names: [service.internal, localhost], address: 127.0.0.1:${directPort}, config: ${config}, protocol: smtps${more}`;
  const { declare, apply, rotate, verify } = oneService(t, keys());
  const first = await apply();
  assert.equal(first.ok, true, JSON.stringify(first));
  const checks = await verify();
  assert.deepEqual([failed(checks), untried(checks)], [[], [['clients', 'the stack file asks for none']]]);
  assert.equal((await rotate()).ok, true);

  declare(keys(', clients: required'));
  assert.equal((await apply()).ok, true);
  const asked = await verify();
  assert.deepEqual([failed(asked), untried(asked)], [[], []], JSON.stringify(asked));
  const right = readFileSync(config, 'utf8');
  appendFileSync(config, 'smtpd_tls_req_ccert = no\n');
  assert.equal((await run(pathOf('postfix') ?? 'postfix', ['-c', dirname(config), 'reload'])).status, 0);
  await until(async () => failed(await verify()).join() === 'clients', 'clients to fail', 15_000);
  writeFileSync(config, right);
});
