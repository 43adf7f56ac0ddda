/** Finalize and the certificate that comes of it (RFC 8555 §7.4, §7.4.2). */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { crlUrls } from '../../src/core/x509/crl-distribution-points.ts';
import { subjectAltNames } from '../../src/core/x509/subject-alt-name.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { type AcmeClient, accountKey, registered } from './client.ts';
import { csrFor, csrOfAuthority, csrWithSha1, ecKey } from './csr.ts';
import {
  assertProblem,
  base64url,
  dns,
  download,
  finalize,
  ip,
  issue,
  newOrder,
  type Order,
  readOrder,
  readyOrder,
} from './resources.ts';
import { startTestAuthority, type TestAuthority } from './server.ts';

describe('finalize', () => {
  let authority: TestAuthority;
  let client: AcmeClient;

  before(async () => {
    authority = await startTestAuthority();
    client = await registered({
      rootPem: authority.rootPem,
      directory: `${authority.url}/acme/acme/directory`,
    });
  });
  after(async () => {
    client.close();
    await authority.stop();
  });

  const issuedFor = (name: string) => authority.store.listCertificates({ name, limit: 100, now: wallClock() });

  test('finalize before the authorizations are valid is 403 orderNotReady (§7.4)', async () => {
    const order = await newOrder(client, dns('early.test'));
    const csr = base64url(csrFor(['early.test']));
    assertProblem(await client.post(order.finalize, { csr }), 'orderNotReady', /pending/, 403);
    assert.equal((await readOrder(client, order.url)).status, 'pending');
  });

  const WEAK = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const REFUSED: readonly (readonly [
    what: string,
    payload: () => object,
    type: Parameters<typeof assertProblem>[1],
    detail: RegExp,
  ])[] = [
    ['no csr', () => ({}), 'malformed', /no csr/],
    ['a csr that is a number', () => ({ csr: 1 }), 'malformed', /no csr/],
    ['a csr in base64', () => ({ csr: Buffer.from([0xfb, 0xff]).toString('base64') }), 'malformed', /not base64url/],
    ['a csr in PEM', () => ({ csr: '-----BEGIN CERTIFICATE REQUEST-----' }), 'malformed', /not base64url/],
    ['a csr of no octets', () => ({ csr: '' }), 'badCSR', /not well formed/],
    ['a csr that is rubbish', () => ({ csr: 'AAAA' }), 'badCSR', /not well formed/],
    [
      'a csr cut short',
      () => ({ csr: base64url(csrFor(['f.test', 'g.test']).subarray(0, 100)) }),
      'badCSR',
      /not well formed/,
    ],
    [
      'a csr with an octet more',
      () => ({ csr: base64url(Buffer.concat([csrFor(['f.test', 'g.test']), Buffer.alloc(1)])) }),
      'badCSR',
      /not well formed/,
    ],
    ['a name too many', () => ({ csr: base64url(csrFor(['f.test', 'g.test', 'h.test'])) }), 'badCSR', /names h\.test/],
    ['a name missing', () => ({ csr: base64url(csrFor(['f.test'])) }), 'badCSR', /does not name g\.test/],
    ['other names', () => ({ csr: base64url(csrFor(['x.test', 'y.test'])) }), 'badCSR', /names x\.test, y\.test/],
    [
      'a common name that is not in the order',
      () => ({ csr: base64url(csrFor(['f.test', 'g.test'], { commonName: 'evil.test' })) }),
      'badCSR',
      /evil\.test/,
    ],
    [
      'an e-mail address besides',
      () => ({ csr: base64url(csrFor(['f.test', 'g.test', 'mailto:a@f.test'])) }),
      'badCSR',
      /kind email/,
    ],
    [
      'a signature that is wrong',
      () => ({
        csr: base64url(
          csrFor(['f.test', 'g.test'], {
            signature: (right) => right.map((octet, i) => (i === right.length - 1 ? octet ^ 1 : octet)),
          }),
        ),
      }),
      'badCSR',
      /signature/,
    ],
    [
      'a signature by another key',
      () => ({
        csr: base64url(
          csrFor(['f.test', 'g.test'], { key: { publicKey: ecKey().publicKey, privateKey: ecKey().privateKey } }),
        ),
      }),
      'badCSR',
      /signature/,
    ],
    ['a signature with SHA-1', () => ({ csr: base64url(csrWithSha1('f.test')) }), 'badCSR', /weaker than SHA-256/],
    [
      'an RSA key of 1024 bits',
      () => ({ csr: base64url(csrFor(['f.test', 'g.test'], { key: WEAK, algorithm: 'rsa-2048' })) }),
      'badPublicKey',
      /1024 bits/,
    ],
    [
      'a key on a curve that is not accepted',
      () => ({
        csr: base64url(csrFor(['f.test', 'g.test'], { key: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }) })),
      }),
      'badPublicKey',
      /curve/,
    ],
    [
      'the account’s own key (§11.1)',
      () => ({ csr: base64url(csrFor(['f.test', 'g.test'], { key: ownKey(client) })) }),
      'badCSR',
      /account key/,
    ],
  ];
  test('a csr that is not right is refused with the reason, and the order stays ready (§7.4)', async (t) => {
    const order = await readyOrder(authority, client, dns('f.test'), dns('g.test'));
    for (const [what, payload, type, detail] of REFUSED)
      await t.test(what, async () => {
        assertProblem(await client.post(order.finalize, payload()), type, detail, 400);
      });
    assertProblem(await client.post(order.finalize, null), 'malformed', /empty/);
    assert.equal((await readOrder(client, order.url)).status, 'ready');
    assert.deepEqual(await issuedFor('f.test'), []);
    const done = await finalize(client, order, csrFor(['f.test', 'g.test']));
    assert.equal(done.status, 'valid', 'and can be finalized with a right one');
  });

  test('a csr with the key of another account is refused too, of every kind of key (§11.1)', async () => {
    for (const alg of ['ES256', 'EdDSA', 'RS256'] as const) {
      const other = await registered({
        rootPem: authority.rootPem,
        directory: `${authority.url}/acme/acme/directory`,
        key: accountKey(alg),
      });
      const order = await readyOrder(authority, client, dns('theirs.test'));
      const algorithm = { ES256: 'ecdsa-p256', EdDSA: 'ed25519', RS256: 'rsa-2048' } as const;
      const csr = csrFor(['theirs.test'], { key: ownKey(other), algorithm: algorithm[alg] });
      assertProblem(await client.post(order.finalize, { csr: base64url(csr) }), 'badCSR', /account key/);
      other.close();
    }
  });

  test('a csr padded as Synology’s client pads it is read', async () => {
    const order = await readyOrder(authority, client, dns('padded.test'));
    const csr = Buffer.from(csrFor(['padded.test']))
      .toString('base64')
      .replaceAll('+', '-')
      .replaceAll('/', '_');
    assert.equal((await client.post(order.finalize, { csr })).status, 200);
  });

  test('finalize again is the order as it stands, and no second certificate (§7.4)', async () => {
    const order = await readyOrder(authority, client, dns('twice.test'));
    const first = await finalize(client, order, csrFor(['twice.test']));
    assert.equal(first.status, 'valid');
    for (const csr of [csrFor(['twice.test']), csrFor(['twice.test'], { key: ecKey() }), csrFor(['other.test'])])
      assert.deepEqual({ ...(await finalize(client, order, csr)) }, { ...first });
    assert.equal((await issuedFor('twice.test')).length, 1);
  });

  test('finalize sixteen times at once is one certificate; who comes too early is told when to ask again (§7.4)', async () => {
    const order = await readyOrder(authority, client, dns('sixteen.test'));
    const answers = await Promise.all(
      Array.from({ length: 16 }, () =>
        client.post(order.finalize, { csr: base64url(csrFor(['sixteen.test'], { key: ecKey() })) }),
      ),
    );
    for (const { status, body, headers, text } of answers) {
      assert.equal(status, 200, text);
      assert.ok(body.status === 'valid' || body.status === 'processing', text);
      assert.equal(headers.location, order.url);
      assert.equal('certificate' in body, body.status === 'valid');
      if (body.status === 'processing') assert.match(String(headers['retry-after']), /^\d+$/);
    }
    let done: Order = order;
    for (let tries = 0; tries < 100 && done.status !== 'valid'; tries++) {
      await sleep(10);
      done = await readOrder(client, order.url);
    }
    assert.equal(done.status, 'valid');
    const records = await issuedFor('sixteen.test');
    assert.equal(records.length, 1);
    assert.equal((await download(client, done)).leaf.serial, records[0]?.serial);
  });

  test('a certificate comes as its chain, leaf first, up to but without the root (§7.4.2, §9.1)', async () => {
    const { order, leaf, chain } = await issue(authority, client, [dns('chain.test')]);
    const answer = await client.post(order.certificate ?? '', null);
    assert.match(String(answer.headers['content-type']), /^application\/pem-certificate-chain/);
    assert.match(String(answer.headers.link), /directory>;\s*rel="index"/);
    assert.match(
      answer.text,
      /^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE/,
    );
    assert.equal(answer.text.match(/BEGIN CERTIFICATE/g)?.length, 2);
    assert.equal(chain.length, 2);
    const [first, second] = chain.map(({ raw }) => new X509Certificate(raw));
    const root = new X509Certificate(authority.rootPem);
    assert.ok(first && second && first.checkIssued(second) && first.verify(second.publicKey));
    assert.ok(second.checkIssued(root) && second.verify(root.publicKey));
    assert.equal(first.checkHost('chain.test'), 'chain.test');
    assert.deepEqual(leaf.raw, (await download(client, order)).leaf.raw, 'the same every time');
    assert.equal(leaf.validity.notAfter - leaf.validity.notBefore + 1, 24 * 3600 + 60, 'a day, and a minute before');
  });

  test('a certificate that does not exist is 404; one is fetched with an empty payload alone (§7.4.2)', async () => {
    const { order } = await issue(authority, client, [dns('fetch.test')]);
    assertProblem(await client.post(order.certificate ?? '', {}), 'malformed', /POST-as-GET/);
    for (const id of ['999999', '0', 'x'])
      assertProblem(
        await client.post(`${authority.url}/acme/acme/certificate/${id}`, null),
        'malformed',
        /no such certificate/,
        404,
      );
  });

  test('the authority’s own certificates are not fetched by their numbers', async () => {
    for (const id of [1, 2, 3])
      assertProblem(
        await client.post(`${authority.url}/acme/acme/certificate/${id}`, null),
        'malformed',
        /no such certificate/,
        404,
      );
  });

  test('nothing of a csr but its names and its key gets into the certificate', async () => {
    const order = await readyOrder(authority, client, dns('plain.test'));
    const done = await finalize(client, order, csrOfAuthority('plain.test'));
    const { leaf } = await download(client, done);
    assert.equal(new X509Certificate(leaf.raw).ca, false);
    assert.equal(new X509Certificate(leaf.raw).subject, undefined, 'an empty subject');
    assert.deepEqual(subjectAltNames(leaf), [{ kind: 'dns', value: 'plain.test' }]);
    assert.ok(crlUrls(leaf)[0]?.startsWith('http://'), 'where its revocation would be found');
  });

  test('names and addresses come in the order of the csr, each once', async () => {
    const asked = [dns('o1.test'), ip('127.0.0.1'), dns('o2.test')];
    const { leaf } = await issue(authority, client, asked, csrFor(['o2.test', '127.0.0.1', 'O2.test', 'o1.test']));
    assert.deepEqual(
      subjectAltNames(leaf).map((name) => 'value' in name && name.value),
      ['o2.test', '127.0.0.1', 'o1.test'],
    );
  });

  const KEYS = [
    ['ecdsa-p384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['ecdsa-p521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['rsa-2048', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ed25519', () => generateKeyPairSync('ed25519')],
    ['ml-dsa-65', () => generateKeyPairSync('ml-dsa-65')],
  ] as const;
  for (const [algorithm, generate] of KEYS) {
    test(`a key of ${algorithm} is certified`, async () => {
      const key = generate();
      const { leaf } = await issue(authority, client, [dns('kinds.test')], csrFor(['kinds.test'], { key, algorithm }));
      assert.deepEqual(Buffer.from(leaf.publicKey.raw), key.publicKey.export({ type: 'spki', format: 'der' }));
    });
  }

  test('an order for a hundred names is issued', async () => {
    const names = Array.from({ length: 100 }, (_, i) => dns(`n${i}.hundred.test`));
    const { leaf } = await issue(authority, client, names);
    assert.equal(subjectAltNames(leaf).length, 100);
    assert.equal((await issuedFor('n99.hundred.test')).length, 1);
  });

  test('every certificate that was handed out is in the list, and serials never repeat', async () => {
    const records = await authority.store.listCertificates({ limit: 1000, now: wallClock(), provisioner: 'acme' });
    const serials = records.map(({ der }) => parseCertificate(der ?? new Uint8Array()).serial);
    assert.ok(serials.length > 10);
    assert.equal(new Set(serials).size, serials.length);
  });

  test('nothing of all this was an internal fault', () => {
    assert.deepEqual(authority.errors, []);
  });
});

/** The account's key as a certificate's. */
function ownKey({ key }: AcmeClient) {
  const publicKey = createPublicKey(key.privateKey);
  return { publicKey, privateKey: key.privateKey };
}
