import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatCertId } from '../../src/core/acme/renewal-info.ts';
import { hexFromBytes } from '../../src/core/bytes/hex.ts';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { assembleCsr, encodeCsrInfo } from '../../src/core/x509/csr.ts';
import { authorityKeyIdentifier } from '../../src/core/x509/key-identifier.ts';
import { obtainCertificate } from '../../src/edge/acme-client/obtain.ts';
import { type AcmeSession, acmeSession, getUnsigned, postSigned } from '../../src/edge/acme-client/signed-request.ts';
import { scratch, up } from '../ca/command-line.ts';
import { freePort } from '../world/free-port.ts';
import { startHttpResponder } from '../world/http-responder.ts';

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** What may be wrong about a signed request; everything else is right. */
interface Wrong {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly without?: readonly string[];
  readonly members?: Readonly<Record<string, unknown>>;
  readonly contentType?: string;
  readonly body?: string;
  readonly signature?: (right: Buffer) => Buffer;
}

test('requests that the RFC wants refused are refused, with the type and the reason it names', async (t) => {
  const state = join(scratch(t), 'state');
  const responder = await startHttpResponder({ port: await freePort() });
  t.after(() => responder.close());
  const { ready } = await up(t, state, ['--http-01-port', String(responder.port), '--name', 'Refusals']);
  const ca = readFileSync(join(state, 'certs/root_ca.crt'), 'utf8');
  const base = ready.acmeDirectory.replace('/directory', '');
  const urls = JSON.parse((await getUnsigned(acmeSession(newKey(), ca), ready.acmeDirectory)).body) as Record<
    string,
    string
  >;

  const account = async (): Promise<AcmeSession> => {
    const session = acmeSession(newKey(), ca);
    session.kid = String((await postSigned(session, urls.newNonce ?? '', urls.newAccount ?? '', {})).headers.location);
    return session;
  };
  const own = await account();
  const other = await account();

  const send = (method: string, url: string, headers: Record<string, string>, body?: string): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const outgoing = request(url, { method, ca, agent: false, headers }, (incoming) => {
        let text = '';
        incoming.on('data', (chunk) => {
          text += chunk;
        });
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text }));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  const raw = async (session: AcmeSession, url: string, payload: object | null, wrong: Wrong = {}): Promise<Reply> => {
    const { headers } = await send('HEAD', urls.newNonce ?? '', {});
    const header: Record<string, unknown> = {
      alg: 'ES256',
      nonce: headers['replay-nonce'],
      url,
      ...(session.kid === null ? { jwk: session.jwk } : { kid: session.kid }),
      ...wrong.header,
    };
    for (const name of wrong.without ?? []) delete header[name];
    const head = Buffer.from(JSON.stringify(header)).toString('base64url');
    const content = payload === null ? '' : Buffer.from(JSON.stringify(payload)).toString('base64url');
    const right = sign('sha256', Buffer.from(`${head}.${content}`), {
      key: session.key as KeyObject,
      dsaEncoding: 'ieee-p1363',
    });
    const body =
      wrong.body ??
      JSON.stringify({
        protected: head,
        payload: content,
        signature: (wrong.signature?.(right) ?? right).toString('base64url'),
        ...wrong.members,
      });
    return send('POST', url, { 'content-type': wrong.contentType ?? 'application/jose+json' }, body);
  };
  const nobody = acmeSession(newKey(), ca);
  const order = (session: AcmeSession, ...identifiers: object[]) => raw(session, urls.newOrder ?? '', { identifiers });
  const dns = (value: string) => ({ type: 'dns', value }) as const;
  const readyOrder = await order(own, dns('a.localhost'));
  const orderUrl = String(readyOrder.headers.location);
  const { finalize = '', authorizations = [] } = JSON.parse(readyOrder.body) as {
    finalize?: string;
    authorizations?: string[];
  };
  const authorizationUrl = authorizations[0] ?? '';

  /** Section and behaviour, the request, the status, the type's last word, and what the detail says. */
  const rows: readonly (readonly [string, () => Promise<Reply>, number, string, RegExp])[] = [
    [
      '§6.2 another content type',
      () => raw(own, orderUrl, null, { contentType: 'application/json' }),
      415,
      'malformed',
      /application\/jose\+json/,
    ],
    ['§6.2 a body that is not JSON', () => raw(own, orderUrl, null, { body: '{' }), 400, 'malformed', /not JSON/],
    [
      '§6.2 an unprotected header',
      () => raw(own, orderUrl, null, { members: { header: { kid: own.kid } } }),
      400,
      'malformed',
      /"header" is not allowed/,
    ],
    [
      '§6.2 several signatures',
      () => raw(own, orderUrl, null, { members: { signatures: [] } }),
      400,
      'malformed',
      /"signatures" is not allowed/,
    ],
    [
      '§6.2 kid and jwk both',
      () => raw(own, orderUrl, null, { header: { jwk: own.jwk } }),
      400,
      'malformed',
      /exactly one of jwk and kid/,
    ],
    [
      '§6.2 kid and jwk neither',
      () => raw(own, orderUrl, null, { without: ['kid'] }),
      400,
      'malformed',
      /exactly one of jwk and kid/,
    ],
    [
      '§6.2 a MAC algorithm',
      () => raw(own, orderUrl, null, { header: { alg: 'HS256' } }),
      400,
      'badSignatureAlgorithm',
      /HS256/,
    ],
    [
      '§6.2 the algorithm none',
      () => raw(own, orderUrl, null, { header: { alg: 'none' } }),
      400,
      'badSignatureAlgorithm',
      /none/,
    ],
    [
      '§6.2 a signature that does not verify',
      () =>
        raw(own, orderUrl, null, {
          signature: (right) => Buffer.from(right.map((octet, i) => (i === 9 ? octet ^ 1 : octet))),
        }),
      400,
      'malformed',
      /does not verify/,
    ],
    [
      '§6.2 an account’s request where a key is wanted',
      () => raw(own, urls.newAccount ?? '', {}),
      400,
      'malformed',
      /use jwk/,
    ],
    [
      '§6.2 a key’s request where an account is wanted',
      () => raw(nobody, urls.newOrder ?? '', {}),
      400,
      'malformed',
      /use kid/,
    ],
    ['§6.3 GET on a resource', () => send('GET', orderUrl, {}), 405, 'malformed', /POST-as-GET/],
    [
      '§6.4 a url that is not the request’s',
      () => raw(own, orderUrl, null, { header: { url: `${base}/order/999` } }),
      403,
      'unauthorized',
      /the request went to/,
    ],
    [
      '§6.5 a nonce that was never given out',
      () => raw(own, orderUrl, null, { header: { nonce: 'AAAAAAAAAAAAAAAAAAAAAA' } }),
      400,
      'badNonce',
      /unknown, spent or too old/,
    ],
    ['§6.5 no nonce', () => raw(own, orderUrl, null, { without: ['nonce'] }), 400, 'badNonce', /no nonce/],
    [
      '§6.7 an unknown kid',
      () => raw(Object.assign(acmeSession(newKey(), ca), { kid: `${base}/account/99999` }), orderUrl, null),
      400,
      'accountDoesNotExist',
      /no account/,
    ],
    ['§7.1.3 somebody else’s order', () => raw(other, orderUrl, null), 404, 'malformed', /no such order/],
    [
      '§7.1.4 somebody else’s authorization',
      () => raw(other, authorizationUrl, null),
      404,
      'malformed',
      /no such authorization/,
    ],
    [
      '§7.3 a contact that is not mailto',
      () => raw(nobody, urls.newAccount ?? '', { contact: ['tel:+1'] }),
      400,
      'unsupportedContact',
      /tel/,
    ],
    [
      '§7.3 a contact that is no address',
      () => raw(nobody, urls.newAccount ?? '', { contact: ['mailto:a@b,c@d'] }),
      400,
      'invalidContact',
      /one plain e-mail/,
    ],
    [
      '§7.3.1 onlyReturnExisting without an account',
      () => raw(nobody, urls.newAccount ?? '', { onlyReturnExisting: true }),
      400,
      'accountDoesNotExist',
      /no account has this key/,
    ],
    ['§7.4 an order without identifiers', () => order(own), 400, 'malformed', /names no identifier/],
    [
      '§7.4 an identifier of an unknown type',
      () => order(own, { type: 'email', value: 'a@b.test' }),
      400,
      'unsupportedIdentifier',
      /email/,
    ],
    ['§7.4 an address as dns', () => order(own, dns('127.0.0.1')), 400, 'malformed', /type "ip"/],
    ['§7.4 a trailing dot', () => order(own, dns('a.test.')), 400, 'rejectedIdentifier', /not a DNS name/],
    ['§7.4 a wildcard in the middle', () => order(own, dns('a.*.test')), 400, 'rejectedIdentifier', /not a DNS name/],
    [
      '§7.4 a lifetime over the maximum',
      () => raw(own, urls.newOrder ?? '', { identifiers: [dns('a.test')], notAfter: '2099-01-01T00:00:00Z' }),
      400,
      'malformed',
      /maximum of the provisioner acme is 90d/,
    ],
    [
      '§7.4 finalize before the authorizations are valid',
      () => raw(own, finalize, { csr: csr('a.localhost') }),
      403,
      'orderNotReady',
      /pending/,
    ],
    ['§7.4 finalize without a CSR', () => raw(own, finalize, {}), 400, 'malformed', /no csr/],
    [
      '§7.6 revocation of a certificate that is not ours',
      () => raw(own, urls.revokeCert ?? '', { certificate: 'AAAA' }),
      400,
      'malformed',
      /not well formed/,
    ],
    [
      'a provisioner that does not exist',
      () => raw(own, `${base.replace(/acme$/, 'nobody')}/new-order`, {}),
      404,
      'malformed',
      /"nobody"/,
    ],
  ];
  for (const [title, ask, status, type, detail] of rows) {
    await t.test(title, async () => {
      const reply = await ask();
      const problem = JSON.parse(reply.body) as { type: string; detail: string; status: number; algorithms?: string[] };
      assert.equal(reply.status, status, reply.body);
      assert.equal(problem.type, `urn:ietf:params:acme:error:${type}`, reply.body);
      assert.match(problem.detail, detail);
      assert.match(String(reply.headers['content-type']), /^application\/problem\+json/);
      assert.match(
        String(reply.headers['replay-nonce']),
        /^[A-Za-z0-9_-]{22}$/,
        'a fresh nonce also with errors (§6.5)',
      );
      assert.equal('subproblems' in problem && problem.subproblems === null, false);
      if (type === 'badSignatureAlgorithm')
        assert.ok(problem.algorithms?.includes('ES256'), '§6.2: the algorithms that would do');
      if (status === 405) assert.equal(reply.headers.allow, 'POST');
    });
  }

  await t.test('§6.7.1 several bad identifiers are several subproblems', async () => {
    const reply = await order(own, dns('127.0.0.1'), dns('a_b.test'), dns('fine.test'));
    const { subproblems } = JSON.parse(reply.body) as { subproblems: { identifier: { value: string } }[] };
    assert.deepEqual(
      subproblems.map(({ identifier }) => identifier.value),
      ['127.0.0.1', 'a_b.test'],
    );
  });

  await t.test('§7.4 names are lower-cased and asked for once', async () => {
    const reply = await order(own, dns('localhost'), dns('LOCALHOST'), dns('localhost'));
    const { identifiers, authorizations: made } = JSON.parse(reply.body) as {
      identifiers: unknown[];
      authorizations: string[];
    };
    assert.deepEqual(identifiers, [dns('localhost')]);
    assert.equal(made.length, 1);
  });

  await t.test('§7.5.1 POST-as-GET on a challenge only reads: the target is not asked', async () => {
    const { challenges } = JSON.parse((await raw(own, authorizationUrl, null)).body) as {
      challenges: { url: string; status: string }[];
    };
    const read = await raw(own, challenges[0]?.url ?? '', null);
    assert.equal(JSON.parse(read.body).status, 'pending');
    assert.match(String(read.headers.link), /rel="up"/);
    assert.equal(responder.requests.length, 0);
  });

  await t.test(
    '§7.1.6 a failed challenge makes challenge, authorization and order invalid, and each says why',
    async () => {
      const created = await order(own, dns('b.localhost'));
      const { authorizations: urlsOf } = JSON.parse(created.body) as { authorizations: string[] };
      const { challenges } = JSON.parse((await raw(own, urlsOf[0] ?? '', null)).body) as {
        challenges: { type: string; url: string }[];
      };
      const http = challenges.find(({ type }) => type === 'http-01');
      const tried = JSON.parse((await raw(own, http?.url ?? '', {})).body) as {
        status: string;
        error: { detail: string };
      };
      assert.equal(tried.status, 'invalid');
      assert.match(tried.error.detail, /answered 404/);
      assert.equal(JSON.parse((await raw(own, urlsOf[0] ?? '', null)).body).status, 'invalid');
      const failed = JSON.parse((await raw(own, String(created.headers.location), null)).body) as {
        status: string;
        error: { subproblems: unknown[] };
      };
      assert.equal(failed.status, 'invalid');
      assert.equal(failed.error.subproblems.length, 1);
    },
  );

  await t.test(
    '§7.3.5 key change: the new key works, the old one does not, and a taken key is 409 with its account',
    async () => {
      const session = await account();
      const replacement = acmeSession(newKey(), ca);
      const inner = (by: AcmeSession) => {
        const head = Buffer.from(JSON.stringify({ alg: 'ES256', jwk: by.jwk, url: urls.keyChange })).toString(
          'base64url',
        );
        const content = Buffer.from(JSON.stringify({ account: session.kid, oldKey: session.jwk })).toString(
          'base64url',
        );
        return {
          protected: head,
          payload: content,
          signature: sign('sha256', Buffer.from(`${head}.${content}`), {
            key: by.key,
            dsaEncoding: 'ieee-p1363',
          }).toString('base64url'),
        };
      };
      const taken = await raw(session, urls.keyChange ?? '', inner(other));
      assert.equal(taken.status, 409);
      assert.equal(taken.headers.location, other.kid);
      assert.equal((await raw(session, urls.keyChange ?? '', inner(replacement))).status, 200);
      assert.equal((await raw(session, session.kid ?? '', null)).status, 400);
      assert.equal((await raw(Object.assign(replacement, { kid: session.kid }), session.kid ?? '', null)).status, 200);
    },
  );

  await t.test('§7.3.6 a deactivated account is refused for everything', async () => {
    const session = await account();
    assert.equal(
      JSON.parse((await raw(session, session.kid ?? '', { status: 'deactivated' })).body).status,
      'deactivated',
    );
    const refused = await raw(session, urls.newOrder ?? '', { identifiers: [dns('a.test')] });
    assert.equal(refused.status, 403);
    assert.match(refused.body, /unauthorized/);
  });

  await t.test('§7.1.2.1 the list of orders comes in pages that link to each other', async () => {
    const session = await account();
    for (let i = 0; i < 55; i++)
      await postSigned(session, urls.newNonce ?? '', urls.newOrder ?? '', { identifiers: [dns(`p${i}.test`)] });
    const first = await raw(session, `${session.kid}/orders`, null);
    const next = /<([^>]+)>;rel="next"/.exec(String(first.headers.link))?.[1] ?? '';
    const second = await raw(session, next, null);
    const all = [first, second].flatMap(({ body }) => (JSON.parse(body) as { orders: string[] }).orders);
    assert.equal(new Set(all).size, 55);
    assert.doesNotMatch(String(second.headers.link), /rel="next"/);
  });

  await t.test('RFC 9773: the window of a certificate, and one replacement for it', async () => {
    const name = 'ari.localhost';
    const get = (url: string) => send('GET', url, {});
    const [leaf] = await obtainCertificate(
      own,
      {
        directory: ready.acmeDirectory,
        contact: null,
        identifiers: [dns(name)],
        csr: Buffer.from(csr(name), 'base64url'),
        sleep: async () => undefined,
      },
      {
        type: 'http-01',
        present: async (_name, token, keyAuthorization) => responder.present(token, keyAuthorization),
        cleanUp: async () => undefined,
      },
    );
    const certificate = parseCertificate(leaf ?? new Uint8Array());
    const issuerKeyId = hexFromBytes(authorityKeyIdentifier(certificate)?.keyIdentifier ?? new Uint8Array());
    const id = formatCertId({ issuerKeyId, serial: certificate.serial });
    const info = await get(`${urls.renewalInfo}/${id}`);
    assert.equal(info.status, 200);
    assert.equal(info.headers['retry-after'], '1729');
    const { start, end } = (JSON.parse(info.body) as { suggestedWindow: { start: string; end: string } })
      .suggestedWindow;
    const share = (text: string) => (Date.parse(text) / 1000 - certificate.validity.notBefore) / 86_460;
    assert.ok(share(start) > 0.65 && share(end) < 0.69, `${start} to ${end}`);
    assert.equal((await get(`${urls.renewalInfo}/AAAA.AAEC`)).status, 404);

    const replacing = (session: AcmeSession, replaces: unknown, asked = name) =>
      raw(session, urls.newOrder ?? '', { identifiers: [dns(asked)], replaces });
    assert.equal((await replacing(own, 'rubbish')).status, 400);
    assert.equal((await replacing(other, id)).status, 403, 'of another account');
    assert.equal((await replacing(own, id, 'else.localhost')).status, 400, 'no name in common');
    const first = await replacing(own, id);
    assert.equal(first.status, 201);
    assert.equal(JSON.parse(first.body).replaces, id, '§5: reflected in the order');
    const second = await replacing(own, id);
    assert.equal(second.status, 409);
    assert.match(second.body, /alreadyReplaced/);
  });

  await t.test('§7.2 new-nonce answers HEAD with 200 and GET with 204, and is never cached', async () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
    ] as const) {
      const reply = await send(method, urls.newNonce ?? '', {});
      assert.equal(reply.status, status);
      assert.equal(reply.headers['cache-control'], 'no-store');
    }
  });
});

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function csr(name: string): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const info = encodeCsrInfo({
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    names: [{ kind: 'dns', value: name } as never],
  });
  return Buffer.from(assembleCsr(info, 'ecdsa-p256', sign('sha256', info, privateKey))).toString('base64url');
}
