/** The life of an account: made, found again, changed, re-keyed, deactivated (RFC 8555 §7.3). */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type AccountKey, type AcmeClient, type Answer, accountKey, acmeClient, registered } from './client.ts';
import { assertProblem, dns, newOrder } from './resources.ts';
import { startTestAuthority, type TestAuthority } from './server.ts';

describe('accounts', () => {
  let authority: TestAuthority;
  const clients: AcmeClient[] = [];

  before(async () => {
    authority = await startTestAuthority();
  });
  after(async () => {
    for (const client of clients) client.close();
    await authority.stop();
  });

  const options = (key?: AccountKey) => ({
    rootPem: authority.rootPem,
    directory: `${authority.url}/acme/acme/directory`,
    ...(key && { key }),
  });
  const stranger = async (key?: AccountKey): Promise<AcmeClient> => {
    const client = await acmeClient(options(key));
    clients.push(client);
    return client;
  };
  const account = async (payload: object = {}, key?: AccountKey): Promise<AcmeClient> => {
    const client = await registered(options(key), payload);
    clients.push(client);
    return client;
  };

  test('a new account is 201 with its URL, status, contacts and orders (§7.3)', async () => {
    const client = await stranger();
    const answer = await client.post(client.resources.newAccount, {
      contact: ['mailto:ops@example.org'],
      termsOfServiceAgreed: true,
      extra: { ignored: true },
    });
    assert.equal(answer.status, 201);
    assert.match(String(answer.headers.location), new RegExp(`^${authority.url}/acme/acme/account/\\d+$`));
    assert.deepEqual(answer.body, {
      status: 'valid',
      contact: ['mailto:ops@example.org'],
      orders: `${answer.headers.location}/orders`,
    });
  });

  test('a known key gets its account again: 200, the same URL, nothing changed (§7.3.1)', async () => {
    const client = await account({ contact: ['mailto:first@example.org'] });
    const again = await stranger(client.key);
    for (const payload of [{}, { contact: ['mailto:second@example.org'] }, { onlyReturnExisting: true }]) {
      const answer = await again.post(again.resources.newAccount, payload);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.location, client.kid);
      assert.deepEqual(answer.body.contact, ['mailto:first@example.org']);
    }
  });

  test('onlyReturnExisting makes no account (§7.3.1)', async () => {
    const client = await stranger();
    const ask = () => client.post(client.resources.newAccount, { onlyReturnExisting: true });
    assertProblem(await ask(), 'accountDoesNotExist', /no account has this key/, 400);
    assertProblem(await ask(), 'accountDoesNotExist', /no account has this key/, 400);
  });

  test('one key registered eight times at once has one account (§7.3.1)', async () => {
    const client = await stranger();
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.post(client.resources.newAccount, {})));
    assert.equal(new Set(answers.map(({ headers }) => headers.location)).size, 1);
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    assert.equal(answers.filter(({ status }) => status === 200).length, 7);
  });

  test('an account is read and changed by itself alone (§7.3.2)', async () => {
    const [own, other] = [await account(), await account()];
    assert.equal((await own.post(own.kid ?? '', null)).status, 200);
    for (const payload of [null, {}, { status: 'deactivated' }])
      assertProblem(await other.post(own.kid ?? '', payload), 'unauthorized', /only itself/, 403);
    assert.equal((await own.post(own.kid ?? '', null)).body.status, 'valid');
  });

  test('a contact of another scheme is unsupportedContact, one that is no address invalidContact (§7.3)', async () => {
    const client = await stranger();
    for (const [contact, type, detail] of [
      [['tel:+12015550123'], 'unsupportedContact', /tel:/],
      [['mailto:a@b.test', 'https://b.test/'], 'unsupportedContact', /https:/],
      [['mailto:a@b.test,c@d.test'], 'invalidContact', /one plain e-mail/],
      [['mailto:a@b.test?subject=x'], 'invalidContact', /one plain e-mail/],
      [['ops@b.test'], 'invalidContact', /not a URL/],
      ['mailto:a@b.test', 'malformed', /list of strings/],
    ] as const)
      assertProblem(await client.post(client.resources.newAccount, { contact }), type, detail, 400);
    const none = await client.post(client.resources.newAccount, { onlyReturnExisting: true });
    assertProblem(none, 'accountDoesNotExist', /no account has this key/);
  });

  test('contacts are replaced, kept and removed (§7.3.2)', async () => {
    const client = await account({ contact: ['mailto:a@example.org'] });
    const update = (payload: object): Promise<Answer> => client.post(client.kid ?? '', payload);
    const replaced = await update({ contact: ['mailto:b@example.org', 'mailto:c@example.org'] });
    assert.deepEqual(replaced.body.contact, ['mailto:b@example.org', 'mailto:c@example.org']);
    assert.deepEqual((await update({})).body.contact, replaced.body.contact, 'not named: kept');
    assertProblem(await update({ contact: ['mailto:d@example.org', 'x'] }), 'invalidContact', /"x"/);
    assert.deepEqual((await client.post(client.kid ?? '', null)).body.contact, replaced.body.contact, 'all or none');
    assert.equal('contact' in (await update({ contact: [] })).body, false);
  });

  test('members that a client may not change are ignored or refused, never taken (§7.3.2)', async () => {
    const client = await account();
    const answer = await client.post(client.kid ?? '', { orders: 'https://evil.test/', termsOfServiceAgreed: true });
    assert.equal(answer.body.orders, `${client.kid}/orders`);
    for (const status of ['revoked', 'DEACTIVATED', '', null, 1, ['deactivated']])
      assertProblem(await client.post(client.kid ?? '', { status }), 'malformed', /only to "deactivated"/);
  });

  test('a deactivated account can do nothing more, and its key gets no new one (§7.3.6)', async () => {
    const client = await account();
    const order = await newOrder(client, dns('a.test'));
    const deactivated = await client.post(client.kid ?? '', { status: 'deactivated' });
    assert.equal(deactivated.status, 200);
    assert.equal(deactivated.body.status, 'deactivated');
    const again = await stranger(client.key);
    for (const answer of [
      await client.post(client.kid ?? '', null),
      await client.post(client.kid ?? '', { status: 'valid' }),
      await client.post(client.resources.newOrder, { identifiers: [dns('a.test')] }),
      await client.post(order.url, null),
      await client.post(order.authorizations[0] ?? '', null),
      await client.post(client.resources.revokeCert, { certificate: 'AAAA' }),
      await client.post(client.resources.keyChange, {}),
      await again.post(again.resources.newAccount, {}),
      await again.post(again.resources.newAccount, { onlyReturnExisting: true }),
    ]) {
      // "it MUST return an error response with status code 401 (Unauthorized)".
      assertProblem(answer, 'unauthorized', /deactivated/, 401);
    }
  });

  interface Change {
    readonly client: AcmeClient;
    readonly next: AccountKey;
    readonly inner?: Readonly<Record<string, unknown>>;
    readonly payload?: Readonly<Record<string, unknown>>;
    readonly signer?: AccountKey;
    readonly jws?: (right: Readonly<Record<string, string>>) => unknown;
  }
  /** The inner JWS, right but for what is named (§7.3.5). */
  const changeKey = ({ client, next, inner, payload, signer, jws }: Change): Promise<Answer> => {
    const header = { alg: (signer ?? next).alg, jwk: next.jwk, url: client.resources.keyChange, ...inner };
    const content = { account: client.kid, oldKey: client.key.jwk, ...payload };
    const right = client.sign(header, content, signer ?? next);
    return client.post(client.resources.keyChange, jws ? jws(right) : right);
  };

  const REFUSALS: readonly (readonly [
    what: string,
    change: (client: AcmeClient, next: AccountKey) => Change,
    type: Parameters<typeof assertProblem>[1],
    detail: RegExp,
  ])[] = [
    ['signed by the old key', (client, next) => ({ client, next, signer: client.key }), 'malformed', /not verify/],
    ['signed by a third key', (client, next) => ({ client, next, signer: accountKey() }), 'malformed', /not verify/],
    [
      'with kid in place of jwk',
      (client, next) => ({ client, next, inner: { jwk: undefined, kid: client.kid } }),
      'malformed',
      /as jwk/,
    ],
    ['with kid beside jwk', (client, next) => ({ client, next, inner: { kid: client.kid } }), 'malformed', /as jwk/],
    ['with a nonce', (client, next) => ({ client, next, inner: { nonce: 'x' } }), 'malformed', /no nonce/],
    ['without url', (client, next) => ({ client, next, inner: { url: undefined } }), 'malformed', /url/],
    [
      'with another url',
      (client, next) => ({ client, next, inner: { url: client.resources.newAccount } }),
      'malformed',
      /url/,
    ],
    [
      'for another account',
      (client, next) => ({ client, next, payload: { account: `${client.kid}0` } }),
      'malformed',
      /account is not/,
    ],
    [
      'without an account',
      (client, next) => ({ client, next, payload: { account: undefined } }),
      'malformed',
      /account is not/,
    ],
    [
      'without the old key',
      (client, next) => ({ client, next, payload: { oldKey: undefined } }),
      'malformed',
      /oldKey/,
    ],
    [
      'with a wrong old key',
      (client, next) => ({ client, next, payload: { oldKey: next.jwk } }),
      'malformed',
      /oldKey/,
    ],
    [
      'with a private old key',
      (client, next) => ({ client, next, payload: { oldKey: client.key.privateKey.export({ format: 'jwk' }) } }),
      'malformed',
      /oldKey/,
    ],
    ['to the same key', (client) => ({ client, next: client.key }), 'badPublicKey', /the old one/],
    [
      'to a private jwk',
      (client, next) => ({ client, next, inner: { jwk: next.privateKey.export({ format: 'jwk' }) } }),
      'badPublicKey',
      /private/,
    ],
    [
      'with a MAC',
      (client, next) => ({ client, next, inner: { alg: 'HS256' } }),
      'badSignatureAlgorithm',
      /not supported/,
    ],
    [
      'with an algorithm of another curve',
      (client, next) => ({ client, next, inner: { alg: 'ES384' } }),
      'badPublicKey',
      /ES384/,
    ],
    [
      'as a JWS with a header',
      (client, next) => ({ client, next, jws: (right) => ({ ...right, header: {} }) }),
      'malformed',
      /"header"/,
    ],
    ['as no JWS', (client, next) => ({ client, next, jws: () => ({ a: 1 }) }), 'malformed', /inner JWS/],
  ];
  test('a key change whose inner JWS is not right in every part is refused, and changes nothing (§7.3.5)', async (t) => {
    const client = await account();
    for (const [what, change, type, detail] of REFUSALS) {
      await t.test(what, async () => {
        assertProblem(await changeKey(change(client, accountKey())), type, detail);
        assert.equal((await client.post(client.kid ?? '', null)).status, 200, 'the old key still signs');
      });
    }
  });

  test('after a key change the new key signs and the old one does not, to a key of another kind too (§7.3.5)', async () => {
    for (const alg of ['ES256', 'EdDSA', 'RS256'] as const) {
      const client = await account({ contact: ['mailto:a@example.org'] });
      const next = accountKey(alg);
      const order = await newOrder(client, dns('rekey.test'));
      const answer = await changeKey({ client, next });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.body.contact, ['mailto:a@example.org']);
      const old = await client.post(client.kid ?? '', null);
      assert.ok(old.status === 400, 'the old key is refused');
      const renewed = await account({ onlyReturnExisting: true }, next);
      assert.equal(renewed.kid, client.kid);
      assert.equal((await renewed.post(order.url, null)).status, 200, 'what the account owns stays its own');
      const freed = await stranger(client.key);
      const made = await freed.post(freed.resources.newAccount, {});
      assert.equal(made.status, 201, 'the old key is nobody’s now');
      assert.notEqual(made.headers.location, client.kid);
    }
  });

  test('a key that another account has is 409 with that account’s URL (§7.3.5)', async () => {
    const [client, taken] = [await account(), await account()];
    const answer = await changeKey({ client, next: taken.key });
    assertProblem(answer, 'malformed', /another account has the new key/, 409);
    assert.equal(answer.headers.location, taken.kid);
    assert.equal((await client.post(client.kid ?? '', null)).status, 200);
  });

  test('two accounts that want one new key at once: one gets it', async () => {
    const [one, two] = [await account(), await account()];
    const next = accountKey();
    const answers = await Promise.all([changeKey({ client: one, next }), changeKey({ client: two, next })]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
  });

  test('nothing of all this was an internal fault', () => {
    assert.deepEqual(authority.errors, []);
  });
});
