import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mysql } from '../../src/core/services/mysql.ts';
import { skipWithout } from '../servers/available.ts';
import { configure, install, output, run, serviceSpec, take } from './applied.ts';
import { type Look, look, serves } from './look.ts';
import { mysqlPreamble, startMariaDb } from './start-mariadb.ts';
import { testAuthority } from './test-authority.ts';

const skip = skipWithout('mariadbd', 'mariadb', 'mariadb-install-db');

const authority = testAuthority();
const foreign = testAuthority('Foreign Root');

test('MariaDB serves TLS after a restart and nothing else over TCP, renews by FLUSH SSL, refuses a broken pair', {
  skip,
}, async (t) => {
  const { restart, port, config, socket, path, overSocket, overTcp } = await startMariaDb(t);
  const service = serviceSpec(mysql, port, { settings: { config, socket } });
  const [first, second] = [authority.issue(['serverAuth']), authority.issue(['serverAuth'])];
  const at: Look = { port, ca: authority.ca, preamble: mysqlPreamble };
  assert.equal((await overTcp('--skip-ssl')).output, '1\n');

  const { desired } = configure(mysql, service);
  install(desired, first);
  assert.deepEqual(desired.restart, {
    kind: 'command',
    argv: ['systemctl', 'restart', 'mariadb'],
    why: 'MariaDB begins with TLS only at a start',
  });
  await restart();
  assert.ok(await serves(at, first));

  await t.test('the key belongs to the user of the server alone', () => {
    const { mode, uid } = statSync(join(desired.install.directory, 'current', 'tls.key'));
    assert.equal(mode & 0o777, 0o600);
    assert.equal(uid, statSync(socket).uid);
  });

  await t.test('policy is kept', async () => {
    assert.equal((await look(at)).chainLength, 2);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      assert.equal((await look({ ...at, minVersion: version, maxVersion: version })).version, version);
    await assert.rejects(look({ ...at, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
    await assert.rejects(
      look({ ...at, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA' }),
    );
  });

  await t.test('plaintext is refused over TCP; the socket is as before', async () => {
    // 10.11 does not even say why.
    assert.match((await overTcp('--skip-ssl')).output, /Access denied|insecure transport/);
    const proof = desired.plaintextRefused;
    assert.equal(proof && (await output(proof.action)), proof?.output);
    assert.equal((await overSocket('SELECT 1')).output, '1\n');
  });

  await t.test('a verifying client gets in, and not with another root', async () => {
    for (const [name, text] of [
      ['ca.crt', authority.ca],
      ['other.crt', foreign.ca],
    ] as const)
      writeFileSync(join(path, name), text);
    assert.equal((await overTcp(`--ssl-ca=${path}/ca.crt`, '--ssl-verify-server-cert')).output, '1\n');
    assert.match((await overTcp(`--ssl-ca=${path}/other.crt`, '--ssl-verify-server-cert')).output, /certificate/i);
  });

  await t.test('a second run changes nothing', () => {
    assert.equal(configure(mysql, service).changed, false);
  });

  await t.test('a new pair is served after FLUSH SSL', async () => {
    install(desired, second);
    assert.ok(await serves(at, first));
    await take(desired);
    assert.ok(await serves(at, second));
  });

  await t.test('a pair that does not fit is refused with an error, and the old one is served', async () => {
    install(desired, first, { key: second.key });
    const outcome = desired.reload && (await run(desired.reload));
    assert.equal(outcome?.ok, false);
    assert.match(outcome.output, /ERROR 1105/);
    assert.ok(await serves(at, second));
    install(desired, second);
  });

  await t.test('optional: who shows a certificate is verified', async () => {
    const optional = serviceSpec(mysql, port, { clients: { kind: 'optional' }, settings: { config, socket } });
    assert.equal(configure(mysql, optional).changed, true);
    await restart();
    assert.ok(await serves(at, second));
    assert.ok(await serves({ ...at, client: authority.issue(['clientAuth'], 'app') }, second));
    // Refusals come after the handshake of TLS 1.3; a packet brings them to light.
    const packet = Uint8Array.of(1, 0, 0, 2, 0);
    for (const client of [foreign.issue(['clientAuth'], 'app'), authority.issue(['serverAuth'], 'app')])
      await assert.rejects(look({ ...at, client, say: packet }), /alert|SSL/);
  });

  await t.test('who must show one is said per user, and the kind says so', () => {
    const required = serviceSpec(mysql, port, { clients: { kind: 'required' }, settings: { config } });
    assert.match(mysql.impossible(required)?.why ?? '', /REQUIRE X509/);
  });

  assert.match(readFileSync(join(config, 'zz-fullchain-svc.cnf'), 'utf8'), /require_secure_transport = ON/);
});
