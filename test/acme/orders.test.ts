/** Orders and their authorizations: what is asked, shown, refused, given back (RFC 8555 §7.1.3, §7.1.4, §7.4, §7.5). */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatRfc3339, parseRfc3339 } from '../../src/core/time/instant.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { type AcmeClient, type Answer, registered } from './client.ts';
import { csrFor } from './csr.ts';
import { at } from './facts.ts';
import {
  type Authorization,
  assertProblem,
  base64url,
  challengeOf,
  decide,
  dns,
  download,
  finalize,
  type Identifier,
  ip,
  newOrder,
  proveByHttp,
  readAuthorization,
  readOrder,
  readyOrder,
} from './resources.ts';
import { startTestAuthority, type TestAuthority } from './server.ts';

describe('orders', () => {
  let authority: TestAuthority;
  let client: AcmeClient;
  let other: AcmeClient;

  before(async () => {
    authority = await startTestAuthority([
      {
        name: 'short',
        kind: 'acme',
        defaultLifetimeSeconds: 3600,
        maxLifetimeSeconds: 7200,
        publicKey: null,
        encryptedKey: null,
        createdAt: at(0),
      },
    ]);
    const options = { rootPem: authority.rootPem, directory: `${authority.url}/acme/acme/directory` };
    client = await registered(options);
    other = await registered(options);
  });
  after(async () => {
    client.close();
    other.close();
    await authority.stop();
  });

  const order = (payload: object): Promise<Answer> => client.post(client.resources.newOrder, payload);

  test('a new order is 201 with its URL, expiry, identifiers, authorizations and finalize (§7.4)', async () => {
    const answer = await order({ identifiers: [dns('b.test'), dns('a.test')] });
    assert.equal(answer.status, 201);
    const url = String(answer.headers.location);
    const { expires, authorizations, ...rest } = answer.body;
    assert.deepEqual(rest, {
      status: 'pending',
      identifiers: [dns('b.test'), dns('a.test')],
      finalize: `${url}/finalize`,
    });
    const expiresAt = parseRfc3339(String(expires));
    assert.ok(expiresAt !== null && expiresAt > wallClock() && expiresAt < wallClock() + 8 * 86_400);
    assert.equal((authorizations as string[]).length, 2);
    const read = await client.post(url, null);
    assert.equal(read.status, 200);
    assert.deepEqual(read.body, answer.body);
  });

  test('an authorization shows its identifier, expiry and challenges, each with a token of its own kind (§7.1.4)', async () => {
    const { authorizations } = await newOrder(client, dns('a.test'), dns('b.test'));
    const [first, second] = await Promise.all(authorizations.map((url) => readAuthorization(client, url)));
    assert.equal(first?.status, 'pending');
    assert.deepEqual(first?.identifier, dns('a.test'));
    assert.deepEqual(
      first?.challenges.map(({ type, status }) => [type, status]),
      [
        ['http-01', 'pending'],
        ['dns-01', 'pending'],
        ['tls-alpn-01', 'pending'],
      ],
    );
    for (const { token } of first?.challenges ?? []) assert.match(token, /^[A-Za-z0-9_-]{22,}$/, '§8: 128 bits');
    assert.notEqual(first?.challenges[0]?.token, second?.challenges[0]?.token);
    assert.equal('wildcard' in (first ?? {}), false);
  });

  const SHOWN: readonly (readonly [
    asked: Identifier,
    shown: Identifier,
    wildcard: true | undefined,
    types: string[],
  ])[] = [
    [dns('*.w.test'), dns('w.test'), true, ['dns-01']],
    [dns('w.test'), dns('w.test'), undefined, ['http-01', 'dns-01', 'tls-alpn-01']],
    [ip('192.0.2.1'), ip('192.0.2.1'), undefined, ['http-01', 'tls-alpn-01']],
    [ip('2001:db8::1'), ip('2001:db8::1'), undefined, ['http-01', 'tls-alpn-01']],
  ];
  test('wildcards are shown by their base name and proven by DNS; addresses are not (§7.1.4, RFC 8738 §7)', async () => {
    const created = await newOrder(client, ...SHOWN.map(([asked]) => asked));
    assert.deepEqual(
      created.identifiers,
      SHOWN.map(([asked]) => asked),
    );
    for (const [index, [, shown, wildcard, types]] of SHOWN.entries()) {
      const authorization = await readAuthorization(client, created.authorizations[index]);
      assert.deepEqual(authorization.identifier, shown);
      assert.equal(authorization.wildcard, wildcard);
      assert.deepEqual(
        authorization.challenges.map(({ type }) => type),
        types,
      );
    }
  });

  const REFUSED: readonly (readonly [
    what: string,
    payload: object,
    type: Parameters<typeof assertProblem>[1],
    detail: RegExp,
  ])[] = [
    ['no identifiers', {}, 'malformed', /list/],
    ['identifiers that are an object', { identifiers: dns('a.test') }, 'malformed', /list/],
    [
      '101 identifiers',
      { identifiers: Array.from({ length: 101 }, (_, i) => dns(`${i}.test`)) },
      'malformed',
      /at most 100/,
    ],
    ['a list of names', { identifiers: ['a.test'] }, 'malformed', /a type and a value/],
    [
      'a type that cannot be printed',
      { identifiers: [{ type: { toString: null }, value: 'a.test' }] },
      'malformed',
      /a type and a value/,
    ],
    ['an address that is not canonical', { identifiers: [ip('2001:DB8::1')] }, 'malformed', /write 2001:db8::1/],
    ['an address as a name', { identifiers: [dns('::1')] }, 'malformed', /type "ip"/],
    [
      'two types of refusal',
      { identifiers: [dns('127.0.0.1'), { type: 'x', value: 'y' }] },
      'compound',
      /2 identifiers/,
    ],
    [
      'a date without a zone',
      { identifiers: [dns('a.test')], notAfter: '2099-01-01T00:00:00' },
      'malformed',
      /RFC 3339/,
    ],
    [
      'a date that does not exist',
      { identifiers: [dns('a.test')], notBefore: '2026-02-30T00:00:00Z' },
      'malformed',
      /RFC 3339/,
    ],
    ['a date that is a number', { identifiers: [dns('a.test')], notAfter: 1 }, 'malformed', /RFC 3339/],
    ['a date that is null', { identifiers: [dns('a.test')], notAfter: null }, 'malformed', /RFC 3339/],
    [
      'an end in the past',
      { identifiers: [dns('a.test')], notAfter: '2020-01-01T00:00:00Z' },
      'malformed',
      /in the past/,
    ],
    [
      'an end before its start',
      { identifiers: [dns('a.test')], notBefore: '2098-01-02T00:00:00Z', notAfter: '2098-01-01T00:00:00Z' },
      'malformed',
      /before notBefore/,
    ],
    [
      'a year beyond the maximum',
      { identifiers: [dns('a.test')], notAfter: '9999-12-31T23:59:59Z' },
      'malformed',
      /the maximum of the provisioner acme is 90d/,
    ],
  ];
  test('an order that cannot be met is refused at once, with the reason (§7.4)', async (t) => {
    for (const [what, payload, type, detail] of REFUSED)
      await t.test(what, async () => {
        assertProblem(await order(payload), type, detail, 400);
      });
  });

  test('names are lower-cased and asked for once, in the order of their first mention (§7.4)', async () => {
    const created = await newOrder(client, dns('B.test'), dns('localhost'), dns('LOCALHOST'), dns('b.test'));
    assert.deepEqual(created.identifiers, [dns('b.test'), dns('localhost')]);
    assert.equal(created.authorizations.length, 2);
  });

  test('each identifier that is refused is a subproblem (§6.7.1)', async () => {
    const answer = await order({ identifiers: [dns('127.0.0.1'), dns('fine.test'), dns('::1'), dns('LOCALHOST')] });
    const { subproblems } = assertProblem(answer, 'malformed', /2 identifiers/, 400);
    assert.deepEqual(
      subproblems?.map(({ identifier, type }) => [identifier.value, type]),
      ['127.0.0.1', '::1'].map((value) => [value, 'urn:ietf:params:acme:error:malformed']),
    );
  });

  test('a start in the past is refused with the order, not at its end when the work is done', async () => {
    for (const notBefore of ['2020-01-01T00:00:00Z', formatRfc3339(at(-200_000_000))])
      assertProblem(await order({ identifiers: [dns('a.test')], notBefore }), 'malformed', /past/, 400);
  });

  test('the dates that were asked for are those of the certificate, up to the maximum (§7.4)', async () => {
    const short = await registered({
      rootPem: authority.rootPem,
      directory: `${authority.url}/acme/short/directory`,
    });
    const now = wallClock();
    const tooLong = await short.post(short.resources.newOrder, {
      identifiers: [dns('a.test')],
      notAfter: formatRfc3339((now + 7300) as typeof now),
    });
    assertProblem(tooLong, 'malformed', /the maximum of the provisioner short is 2h/, 400);
    for (const [start, end] of [
      [null, 3000],
      [600, 5000],
    ] as const) {
      const notBefore = start === null ? {} : { notBefore: formatRfc3339((now + start) as typeof now) };
      const notAfter = formatRfc3339((now + end) as typeof now);
      const created = await short.post(short.resources.newOrder, {
        identifiers: [dns('d.test')],
        ...notBefore,
        notAfter,
      });
      assert.equal(created.status, 201, created.text);
      assert.equal(created.body.notAfter, notAfter);
      assert.equal(created.body.notBefore, start === null ? undefined : notBefore.notBefore);
      const url = String(created.headers.location);
      await proveByHttp(authority, short, (created.body.authorizations as string[])[0] ?? '');
      const { leaf } = await download(short, await finalize(short, await readOrder(short, url), csrFor(['d.test'])));
      assert.equal(leaf.validity.notAfter, now + end);
      if (start !== null) assert.equal(leaf.validity.notBefore, now + start);
    }
    short.close();
  });

  test('what belongs to another account is refused, whatever is asked of it (§7.1, §10.5)', async () => {
    const mine = await readyOrder(authority, client, dns('mine.test'));
    const done = await finalize(client, mine, csrFor(['mine.test']));
    const authorization = await readAuthorization(client, mine.authorizations[0]);
    const csr = base64url(csrFor(['mine.test']));
    for (const [what, url, payload] of [
      ['order', mine.url, null],
      ['order', mine.finalize, { csr }],
      ['authorization', authorization.url, null],
      ['authorization', authorization.url, { status: 'deactivated' }],
      ['challenge', challengeOf(authorization, 'http-01').url, null],
      ['challenge', challengeOf(authorization, 'http-01').url, {}],
      ['certificate', done.certificate ?? '', null],
    ] as const) {
      assertProblem(await other.post(url, payload), 'malformed', new RegExp(`no such ${what}`), 404);
    }
    assertProblem(await other.post(`${client.kid}/orders`, null), 'unauthorized', /only its own/, 403);
    assert.equal((await readAuthorization(client, authorization.url)).status, 'valid', 'and nothing was changed');
  });

  test('an authorization given back makes its order invalid, with the reason (§7.5.2)', async () => {
    const created = await newOrder(client, dns('back.test'), dns('kept.test'));
    const answer = await client.post(created.authorizations[0] ?? '', { status: 'deactivated' });
    assert.equal(answer.status, 200);
    assert.equal(answer.body.status, 'deactivated');
    const failed = await readOrder(client, created.url);
    assert.equal(failed.status, 'invalid');
    assert.match(failed.error?.detail ?? '', /deactivated/);
    assert.deepEqual(
      failed.error?.subproblems?.map(({ identifier }) => identifier),
      [dns('back.test')],
    );
    assert.equal((await readAuthorization(client, created.authorizations[1])).status, 'pending');
  });

  test('a proven authorization given back makes a ready order unfit for finalize (§7.5.2)', async () => {
    const ready = await readyOrder(authority, client, dns('proven.test'));
    await client.post(ready.authorizations[0] ?? '', { status: 'deactivated' });
    assertProblem(
      await client.post(ready.finalize, { csr: base64url(csrFor(['proven.test'])) }),
      'orderNotReady',
      /invalid: the authorization was deactivated/,
    );
  });

  test('a client sets the status of an authorization to "deactivated" only (§7.5.2)', async () => {
    const { authorizations } = await newOrder(client, dns('status.test'));
    for (const payload of [{}, { status: 'valid' }, { status: null }, { status: ['deactivated'] }])
      assertProblem(await client.post(authorizations[0] ?? '', payload), 'malformed', /only to "deactivated"/);
    assert.equal((await readAuthorization(client, authorizations[0])).status, 'pending');
  });

  test('a challenge of an authorization that was given back is not tried any more', async () => {
    const { authorizations } = await newOrder(client, dns('quiet.test'));
    const authorization = await readAuthorization(client, authorizations[0]);
    await client.post(authorization.url, { status: 'deactivated' });
    const before = authority.http.connections().opened;
    await client.post(challengeOf(authorization, 'http-01').url, {});
    await sleep(50);
    assert.equal(authority.http.connections().opened, before);
    assert.equal((await readAuthorization(client, authorization.url)).status, 'deactivated');
  });

  test('POST-as-GET on a challenge reads; only an object starts it (§6.3, §7.5.1)', async () => {
    const { authorizations } = await newOrder(client, dns('read.test'));
    authority.dns.set('read.test', { A: ['127.0.0.1'] });
    const authorization = await readAuthorization(client, authorizations[0]);
    const { url, token } = challengeOf(authorization, 'http-01');
    const hits = () => authority.http.requests.filter(({ path }) => path.includes(token)).length;
    for (let i = 0; i < 3; i++) assert.equal((await client.post(url, null)).body.status, 'pending');
    for (const payload of [[], 'x', 1])
      assertProblem(await client.post(url, payload), 'malformed', /not a JSON object/);
    await sleep(50);
    assert.equal(hits(), 0, 'the target was not asked');
    authority.http.present(token, `${token}.${client.key.thumbprint}`);
    const answer = await client.post(url, { keyAuthorization: 'as clients before the RFC send it' });
    assert.match(String(answer.headers.link), new RegExp(`<${authorization.url}>;\\s*rel="up"`), '§7.5.1');
    assert.equal(hits(), 1);
  });

  test('a challenge is tried once, however often and however parallel it is asked for (§7.5.1)', async () => {
    const { authorizations } = await newOrder(client, dns('once.test'));
    authority.dns.set('once.test', { A: ['127.0.0.1'] });
    const authorization = await readAuthorization(client, authorizations[0]);
    const { url, token } = challengeOf(authorization, 'http-01');
    authority.http.present(token, `${token}.${client.key.thumbprint}`);
    await Promise.all(Array.from({ length: 8 }, () => client.post(url, {})));
    await client.post(url, {});
    await client.post(challengeOf(authorization, 'dns-01').url, {});
    assert.equal((await readAuthorization(client, authorization.url)).status, 'valid');
    assert.equal(authority.http.requests.filter(({ path }) => path.includes(token)).length, 1);
  });

  test('after the attempt only its challenge is shown, with the time it was validated (§7.1.4, §8)', async () => {
    const ready = await readyOrder(authority, client, dns('shown.test'));
    const { challenges, status } = await readAuthorization(client, ready.authorizations[0]);
    assert.equal(status, 'valid');
    assert.deepEqual(
      challenges.map(({ type }) => type),
      ['http-01'],
    );
    const validated = parseRfc3339(challenges[0]?.validated ?? '');
    assert.ok(validated !== null && Math.abs(validated - wallClock()) < 60);
  });

  const failing = async (name: string, set: () => void): Promise<Authorization> => {
    const created = await newOrder(client, dns(name));
    set();
    const authorization = await readAuthorization(client, created.authorizations[0]);
    return decide(client, authorization, 'http-01');
  };
  test('a failed challenge makes challenge, authorization and order invalid, each with why (§7.1.6, §8.2)', async (t) => {
    const rows: readonly (readonly [name: string, A: readonly string[] | null, type: string, detail: RegExp])[] = [
      ['absent.test', ['127.0.0.1'], 'unauthorized', /404/],
      ['unknown.test', null, 'dns', /unknown\.test/],
      ['metadata.test', ['169.254.169.254'], 'rejectedIdentifier', /169\.254\.169\.254/],
      ['nobody.test', ['127.0.0.99'], 'connection', /127\.0\.0\.99/],
    ];
    for (const [name, A, type, detail] of rows) {
      await t.test(name, async () => {
        const created = await newOrder(client, dns(name), dns('besides.test'));
        if (A) authority.dns.set(name, { A });
        const authorization = await readAuthorization(client, created.authorizations[0]);
        const failed = await decide(client, authorization, 'http-01');
        assert.equal(failed.status, 'invalid');
        assert.deepEqual(
          failed.challenges.map((challenge) => [challenge.type, challenge.status]),
          [['http-01', 'invalid']],
        );
        const { error } = challengeOf(failed, 'http-01');
        assert.match(error?.type ?? '', new RegExp(`^urn:ietf:params:acme:error:${type}$`));
        assert.match(error?.detail ?? '', detail);
        const read = await readOrder(client, created.url);
        assert.equal(read.status, 'invalid');
        assert.deepEqual(
          read.error?.subproblems?.map((problem) => [problem.identifier, problem.detail]),
          [[dns(name), error?.detail]],
        );
        const retried = await client.post(challengeOf(failed, 'http-01').url, {});
        assert.equal(retried.body.status, 'invalid', 'it is not tried again');
      });
    }
  });

  test('a validation that takes its time is "processing" with Retry-After, then decided (§8.2)', async () => {
    const created = await newOrder(client, dns('slow.test'));
    authority.dns.set('slow.test', { A: ['127.0.0.1'], delayMs: 700 });
    const authorization = await readAuthorization(client, created.authorizations[0]);
    const { url, token } = challengeOf(authorization, 'http-01');
    authority.http.present(token, `${token}.${client.key.thumbprint}`);
    const answer = await client.post(url, {});
    assert.equal(answer.body.status, 'processing');
    assert.match(String(answer.headers['retry-after']), /^\d+$/);
    const polled = await client.post(authorization.url, null);
    assert.equal(polled.body.status, 'pending');
    assert.match(String(polled.headers['retry-after']), /^\d+$/);
    for (
      let tries = 0;
      (await readAuthorization(client, authorization.url)).status === 'pending' && tries < 60;
      tries++
    )
      await sleep(50);
    assert.equal((await readAuthorization(client, authorization.url)).status, 'valid');
    assert.equal((await readOrder(client, created.url)).status, 'ready');
  });

  test('a challenge of a type that the authorization does not offer does not exist', async () => {
    const { authorizations } = await newOrder(client, dns('*.types.test'));
    for (const type of ['http-01', 'dns-02', 'toString', '%64ns-01x'])
      assertProblem(
        await client.post(`${authorizations[0]?.replace('/authz/', '/challenge/')}/${type}`, {}),
        'malformed',
        /no such challenge/,
        404,
      );
  });

  test('the list of orders comes in pages, each order once, in order of age (§7.1.2.1)', async () => {
    const owner = await registered({ rootPem: authority.rootPem, directory: `${authority.url}/acme/acme/directory` });
    const made = await Promise.all(Array.from({ length: 60 }, (_, i) => newOrder(owner, dns(`l${i}.test`))));
    const listed: string[] = [];
    let pages = 0;
    for (let url: string | null = `${owner.kid}/orders`; url !== null; pages++) {
      const answer: Answer = await owner.post(url, null);
      assert.equal(answer.status, 200);
      listed.push(...(answer.body.orders as string[]));
      url = /<([^>]+)>;\s*rel="next"/.exec(String(answer.headers.link))?.[1] ?? null;
    }
    assert.equal(pages, 2);
    assert.deepEqual(new Set(listed), new Set(made.map(({ url }) => url)));
    assert.equal(listed.length, 60);
    for (const after of ['-1', 'x', '', '1e9', '%00'])
      assert.equal((await owner.post(`${owner.kid}/orders?after=${after}`, null)).status, 200, after);
    owner.close();
  });

  test('nothing of all this was an internal fault', async () => {
    assert.equal((await failing('last.test', () => {})).status, 'invalid');
    assert.deepEqual(authority.errors, []);
  });
});
