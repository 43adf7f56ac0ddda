/** What every request has in common: directory, nonces, content types, the JWS around the payload (RFC 8555 §6, §7.1, §7.2). */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { after, before, describe, test } from 'node:test';
import type { ProvisionerRecord } from '../../src/flow/ca/store-ports.ts';
import {
  type AccountAlgorithm,
  type AcmeClient,
  type Answer,
  accountKey,
  acmeClient,
  type Deviation,
  registered,
} from './client.ts';
import { csrFor } from './csr.ts';
import { NOW } from './facts.ts';
import {
  assertPostAnswer,
  assertProblem,
  base64url,
  dns,
  newOrder,
  readAuthorization,
  readyOrder,
} from './resources.ts';
import { startTestAuthority, type TestAuthority } from './server.ts';

const OTHER: ProvisionerRecord = {
  name: 'other',
  kind: 'acme',
  defaultLifetimeSeconds: 3600,
  maxLifetimeSeconds: 7200,
  publicKey: null,
  encryptedKey: null,
  createdAt: NOW,
};

describe('requests', () => {
  let authority: TestAuthority;
  let client: AcmeClient;
  let directory: string;

  before(async () => {
    authority = await startTestAuthority([OTHER]);
    directory = `${authority.url}/acme/acme/directory`;
    client = await registered({ rootPem: authority.rootPem, directory });
  });
  after(async () => {
    client.close();
    await authority.stop();
  });

  const post = (deviation: Deviation = {}, payload: unknown = null): Promise<Answer> =>
    client.post(client.kid ?? '', payload, deviation);

  test('the directory lists absolute URLs under the name that the client used (§7.1.1)', async () => {
    for (const host of ['127.0.0.1', 'localhost', 'LOCALHOST']) {
      const answer = await client.get(directory, 'GET', { host: `${host}:${authority.port}` });
      assert.equal(answer.status, 200);
      assert.match(String(answer.headers['content-type']), /^application\/json/);
      const { meta, ...resources } = answer.body;
      for (const name of ['newNonce', 'newAccount', 'newOrder', 'revokeCert', 'keyChange'])
        assert.match(
          String(resources[name]),
          new RegExp(`^https://${host}:${authority.port}/acme/acme/[a-z-]+$`),
          name,
        );
      assert.equal((meta as Record<string, unknown>).externalAccountRequired, false);
      assert.equal('newAuthz' in resources, false, 'nothing is advertised that is not served');
    }
  });

  test('a Host that is not the authority’s is not echoed into links', async () => {
    for (const host of ['evil.test', 'localhost@evil.test', 'localhost:99999', 'evil.test:9000#localhost', '']) {
      const answer = await client.get(directory, 'GET', { host });
      if (answer.status === 400) continue;
      assert.doesNotMatch(answer.text, /evil/, host);
      assert.equal(answer.body.newNonce, `${authority.url}/acme/acme/new-nonce`, host);
    }
  });

  test('a provisioner that does not exist, or is not for ACME, has no directory and no nonces', async () => {
    for (const name of ['nobody', 'admin', 'ACME', '..%2f..%2f', '__proto__', 'a'.repeat(150)]) {
      for (const resource of ['directory', 'new-nonce']) {
        const answer = await client.get(`${authority.url}/acme/${name}/${resource}`);
        assert.equal(answer.status, 404, `${name} ${resource}: ${answer.text}`);
        assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
        assert.equal(answer.headers['replay-nonce'], undefined);
      }
      const refused = await client.post(`${authority.url}/acme/${name}/new-order`, { identifiers: [dns('a.test')] });
      assert.equal(refused.status, 404, refused.text);
    }
  });

  test('nonces are fresh every time, and new-nonce points to the directory (§7.2)', async () => {
    const seen = new Set<string>();
    for (const method of ['HEAD', 'GET', 'HEAD', 'GET']) {
      const answer = await client.get(client.resources.newNonce, method);
      assert.equal(answer.status, method === 'HEAD' ? 200 : 204);
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.equal(answer.text, '');
      assert.match(String(answer.headers.link), /directory>;\s*rel="index"/);
      seen.add(String(answer.headers['replay-nonce']));
    }
    assert.equal(seen.size, 4);
  });

  test('every answer to a POST brings a nonce, the way to the directory, and is not cached (§6.5, §7.1)', async () => {
    const order = await readyOrder(authority, client, dns('every.test'));
    const authorization = await readAuthorization(client, order.authorizations[0]);
    const answers = [
      await post(),
      await client.post(`${client.kid}/orders`, null),
      await client.post(client.resources.newOrder, { identifiers: [dns('every.test')] }),
      await client.post(order.url, null),
      await client.post(authorization.url, null),
      await client.post(authorization.challenges[0]?.url ?? '', null),
      await client.post(order.finalize, { csr: base64url(csrFor(['every.test'])) }),
      await client.post(client.resources.newAccount, {}, { header: { kid: undefined, jwk: client.key.jwk } }),
    ];
    const certificate = await client.post(String(answers[6]?.body.certificate), null);
    const revoked = await client.post(client.resources.revokeCert, {
      certificate: base64url(Buffer.from(certificate.text.split('-----')[2] ?? '', 'base64')),
    });
    for (const answer of [...answers, certificate, revoked]) {
      assert.ok(answer.status < 300, answer.text);
      assertPostAnswer(answer);
    }
  });

  test('a nonce is good for one request, and the refusal brings a good one (§6.5)', async () => {
    const nonce = await client.nonce();
    assert.equal((await post({ header: { nonce } })).status, 200);
    const again = await post({ header: { nonce } });
    assertProblem(again, 'badNonce', /spent/, 400);
    assert.equal((await post({ header: { nonce: again.headers['replay-nonce'] } })).status, 200);
  });

  test('a nonce is spent by a request that is refused for its signature', async () => {
    const nonce = await client.nonce();
    assertProblem(await post({ header: { nonce }, key: accountKey() }), 'malformed', /does not verify/);
    assertProblem(await post({ header: { nonce } }), 'badNonce', /spent/);
  });

  test('one nonce in sixteen requests at once: exactly one wins (§6.5)', async () => {
    const nonce = await client.nonce();
    const answers = await Promise.all(Array.from({ length: 16 }, () => post({ header: { nonce } })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...new Array<number>(15).fill(400)]);
    for (const answer of answers) if (answer.status === 400) assertProblem(answer, 'badNonce', /spent/);
  });

  const CONTENT_TYPES: readonly (readonly [type: string | null, accepted: boolean])[] = [
    ['application/jose+json', true],
    ['application/jose+json; charset=utf-8', true],
    ['Application/JOSE+JSON', true],
    ['application/json', false],
    ['application/jose', false],
    ['application/jose+jsonx', false],
    ['text/plain', false],
    ['multipart/form-data; boundary=x', false],
    ['nonsense', false],
    [null, false],
  ];
  for (const [contentType, accepted] of CONTENT_TYPES) {
    test(`a body of type ${contentType} is ${accepted ? 'read' : 'refused with 415'} (§6.2)`, async () => {
      const answer = await post({ contentType });
      if (accepted) assert.equal(answer.status, 200, answer.text);
      else assertProblem(answer, 'malformed', /application\/jose\+json/, 415);
    });
  }

  const BODIES: readonly (readonly [what: string, body: string | Uint8Array, detail: RegExp, status: number])[] = [
    ['more than 64 KiB', 'x'.repeat(65 * 1024), /larger than 65536 bytes/, 413],
    ['nothing', '', /not JSON/, 400],
    ['no JSON', 'protected=x', /not JSON/, 400],
    ['JSON that is cut short', '{"protected":"', /not JSON/, 400],
    ['the compact serialization', '"e30.e30.AAAA"', /not a JWS object/, 400],
    ['a list', '[]', /not a JWS object/, 400],
    ['null', 'null', /not a JWS object/, 400],
    ['a number beyond all numbers', '1e999', /not a JWS object/, 400],
    ['octets that are no UTF-8', Uint8Array.of(0xff, 0xfe, 0x7b, 0x7d), /not JSON/, 400],
    ['an object without members', '{}', /must be strings/, 400],
  ];
  for (const [what, rawBody, detail, status] of BODIES) {
    test(`a body that is ${what} is refused with ${status} (§6.2)`, async () => {
      assertProblem(await post({ rawBody }), 'malformed', detail, status);
    });
  }

  const SHAPES: readonly (readonly [
    what: string,
    deviation: () => Deviation,
    type: Parameters<typeof assertProblem>[1],
    detail: RegExp,
  ])[] = [
    ['an unprotected header', () => ({ jws: (right) => ({ ...right, header: {} }) }), 'malformed', /"header"/],
    ['several signatures', () => ({ jws: (right) => ({ ...right, signatures: [] }) }), 'malformed', /"signatures"/],
    ['jwk and kid', () => ({ header: { jwk: client.key.jwk } }), 'malformed', /exactly one of jwk and kid/],
    ['neither jwk nor kid', () => ({ header: { kid: undefined } }), 'malformed', /exactly one of jwk and kid/],
    ['a critical extension', () => ({ header: { crit: ['x'], x: 1 } }), 'malformed', /crit/],
    ['an unencoded payload', () => ({ header: { b64: false } }), 'malformed', /b64/],
    [
      'padding',
      () => ({ jws: (right) => ({ ...right, signature: `${right.signature}==` }) }),
      'malformed',
      /base64url/,
    ],
    ['a signature by another key', () => ({ key: accountKey() }), 'malformed', /does not verify/],
    [
      'a payload that was exchanged',
      () => ({ jws: (right) => ({ ...right, payload: base64url(Buffer.from('{"status":"deactivated"}')) }) }),
      'malformed',
      /does not verify/,
    ],
    ['no nonce', () => ({ header: { nonce: undefined } }), 'badNonce', /no nonce/],
    ['a nonce of nobody', () => ({ header: { nonce: 'AAAAAAAAAAAAAAAAAAAAAA' } }), 'badNonce', /unknown/],
    ['a nonce that is none', () => ({ header: { nonce: 'x y' } }), 'badNonce', /unknown/],
  ];
  for (const [what, deviation, type, detail] of SHAPES) {
    test(`a request with ${what} is refused (§6.2, §6.5)`, async () => {
      assertProblem(await post(deviation()), type, detail, 400);
    });
  }

  test('a new account is asked for with jwk, everything else with kid (§6.2)', async () => {
    assertProblem(await client.post(client.resources.newAccount, {}), 'malformed', /use jwk/, 400);
    const order = await newOrder(client, dns('kid.test'));
    const header = { kid: undefined, jwk: client.key.jwk };
    for (const url of [client.resources.newOrder, client.resources.keyChange, client.kid ?? '', order.url])
      assertProblem(await client.post(url, {}, { header }), 'malformed', /use kid/, 400);
  });

  const PAYLOADS: readonly (readonly [what: string, payload: Uint8Array])[] = [
    ['no JSON', Buffer.from('x')],
    ['a list', Buffer.from('[]')],
    ['null', Buffer.from('null')],
    ['nothing, where an object is wanted', Buffer.from('')],
  ];
  for (const [what, payload] of PAYLOADS) {
    test(`a payload that is ${what} is malformed`, async () => {
      assertProblem(await client.post(client.resources.newOrder, payload), 'malformed', /payload/);
    });
  }

  test('an object where POST-as-GET is wanted is malformed (§6.3)', async () => {
    const order = await newOrder(client, dns('payload.test'));
    for (const url of [order.url, `${client.kid}/orders`])
      assertProblem(await client.post(url, {}), 'malformed', /POST-as-GET/);
  });

  const wrongUrls = (): readonly (readonly [what: string, url: unknown])[] => [
    ['another resource', client.resources.newOrder],
    ['no URL', undefined],
    ['an empty one', ''],
    ['a query more', `${client.kid}?x=1`],
    ['a slash more', `${client.kid}/`],
    ['a fragment more', `${client.kid}#x`],
    ['another scheme', client.kid?.replace('https:', 'http:')],
    ['another name of the same authority', client.kid?.replace('127.0.0.1', 'localhost')],
    ['the path alone', new URL(client.kid ?? '').pathname],
    ['user information', client.kid?.replace('https://', 'https://a@')],
  ];
  test('a url in the protected header that is not the request’s is unauthorized (§6.4)', async () => {
    for (const [what, url] of wrongUrls()) {
      const answer = await post({ header: { url } });
      assertProblem(answer, 'unauthorized', /the request went to https:/, 403);
      assert.ok(answer.text.includes(client.kid ?? ''), `${what}: says what was wanted`);
    }
  });

  test('the url counts as the client spells it, by whichever of the authority’s names (§6.4)', async () => {
    const byName = (url: string): string => url.replace('127.0.0.1', 'localhost');
    const url = byName(client.kid ?? '');
    const answer = await post({
      header: { url, kid: url },
      headers: { host: `localhost:${authority.port}` },
    });
    assert.equal(answer.status, 200, answer.text);
    const withQuery = `${client.kid}/orders?after=0&x=%C3%BC`;
    assert.equal((await client.post(withQuery, null)).status, 200);
  });

  const wrongKids = (): readonly (readonly [what: string, kid: string])[] => [
    ['an account that does not exist', `${authority.url}/acme/acme/account/999999`],
    ['an account number as no one writes it', `${client.kid}`.replace(/(\d+)$/, '0$1')],
    ['a number that overflows', `${authority.url}/acme/acme/account/${'9'.repeat(30)}`],
    ['a slash more', `${client.kid}/`],
    ['a query', `${client.kid}?`],
    ['another scheme', `${client.kid?.replace('https', 'http')}`],
    ['another host', `${client.kid?.replace('127.0.0.1', 'evil.test')}`],
    ['another provisioner', `${client.kid?.replace('/acme/acme/', '/acme/other/')}`],
    ['the number alone', '1'],
    ['nothing', ''],
    ['a path that goes round', `${authority.url}/acme/other/../acme/account/1`],
  ];
  test('a kid that is not exactly the URL of an account here is accountDoesNotExist (§6.2)', async () => {
    for (const [what, kid] of wrongKids()) {
      const answer = await post({ header: { kid } });
      assertProblem(answer, 'accountDoesNotExist', /no account has the URL/, 400);
      assert.ok(answer.text.length < 800, what);
    }
  });

  test('an account belongs to the directory it was made under', async () => {
    const elsewhere = await registered({
      rootPem: authority.rootPem,
      directory: `${authority.url}/acme/other/directory`,
      key: client.key,
    });
    assert.notEqual(elsewhere.kid, client.kid, 'the same key has another account there');
    assertProblem(await post({ header: { kid: elsewhere.kid } }), 'accountDoesNotExist', /no account/);
    const here = elsewhere.kid?.replace('/acme/other/', '/acme/acme/') ?? '';
    assertProblem(await post({ header: { kid: here } }), 'accountDoesNotExist', /no account/);
    const crossed = await client.post(`${authority.url}/acme/other/new-order`, { identifiers: [dns('a.test')] });
    assertProblem(crossed, 'accountDoesNotExist', /no account/);
    elsewhere.close();
  });

  test('an order of one provisioner is not served under another', async () => {
    const order = await newOrder(client, dns('a.test'));
    const elsewhere = await registered({
      rootPem: authority.rootPem,
      directory: `${authority.url}/acme/other/directory`,
      key: client.key,
    });
    const crossed = order.url.replace('/acme/acme/', '/acme/other/');
    assertProblem(await elsewhere.post(crossed, null), 'malformed', /no such order/, 404);
    elsewhere.close();
  });

  const ALGORITHMS: readonly AccountAlgorithm[] = ['ES256', 'ES384', 'ES512', 'RS256', 'EdDSA'];
  for (const alg of ALGORITHMS) {
    test(`an account signs with ${alg}`, async () => {
      const own = await registered({ rootPem: authority.rootPem, directory, key: accountKey(alg) });
      assert.equal((await newOrder(own, dns(`${alg}.test`))).status, 'pending');
      own.close();
    });
  }

  test('an algorithm that does not fit the key is badSignatureAlgorithm, with those that exist (§6.2)', async () => {
    const fresh = await acmeClient({ rootPem: authority.rootPem, directory });
    for (const [by, alg] of [
      [client, 'ES384'],
      [client, 'RS256'],
      [fresh, 'EdDSA'],
      [fresh, 'PS256'],
    ] as const) {
      const answer = await by.post(
        by === client ? (client.kid ?? '') : by.resources.newAccount,
        {},
        { header: { alg } },
      );
      assert.ok(assertProblem(answer, 'badSignatureAlgorithm', new RegExp(alg), 400).algorithms?.includes('ES256'));
    }
    for (const alg of ['none', 'HS256', 'RS1', 'ES256K', 'es256', '', 'constructor', 'x'.repeat(2000)]) {
      const answer = await post({ header: { alg } });
      assert.ok(assertProblem(answer, 'badSignatureAlgorithm', /not supported/, 400).algorithms?.includes('EdDSA'));
      assert.ok(answer.text.length < 1000, 'the name is not repeated at length');
    }
    fresh.close();
  });

  const KEYS: readonly (readonly [what: string, jwk: unknown, detail: RegExp])[] = [
    ['null', null, /not an object/],
    ['private', { ...accountKey().privateKey.export({ format: 'jwk' }) }, /private/],
    ['a point off the curve', { ...accountKey().jwk, y: accountKey().jwk.x }, /not a public key/],
    ['of a weak size', { kty: 'RSA', n: 'w'.repeat(171), e: 'AQAB' }, /1024 bits|bits/],
    ['a symmetric key', { kty: 'oct', k: 'AAAA' }, /symmetric/],
    ['of a type that cannot be printed', { kty: { toString: null } }, /key type object/],
    [
      'of a type without end',
      { kty: JSON.parse(`${'['.repeat(9000)}${']'.repeat(9000)}`) as unknown },
      /key type object/,
    ],
  ];
  for (const [what, jwk, detail] of KEYS) {
    test(`a jwk that is ${what} is badPublicKey (§6.2)`, async () => {
      const fresh = await acmeClient({ rootPem: authority.rootPem, directory });
      const alg = (jwk as { kty?: unknown } | null)?.kty === 'RSA' ? 'RS256' : 'ES256';
      assertProblem(
        await fresh.post(fresh.resources.newAccount, {}, { header: { jwk, alg } }),
        'badPublicKey',
        detail,
        400,
      );
      fresh.close();
    });
  }

  test('a resource that takes POST alone answers other methods with 405 and Allow (§6.3)', async () => {
    const order = await newOrder(client, dns('allow.test'));
    for (const url of [
      client.resources.newAccount,
      client.resources.newOrder,
      client.resources.revokeCert,
      client.resources.keyChange,
      order.url,
      order.finalize,
      order.authorizations[0] ?? '',
      client.kid ?? '',
    ]) {
      for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']) {
        const answer = await client.get(url, method);
        assert.equal(answer.status, 405, `${method} ${url}`);
        assert.equal(answer.headers.allow, 'POST');
        if (method !== 'HEAD') assert.equal(answer.body.type, 'urn:ietf:params:acme:error:malformed');
      }
    }
  });

  test('a resource that takes GET alone answers POST with 405 and Allow', async () => {
    for (const url of [directory, client.resources.newNonce]) {
      const answer = await client.post(url, null);
      assert.equal(answer.status, 405, answer.text);
      assert.equal(answer.headers.allow, 'GET, HEAD');
      assertPostAnswer(answer);
    }
  });

  test('what does not exist is 404 as a problem document', async () => {
    for (const path of ['', '/', '/new-authz', '/order', '/order/x', '/order/1/finalise', '/%00']) {
      const answer = await client.post(`${authority.url}/acme/acme${path}`, null);
      assert.ok(answer.status === 404 || answer.status === 400, `${path}: ${answer.status}`);
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/, path);
    }
    for (const id of ['0', '-1', '1.5', '1e3', '9'.repeat(16), '0x1', '%31%2f']) {
      const answer = await client.post(`${authority.url}/acme/acme/order/${id}`, null);
      assert.equal(answer.status, 404, id);
      assert.equal(answer.body.type, 'urn:ietf:params:acme:error:malformed');
    }
  });

  test('a path that cannot be decoded is a 400, not an internal fault', async () => {
    const answer = await new Promise<number>((resolve, reject) => {
      const outgoing = request(
        { host: '127.0.0.1', port: authority.port, path: '/acme/%zz/directory', ca: authority.rootPem, agent: false },
        (incoming) => resolve(incoming.resume().statusCode ?? 0),
      );
      outgoing.on('error', reject);
      outgoing.end();
    });
    assert.equal(answer, 400);
  });

  test('nothing of all this was an internal fault', () => {
    assert.deepEqual(authority.errors, []);
  });
});
