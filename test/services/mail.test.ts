import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { dovecot } from '../../src/core/services/dovecot.ts';
import { postfix } from '../../src/core/services/postfix.ts';
import type { ClientPolicy } from '../../src/core/stack/stack.ts';
import { skipWithout } from '../servers/available.ts';
import { until } from '../servers/process.ts';
import { configure, IS_ROOT, install, remove, run, serviceSpec, take } from './applied.ts';
import { connected, greeting, type Look, look, serves } from './look.ts';
import { startDovecot } from './start-dovecot.ts';
import { startPostfix } from './start-postfix.ts';
import { type TestPair, testAuthority } from './test-authority.ts';

const authority = testAuthority();
const foreign = testAuthority('Foreign Root');
const [first, second] = [authority.issue(['serverAuth']), authority.issue(['serverAuth'])];

const needRoot = IS_ROOT ? false : 'skipped: mail servers start as root only';

/** Says a line, and reads up to the answer's last line. */
async function converse(socket: Socket, words: string, last: RegExp): Promise<string> {
  socket.write(words);
  let answer = '';
  while (!last.test(answer)) {
    socket.resume();
    answer += await greeting(socket);
  }
  return answer;
}

async function smtpPreamble(socket: Socket): Promise<void> {
  assert.match(await greeting(socket), /^220 /);
  assert.match(await converse(socket, 'EHLO client.internal\r\n', /^250 /m), /STARTTLS/);
  assert.match(await converse(socket, 'STARTTLS\r\n', /\r\n/), /^220 /);
}

async function mailFromInPlaintext(port: number): Promise<string> {
  const socket = await connected('127.0.0.1', port);
  await greeting(socket);
  await converse(socket, 'EHLO client.internal\r\n', /^250 /m);
  const answer = await converse(socket, 'MAIL FROM:<>\r\n', /\r\n/);
  socket.destroy();
  return answer;
}

test('Postfix offers STARTTLS and nothing without it, renews, and goes back', {
  skip: skipWithout('postfix') || needRoot,
}, async (t) => {
  const { port, config, text } = await startPostfix(t);
  assert.match(await mailFromInPlaintext(port), /^250 /);
  const service = serviceSpec(postfix, port, { settings: { config } });
  const at: Look = { port, ca: authority.ca, preamble: smtpPreamble };

  const { desired } = configure(postfix, service);
  install(desired, first);
  await take(desired);
  await until(() => serves(at, first), 'STARTTLS', 10_000);

  await t.test('policy is kept', async () => {
    assert.equal((await look(at)).chainLength, 2);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      assert.equal((await look({ ...at, minVersion: version, maxVersion: version })).version, version);
    await assert.rejects(look({ ...at, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
    await assert.rejects(
      look({ ...at, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA' }),
    );
    assert.match(await mailFromInPlaintext(port), /^530 .*STARTTLS/);
  });

  await t.test('a second run changes nothing, and names the line that Postfix warns of', () => {
    const again = configure(postfix, service);
    assert.equal(again.changed, false);
    const line = text.split('\n').indexOf('smtpd_tls_security_level = none') + 1;
    assert.deepEqual(again.desired.notes, [
      `${config}:${line}: the block's smtpd_tls_security_level overrides this line; take it out, or Postfix warns of it each time`,
    ]);
  });

  await t.test('a new pair is served after the reload', async () => {
    install(desired, second);
    await take(desired);
    await until(() => serves(at, second), 'the second pair', 10_000);
  });

  await t.test('what Postfix does with a pair that does not fit only a handshake shows: no STARTTLS', async () => {
    // One file of key and chain: both are the new ones, or both the old.
    install(desired, first, { key: second.key });
    for (const action of [desired.check, desired.reload]) assert.equal(action && (await run(action)).ok, true);
    await until(async () => (await look(at).catch(() => null)) === null, 'the end of TLS', 10_000);
    install(desired, second);
    await take(desired);
    await until(() => serves(at, second), 'the pair that fits', 10_000);
  });

  await t.test('required: who has no right certificate cannot send', async () => {
    const required = configure(
      postfix,
      serviceSpec(postfix, port, { clients: { kind: 'required' }, settings: { config } }),
    );
    await take(required.desired);
    const sends = async (client: TestPair | undefined): Promise<boolean> => {
      const say = 'EHLO client.internal\r\nMAIL FROM:<>\r\n';
      const { answer } = await look({ ...at, ...(client && { client }), say }).catch(() => ({ answer: 'refused' }));
      return /^250 /m.test(answer);
    };
    await until(() => sends(authority.issue(['clientAuth'], 'app')), 'a right client', 10_000);
    for (const client of [undefined, foreign.issue(['clientAuth'], 'app'), authority.issue(['serverAuth'], 'app')])
      assert.equal(await sends(client), false);
  });

  await t.test('taken out again, the file is as it was and plaintext is served', async () => {
    await remove(postfix, service);
    assert.equal(readFileSync(config, 'utf8'), text);
    await until(async () => /^250 /.test(await mailFromInPlaintext(port)), 'plaintext', 10_000);
  });
});

async function imapPreamble(socket: Socket): Promise<void> {
  assert.match(await greeting(socket), /^\* OK .*STARTTLS/);
  assert.match(await converse(socket, 'a STARTTLS\r\n', /^a /m), /^a OK/m);
}

const LOGIN = 'b LOGIN app secret\r\n';

/** From another address than its own: Dovecot holds a connection between equal addresses for as good as encrypted. */
async function loginInPlaintext(port: number): Promise<string> {
  const socket = await connected('127.0.0.1', port, '127.0.0.2');
  await greeting(socket);
  const answer = await converse(socket, LOGIN, /^b /m);
  socket.destroy();
  return answer;
}

test('Dovecot wants TLS before a login, renews, and goes back', {
  skip: skipWithout('dovecot', 'doveadm') || needRoot,
}, async (t) => {
  const { port, config } = await startDovecot(t);
  const service = serviceSpec(dovecot, port, { settings: { config } });
  const at: Look = { port, ca: authority.ca, preamble: imapPreamble };
  assert.match(await loginInPlaintext(port), /^b OK/m);

  const { desired } = configure(dovecot, service);
  install(desired, first);
  await take(desired);
  await until(() => serves(at, first), 'STARTTLS', 10_000);

  await t.test('policy is kept', async () => {
    assert.equal((await look(at)).chainLength, 2);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      assert.equal((await look({ ...at, minVersion: version, maxVersion: version })).version, version);
    await assert.rejects(look({ ...at, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
    await assert.rejects(
      look({ ...at, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA' }),
    );
    assert.match(await loginInPlaintext(port), /^b NO .*PRIVACYREQUIRED/m);
  });

  await t.test('a second run changes nothing', () => {
    assert.equal(configure(dovecot, service).changed, false);
  });

  await t.test('a new pair is served after the reload', async () => {
    install(desired, second);
    await take(desired);
    await until(() => serves(at, second), 'the second pair', 10_000);
  });

  const CASES: readonly (readonly [clients: 'required', who: string, client: TestPair | undefined, ok: boolean])[] = [
    ['required', 'nobody', undefined, false],
    ['required', 'a client', authority.issue(['clientAuth'], 'app'), true],
    ['required', 'a foreigner', foreign.issue(['clientAuth'], 'app'), false],
    ['required', 'a server', authority.issue(['serverAuth'], 'app'), false],
  ];
  let before: ClientPolicy['kind'] = 'none';
  for (const [clients, who, client, ok] of CASES) {
    const { desired: asDeclared } = configure(
      dovecot,
      serviceSpec(dovecot, port, { clients: { kind: clients }, settings: { config } }),
    );
    if (before !== clients) {
      const pair = authority.issue(['serverAuth']);
      install(asDeclared, pair);
      await take(asDeclared);
      await until(() => serves(at, pair), 'TLS', 10_000);
      before = clients;
    }
    await t.test(`clients: ${clients}; ${who} is ${ok ? 'let in' : 'refused'}`, async () => {
      const seen = await look({ ...at, ...(client && { client }), say: LOGIN }).catch(() => ({ answer: 'refused' }));
      assert.equal(/^b OK|^\* CAPABILITY/m.test(seen.answer), ok, seen.answer);
    });
  }

  await t.test('taken out again, nothing is left and plaintext is served', async () => {
    await remove(dovecot, serviceSpec(dovecot, port, { settings: { config } }));
    assert.equal(existsSync(join(config, '99-fullchain-svc.conf')), false);
    await until(async () => /^b OK/m.test(await loginInPlaintext(port).catch(() => '')), 'plaintext', 10_000);
  });
});
