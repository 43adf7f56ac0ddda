/** Revocation (RFC 8555 §7.6), and that the list which clients fetch says so (RFC 5280 §5). */
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { type Crl, parseCrl, verifyCrlSignature } from '../../src/core/revocation/crl.ts';
import { crlUrls } from '../../src/core/x509/crl-distribution-points.ts';
import { selfSigned } from '../world/self-signed.ts';
import { type AccountAlgorithm, type AcmeClient, type Answer, accountKey, acmeClient, registered } from './client.ts';
import { csrFor } from './csr.ts';
import { assertProblem, base64url, dns, type Issued, issue, newOrder, proveByHttp } from './resources.ts';
import { startTestAuthority, type TestAuthority } from './server.ts';

describe('revocation', () => {
  let authority: TestAuthority;
  let client: AcmeClient;
  let other: AcmeClient;
  const options = () => ({ rootPem: authority.rootPem, directory: `${authority.url}/acme/acme/directory` });

  before(async () => {
    authority = await startTestAuthority();
    client = await registered(options());
    other = await registered(options());
  });
  after(async () => {
    client.close();
    other.close();
    await authority.stop();
  });

  const revoke = (by: AcmeClient, issued: Pick<Issued, 'leaf'>, more: object = {}): Promise<Answer> =>
    by.post(by.resources.revokeCert, { certificate: base64url(issued.leaf.raw), ...more });

  /** The list at the address that the certificate itself names. */
  const crlOf = async ({ leaf, chain }: Issued): Promise<Crl> => {
    const url = crlUrls(leaf)[0] ?? assert.fail('the certificate names no list');
    const { pathname } = new URL(url);
    assert.equal(new URL(url).protocol, 'http:');
    const der = await new Promise<Buffer>((resolve, reject) => {
      get({ host: '127.0.0.1', port: authority.port, path: pathname, agent: false }, (incoming) => {
        assert.equal(incoming.headers['content-type'], 'application/pkix-crl');
        incoming.toArray().then((chunks) => resolve(Buffer.concat(chunks as Buffer[])), reject);
      }).on('error', reject);
    });
    const crl = parseCrl(der);
    assert.ok(verifyCrlSignature(crl, chain[1] ?? assert.fail('no issuer in the chain')));
    return crl;
  };

  test('the account that ordered a certificate revokes it: 200 without a body, and the list has it (§7.6)', async () => {
    const issued = await issue(authority, client, [dns('own.test')]);
    const before = await crlOf(issued);
    assert.equal(
      before.entries.some(({ serial }) => serial === issued.leaf.serial),
      false,
    );
    const answer = await revoke(client, issued, { reason: 1 });
    assert.equal(answer.status, 200);
    assert.equal(answer.text, '');
    const crl = await crlOf(issued);
    assert.equal(crl.entries.find(({ serial }) => serial === issued.leaf.serial)?.reason, 'keyCompromise');
    assert.ok(BigInt(crl.number ?? 0) > BigInt(before.number ?? 0), 'a new number (RFC 5280 §5.2.3)');
  });

  test('a second time is alreadyRevoked (§7.6)', async () => {
    const issued = await issue(authority, client, [dns('again.test')]);
    assert.equal((await revoke(client, issued)).status, 200);
    assertProblem(await revoke(client, issued), 'alreadyRevoked', new RegExp(issued.leaf.serial), 400);
    assertProblem(await revoke(client, issued, { reason: 4 }), 'alreadyRevoked', /revoked already/);
  });

  test('eight times at once: once 200, and one entry in the list', async () => {
    const issued = await issue(authority, client, [dns('eight.test')]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => revoke(client, issued)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...new Array<number>(7).fill(400)]);
    const { entries } = await crlOf(issued);
    assert.equal(entries.filter(({ serial }) => serial === issued.leaf.serial).length, 1);
  });

  const BY_KEY: readonly (readonly [AccountAlgorithm, 'ecdsa-p256' | 'ecdsa-p384' | 'rsa-2048' | 'ed25519'])[] = [
    ['ES256', 'ecdsa-p256'],
    ['ES384', 'ecdsa-p384'],
    ['RS256', 'rsa-2048'],
    ['EdDSA', 'ed25519'],
  ];
  for (const [alg, algorithm] of BY_KEY) {
    test(`the key of the certificate revokes it, without any account (${alg}, §7.6)`, async () => {
      const { createPublicKey } = await import('node:crypto');
      const key = accountKey(alg);
      const pair = { privateKey: key.privateKey, publicKey: createPublicKey(key.privateKey) };
      const issued = await issue(
        authority,
        client,
        [dns('bykey.test')],
        csrFor(['bykey.test'], { key: pair, algorithm }),
      );
      const holder = await acmeClient({ ...options(), key });
      assert.equal((await revoke(holder, issued)).status, 200);
      holder.close();
    });
  }

  test('another account revokes it if it is authorized for all its names (§7.6)', async () => {
    const issued = await issue(authority, client, [dns('s1.test'), dns('s2.test')]);
    assertProblem(await revoke(other, issued), 'unauthorized', /no authorizations/, 403);
    const first = await newOrder(other, dns('s1.test'));
    await proveByHttp(authority, other, first.authorizations[0] ?? '');
    assertProblem(await revoke(other, issued), 'unauthorized', /no authorizations/, 403);
    const second = await newOrder(other, dns('s2.test'), dns('unrelated.test'));
    await proveByHttp(authority, other, second.authorizations[0] ?? '');
    assert.equal((await revoke(other, issued)).status, 200);
  });

  test('an authorization that was given back, or only asked for, allows nothing (§7.6)', async () => {
    const issued = await issue(authority, client, [dns('held.test')]);
    await newOrder(other, dns('held.test'));
    assertProblem(await revoke(other, issued), 'unauthorized', /no authorizations/);
    const order = await newOrder(other, dns('held.test'));
    await proveByHttp(authority, other, order.authorizations[0] ?? '');
    await other.post(order.authorizations[0] ?? '', { status: 'deactivated' });
    assertProblem(await revoke(other, issued), 'unauthorized', /no authorizations/);
  });

  test('neither another key nor another account revokes it (§7.6)', async () => {
    const issued = await issue(authority, client, [dns('safe.test')]);
    const stranger = await acmeClient(options());
    assertProblem(await revoke(stranger, issued), 'unauthorized', /neither/, 403);
    const account = await acmeClient({ ...options(), key: client.key });
    assertProblem(await revoke(account, issued), 'unauthorized', /neither/, 403);
    assert.equal(
      (await crlOf(issued)).entries.some(({ serial }) => serial === issued.leaf.serial),
      false,
    );
    for (const used of [stranger, account]) used.close();
  });

  const reasons: readonly (readonly [reason: unknown, accepted: boolean])[] = [
    [0, true],
    [1, true],
    [3, true],
    [4, true],
    [5, true],
    [2, false],
    [6, false],
    [7, false],
    [8, false],
    [9, false],
    [10, false],
    [11, false],
    [-1, false],
    [1.5, false],
    ['1', false],
    [null, false],
    [[1], false],
    [{ toString: null }, false],
  ];
  for (const [reason, accepted] of reasons) {
    test(`the reason ${JSON.stringify(reason)} is ${accepted ? 'taken' : 'badRevocationReason'} (§7.6)`, async () => {
      const issued = await issue(authority, client, [dns('reason.test')]);
      const answer = await revoke(client, issued, { reason });
      if (accepted) assert.equal(answer.status, 200, answer.text);
      else assertProblem(answer, 'badRevocationReason', /0, 1, 3, 4 and 5 are/, 400);
    });
  }

  test('a certificate that is none, or none of ours, is refused (§7.6)', async () => {
    const issued = await issue(authority, client, [dns('ours.test')]);
    const altered = Uint8Array.from(issued.leaf.raw);
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    const send = (certificate: unknown) => client.post(client.resources.revokeCert, { certificate });
    for (const [what, certificate, detail, status] of [
      ['nothing', undefined, /DER in base64url/, 400],
      ['a number', 1, /DER in base64url/, 400],
      ['PEM', '-----BEGIN CERTIFICATE-----', /DER in base64url/, 400],
      ['rubbish', 'AAAA', /not well formed/, 400],
      ['somebody else’s', base64url(selfSigned([]).der), /did not issue/, 404],
      ['one with another signature', base64url(altered), /did not issue/, 404],
    ] as const)
      assert.ok(assertProblem(await send(certificate), 'malformed', detail, status), what);
  });

  test('the certificates of the authority itself are not revoked by strangers', async () => {
    const issued = await issue(authority, client, [dns('up.test')]);
    const intermediate = issued.chain[1] ?? assert.fail();
    assertProblem(await revoke(client, { leaf: intermediate }), 'unauthorized', /neither/, 403);
  });

  test('nothing of all this was an internal fault', () => {
    assert.deepEqual(authority.errors, []);
  });
});
