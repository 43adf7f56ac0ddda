import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { newCsr } from '../../src/app/commands/cert-issue.ts';
import { openState } from '../../src/app/open-state.ts';
import { readPasswordFile } from '../../src/app/passwords.ts';
import { keepOwnCertificate } from '../../src/app/programs/own-certificate.ts';
import { pemBlocksLabelled } from '../../src/core/bytes/pem.ts';
import { addSeconds } from '../../src/core/time/instant.ts';
import { type Certificate, parseCertificate } from '../../src/core/x509/certificate.ts';
import { extendedKeyUsage } from '../../src/core/x509/extended-key-usage.ts';
import { subjectAltNames } from '../../src/core/x509/subject-alt-name.ts';
import { type Answer, post } from '../../src/edge/authority-client/authority-client.ts';
import { statePaths } from '../../src/edge/files/state-directory.ts';
import { generateKey } from '../../src/edge/signer/key-pair.ts';
import { openTokenKey, signToken, type TokenClaims } from '../../src/edge/signer/token-key.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { fullchain, openssl, scratch, up } from './command-line.ts';

const NO_PASSWORD = { file: undefined, environment: undefined, ask: false };

function certificateOf(answer: Answer): Certificate {
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return parseCertificate(pemBlocksLabelled(String(answer.body.crt), 'CERTIFICATE')[0]?.der ?? new Uint8Array());
}

test('one-time tokens, renewal by the certificate itself, and nothing without either', async (t) => {
  const state = join(scratch(t), 'state');
  const { ready, stop } = await up(t, state);
  const paths = statePaths(state);
  const ca = readFileSync(paths.rootCertificate, 'utf8');
  const opened = await openState(paths, NO_PASSWORD, { lock: false, acceptClock: false });
  t.after(opened.close);
  const { store } = opened;
  const tokenKey = await openTokenKey(
    (await store.loadProvisioner('admin'))?.encryptedKey ?? '',
    readPasswordFile(paths.provisionerPassword),
  );
  const key = await generateKey('ecdsa-p256');
  const keyPem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
  const csr = await newCsr(key, 'ecdsa-p256', [{ kind: 'dns', value: 'a.test' } as never]);
  const token = (claims: Partial<TokenClaims> = {}): Promise<string> =>
    signToken(tokenKey, {
      provisioner: 'admin',
      audience: `${ready.url}/1.0/sign`,
      subject: 'a.test',
      names: ['a.test'],
      rootFingerprint: ready.rootFingerprint,
      profile: 'server',
      issuedAt: wallClock(),
      lifetimeSeconds: 300,
      ...claims,
    });
  const ask = async (ott: string, more: object = {}): Promise<Answer> =>
    post(`${ready.url}/1.0/sign`, { csr, ott, ...more }, { ca });

  await t.test('a token is exchanged with a CSR for exactly its names and profile', async () => {
    const certificate = certificateOf(await ask(await token({ profile: 'client' })));
    assert.deepEqual(
      subjectAltNames(certificate).map((name) => 'value' in name && name.value),
      ['a.test'],
    );
    assert.deepEqual(extendedKeyUsage(certificate), ['clientAuth']);
  });

  await t.test('a token used sixteen times at once gives one certificate', async () => {
    const ott = await token();
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask(ott)));
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    for (const { status, body } of answers) if (status !== 201) assert.match(String(body.message), /used already/);
  });

  const foreignKey = { ...tokenKey, ...(await (await generateKey('ecdsa-p256')).export({ format: 'jwk' })) };
  const refusals: readonly (readonly [string, () => Promise<Answer>, number, RegExp])[] = [
    [
      'for another address',
      async () => ask(await token({ audience: 'https://other.test/1.0/sign' })),
      401,
      /not for this address/,
    ],
    [
      'for another purpose',
      async () => ask(await token({ audience: `${ready.url}/1.0/revoke` })),
      401,
      /not for this address/,
    ],
    ['expired', async () => ask(await token({ issuedAt: wallClock() - 1000 })), 401, /has expired/],
    ['not valid yet', async () => ask(await token({ issuedAt: wallClock() + 1000 })), 401, /clocks/],
    ['that lives too long', async () => ask(await token({ lifetimeSeconds: 7200 })), 401, /longer than an hour/],
    ['for another root', async () => ask(await token({ rootFingerprint: '00'.repeat(32) })), 401, /another root/],
    ['of an unknown provisioner', async () => ask(await token({ provisioner: 'nobody' })), 401, /no provisioner/],
    ['of a provisioner without a key', async () => ask(await token({ provisioner: 'acme' })), 401, /no provisioner/],
    [
      'signed with another key',
      async () =>
        ask(
          await signToken(foreignKey, {
            provisioner: 'admin',
            audience: `${ready.url}/1.0/sign`,
            subject: 'a.test',
            names: ['a.test'],
            rootFingerprint: ready.rootFingerprint,
            profile: 'server',
            issuedAt: wallClock(),
            lifetimeSeconds: 300,
          }),
        ),
      401,
      /does not verify/,
    ],
    ['that is no token', async () => ask('rubbish'), 401, /not a signed JWT/],
    [
      'for other names than the CSR’s',
      async () => ask(await token({ names: ['b.test'] })),
      403,
      /not those of the token/,
    ],
    [
      'with a lifetime over the maximum',
      async () => ask(await token(), { notAfter: '8760h' }),
      403,
      /1y was asked for; at most 90d/,
    ],
    ['for a profile that does not exist', async () => ask(await token({ profile: 'root' })), 401, /profile/],
  ];
  for (const [title, request, status, message] of refusals) {
    await t.test(`a token ${title} is refused`, async () => {
      const answer = await request();
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.match(String(answer.body.message), message);
    });
  }

  await t.test(
    'a certificate renews and rekeys itself over mutual TLS, with its names and lifetime, until it is revoked',
    async () => {
      const first = await ask(await token(), { notAfter: '2h' });
      const cert = (first.body.certChain as string[]).join('');
      const tls = { ca, cert, key: keyPem };
      const renewed = certificateOf(await post(`${ready.url}/1.0/renew`, {}, tls));
      const before = certificateOf(first);
      assert.notEqual(renewed.serial, before.serial);
      assert.deepEqual(renewed.publicKey.raw, before.publicKey.raw, 'renew keeps the key');
      assert.equal(
        renewed.validity.notAfter - renewed.validity.notBefore,
        before.validity.notAfter - before.validity.notBefore,
      );
      const newKey = await generateKey('ecdsa-p256');
      const rekeyed = certificateOf(
        await post(
          `${ready.url}/1.0/rekey`,
          { csr: await newCsr(newKey, 'ecdsa-p256', [{ kind: 'dns', value: 'a.test' } as never]) },
          tls,
        ),
      );
      assert.notDeepEqual(rekeyed.publicKey.raw, before.publicKey.raw, 'rekey changes it');
      const other = await post(
        `${ready.url}/1.0/rekey`,
        { csr: await newCsr(newKey, 'ecdsa-p256', [{ kind: 'dns', value: 'b.test' } as never]) },
        tls,
      );
      assert.equal(other.status, 403);

      assert.equal((await post(`${ready.url}/1.0/revoke`, { serial: before.serial, reasonCode: 4 }, tls)).status, 200);
      const refused = await post(`${ready.url}/1.0/renew`, {}, tls);
      assert.equal(refused.status, 401);
      assert.match(String(refused.body.message), /was revoked at/);
      const crl = openssl([
        'crl',
        '-inform',
        'der',
        '-in',
        await download(t, `${ready.url.replace('https', 'http')}/crl`),
        '-noout',
        '-text',
      ]).stdout;
      assert.match(crl, new RegExp(before.serial, 'i'));
      assert.match(crl, /Superseded/);
    },
  );

  await t.test('without token or certificate nothing is given: 401, whatever is sent', async () => {
    for (const path of ['renew', 'rekey', 'revoke']) {
      const answer = await post(`${ready.url}/1.0/${path}`, { csr, serial: '0102030405060708' }, { ca });
      assert.equal(answer.status, 401, `${path}: ${JSON.stringify(answer.body)}`);
    }
    assert.equal((await post(`${ready.url}/1.0/sign`, { csr }, { ca })).status, 400);
    const foreign = openssl([
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=a.test',
      '-keyout',
      '-',
      '-out',
      '-',
    ]).stdout;
    assert.equal((await post(`${ready.url}/1.0/renew`, {}, { ca, cert: foreign, key: foreign })).status, 401);
  });

  await t.test('the listener speaks TLS 1.2 and 1.3 and nothing below, and says a sentence to plain HTTP', async () => {
    const { port } = new URL(ready.url);
    const speaks = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
      new Promise<string | null>((resolve) => {
        const socket = connect({
          host: '127.0.0.1',
          port: Number(port),
          ca,
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT:@SECLEVEL=0',
        });
        socket.once('secureConnect', () => resolve(socket.getProtocol()));
        socket.once('error', () => resolve(null));
        socket.once('close', () => socket.destroy());
        t.after(() => socket.destroy());
      });
    assert.equal(await speaks('TLSv1.1'), null);
    assert.equal(await speaks('TLSv1.2'), 'TLSv1.2');
    assert.equal(await speaks('TLSv1.3'), 'TLSv1.3');
    const plain = await new Promise<string>((resolve, reject) => {
      get(`http://127.0.0.1:${port}/acme/acme/directory`, { agent: false }, (response) => {
        let text = `${response.statusCode} `;
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      }).on('error', reject);
    });
    assert.match(
      plain,
      /^400 This Fullchain authority serves only .* without TLS\.\nUse https:\/\/127\.0\.0\.1:\d+\/acme\/acme\/directory/,
    );
  });

  await t.test('its own certificate is renewed in the running process at two thirds of its life', async () => {
    const issuer = opened.issuerAt('http://ca.test');
    let now = wallClock();
    const keeper = await keepOwnCertificate(
      { store, issuer: () => issuer, random: randomBytes },
      ['ca.test'],
      () => [],
      () => now,
    );
    const first = keeper.pair();
    now = addSeconds(now, 15 * 3600);
    assert.equal(await keeper.renewIfDue(), null);
    now = addSeconds(now, 2 * 3600);
    const second = await keeper.renewIfDue();
    assert.ok(second);
    assert.notDeepEqual(second.chain[0], first.chain[0]);
    assert.notEqual(second.keyPem, first.keyPem);
  });

  await t.test('/health says what was looked at', async () => {
    const answer = await fetchJson(`${ready.url}/health`, ca);
    assert.equal(answer.status, 200);
    assert.deepEqual(
      (answer.body.checks as { id: string; ok: boolean }[]).map(({ id, ok }) => [id, ok]),
      [
        ['database', true],
        ['keys', true],
        ['clock', true],
      ],
    );
  });

  await t.test('roots are found by their fingerprint in either case, and by no other', async () => {
    assert.match(
      String((await fetchJson(`${ready.url}/root/${ready.rootFingerprint.toUpperCase()}`, ca)).body.ca),
      /BEGIN CERTIFICATE/,
    );
    assert.equal((await fetchJson(`${ready.url}/1.0/root/${'0'.repeat(64)}`, ca)).status, 404);
    assert.equal(((await fetchJson(`${ready.url}/roots`, ca)).body.crts as string[]).length, 1);
  });

  assert.equal(await stop(), 0, 'SIGTERM ends it cleanly');
  const shown = fullchain(['cert', 'list', '--json', '--status', 'revoked', '--state', state]);
  assert.equal((JSON.parse(shown.stdout) as { certificates: unknown[] }).certificates.length, 1);
});

async function fetchJson(url: string, ca: string): Promise<Answer> {
  const { request } = await import('node:https');
  return new Promise((resolve, reject) => {
    request(url, { ca, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> }),
      );
    })
      .on('error', reject)
      .end();
  });
}

function download(t: Parameters<typeof scratch>[0], url: string): Promise<string> {
  const file = join(scratch(t), 'crl');
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const { writeFileSync } = await import('node:fs');
      writeFileSync(file, Buffer.concat(chunks));
      resolve(file);
    }).on('error', reject);
  });
}
