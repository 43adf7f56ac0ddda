/**
 * What step's clients speak: sign by token, renew and rekey and revoke by the certificate itself, and the little that
 * everybody may read. What test/ca/ways-to-ask.test.ts shows is not shown again.
 */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, randomBytes, randomUUID, sign, X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { compactDecrypt, importJWK, type JWK, SignJWT } from 'jose';
import { openState } from '../../src/app/open-state.ts';
import { bitString, explicit, integer, sequence, time } from '../../src/core/asn1/der-writer.ts';
import { pemBlocksLabelled, pemFromDer } from '../../src/core/bytes/pem.ts';
import type { ProfileName } from '../../src/core/issuance/profile.ts';
import { generalNameFromText } from '../../src/core/issuance/requested-names.ts';
import { parseCrl } from '../../src/core/revocation/crl.ts';
import { addSeconds, formatRfc3339, type Instant } from '../../src/core/time/instant.ts';
import { KEY_ALGORITHMS } from '../../src/core/x509/algorithm.ts';
import { type Certificate, parseCertificate } from '../../src/core/x509/certificate.ts';
import { extendedKeyUsage } from '../../src/core/x509/extended-key-usage.ts';
import { commonNames, encodeName } from '../../src/core/x509/name.ts';
import { subjectAltNames } from '../../src/core/x509/subject-alt-name.ts';
import { newTokenKey, openTokenKey, signToken, type TokenClaims } from '../../src/edge/signer/token-key.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { issueCertificate } from '../../src/flow/ca/issue-certificate.ts';
import type { ProvisionerRecord } from '../../src/flow/ca/store-ports.ts';
import { type Answer, send } from '../acme/client.ts';
import { csrFor, ecKey, type KeyPair, spkiOf } from '../acme/csr.ts';
import { startTestAuthority, type TestAuthority } from '../acme/server.ts';
import { selfSigned } from '../world/self-signed.ts';

const SECOND_PASSWORD = 'the password of the second';

describe('the API of step’s clients', () => {
  let authority: TestAuthority;
  let agent: Agent;
  let adminKey: JWK;
  let secondKey: JWK;
  const agents: Agent[] = [];

  before(async () => {
    const second = await newTokenKey(Buffer.from(SECOND_PASSWORD));
    const record: ProvisionerRecord = {
      name: 'second',
      kind: 'jwk',
      defaultLifetimeSeconds: 600,
      maxLifetimeSeconds: 3600,
      ...second,
      createdAt: wallClock(),
    };
    authority = await startTestAuthority([record]);
    agent = agentWith({});
    const admin = await authority.store.loadProvisioner('admin');
    adminKey = await openTokenKey(admin?.encryptedKey ?? '', Buffer.from(authority.password));
    secondKey = await openTokenKey(second.encryptedKey, Buffer.from(SECOND_PASSWORD));
  });
  after(async () => {
    for (const used of agents) used.destroy();
    await authority.stop();
  });

  /** Connections that show this client certificate; none is kept, so that each is checked anew. */
  function agentWith(pair: { readonly cert?: string; readonly key?: string }): Agent {
    const made = new Agent({ ca: authority.rootPem, keepAlive: false, ...pair });
    agents.push(made);
    return made;
  }

  const get = (path: string): Promise<Answer> => send(agent, `${authority.url}${path}`, 'GET', {});
  const post = (path: string, body: unknown, by = agent): Promise<Answer> =>
    send(by, `${authority.url}${path}`, 'POST', { 'content-type': 'application/json' }, JSON.stringify(body));

  const token = (claims: Partial<TokenClaims> = {}, key = adminKey): Promise<string> =>
    signToken(key, {
      provisioner: 'admin',
      audience: `${authority.url}/1.0/sign`,
      subject: 'db.test',
      names: ['db.test'],
      rootFingerprint: authority.rootFingerprint,
      profile: 'server',
      issuedAt: wallClock(),
      lifetimeSeconds: 300,
      ...claims,
    });
  const pem = (der: Uint8Array): string => pemFromDer('CERTIFICATE REQUEST', der);
  const ask = async (claims: Partial<TokenClaims>, csr: Uint8Array, more: object = {}): Promise<Answer> =>
    post('/1.0/sign', { csr: pem(csr), ott: await token(claims), ...more });
  const assertDenied = (answer: Answer, status: number, message: RegExp): void => {
    assert.equal(answer.status, status, answer.text);
    assert.deepEqual(Object.keys(answer.body).sort(), ['message', 'status']);
    assert.match(String(answer.body.message), message);
  };
  const certificateOf = (answer: Answer): Certificate => {
    assert.equal(answer.status, 201, answer.text);
    return parseCertificate(pemBlocksLabelled(String(answer.body.crt), 'CERTIFICATE')[0]?.der ?? assert.fail());
  };

  interface Held {
    readonly certificate: Certificate;
    readonly key: KeyPair;
    readonly agent: Agent;
  }
  const held = (certificate: Certificate, key: KeyPair): Held => {
    const keyPem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { certificate, key, agent: agentWith({ cert: pemFromDer('CERTIFICATE', certificate.raw), key: keyPem }) };
  };
  /** A certificate by token, and connections that show it. */
  const holding = async (claims: Partial<TokenClaims> = {}, more: object = {}): Promise<Held> => {
    const key = ecKey();
    return held(certificateOf(await ask(claims, csrFor(claims.names ?? ['db.test'], { key }), more)), key);
  };

  describe('sign', () => {
    test('a token and a CSR become certificate, issuer and chain: 201, not cached', async () => {
      for (const path of ['/1.0/sign', '/sign']) {
        const ott = await token({ audience: `${authority.url}${path}` });
        const answer = await post(path, { csr: pem(csrFor(['db.test'])), ott });
        const leaf = certificateOf(answer);
        assert.equal(answer.headers['cache-control'], 'no-store');
        const { crt, ca, certChain } = answer.body as Record<string, string & string[]>;
        assert.deepEqual(certChain, [crt, ca]);
        const [x509, issuer] = [new X509Certificate(String(crt)), new X509Certificate(String(ca))];
        assert.ok(x509.checkIssued(issuer) && issuer.verify(new X509Certificate(authority.rootPem).publicKey));
        assert.equal(leaf.validity.notAfter - leaf.validity.notBefore + 1, 24 * 3600 + 60);
      }
    });

    test('every kind of name of the token is in the certificate', async () => {
      const names = ['db.test', '*.db.test', '192.0.2.7', '2001:db8::7', 'spiffe://db.test/main', 'ops@db.test'];
      const leaf = certificateOf(await ask({ names }, csrFor([])));
      assert.deepEqual(
        subjectAltNames(leaf).map((name) => 'value' in name && name.value),
        names,
      );
    });

    test('a token is used once; one whose CSR was refused is not used up', async () => {
      const ott = await token();
      const csr = pem(csrFor(['db.test']));
      assertDenied(await post('/1.0/sign', { csr: pem(csrFor(['other.test'])), ott }), 403, /not those of the token/);
      assert.equal((await post('/1.0/sign', { csr, ott })).status, 201);
      assertDenied(await post('/1.0/sign', { csr, ott }), 401, /used already/);
      const { privateKey } = ecKey();
      const other = pem(csrFor(['db.test'], { key: { privateKey, publicKey: createPublicKey(privateKey) } }));
      assertDenied(await post('/1.0/sign', { csr: other, ott }), 401, /used already/);
    });

    test('a token used sixteen times at once gives one certificate', async () => {
      const ott = await token({ subject: 'parallel.test', names: ['parallel.test'] });
      const csr = pem(csrFor(['parallel.test']));
      const answers = await Promise.all(Array.from({ length: 16 }, () => post('/1.0/sign', { csr, ott })));
      assert.equal(answers.filter(({ status }) => status === 201).length, 1);
      for (const answer of answers) if (answer.status !== 201) assertDenied(answer, 401, /used already/);
      const listed = await authority.store.listCertificates({ name: 'parallel.test', limit: 100, now: wallClock() });
      assert.equal(listed.length, 1);
    });

    const REFUSED: readonly (readonly [what: string, claims: () => Partial<TokenClaims>, message: RegExp])[] = [
      ['for another authority', () => ({ audience: 'https://other.test/1.0/sign' }), /not for this address/],
      ['for another purpose', () => ({ audience: `${authority.url}/1.0/revoke` }), /not for this address/],
      ['for no path', () => ({ audience: authority.url }), /not for this address/],
      [
        'for this address without TLS',
        () => ({ audience: `${authority.url.replace('https', 'http')}/1.0/sign` }),
        /not for this address/,
      ],
      ['that has expired', () => ({ issuedAt: wallClock() - 1000 }), /has expired/],
      ['that is not valid yet', () => ({ issuedAt: wallClock() + 1000 }), /not valid yet/],
      ['that lives longer than an hour', () => ({ lifetimeSeconds: 7200 }), /longer than an hour/],
      ['for another root', () => ({ rootFingerprint: '00'.repeat(32) }), /another root/],
      ['of an unknown provisioner', () => ({ provisioner: 'nobody' }), /no provisioner/],
      ['of a provisioner without a token key', () => ({ provisioner: 'acme' }), /no provisioner/],
      ['for the profile of an authority', () => ({ profile: 'intermediate' }), /profile "intermediate"/],
    ];
    for (const [what, claims, message] of REFUSED) {
      test(`a token ${what} is refused`, async () => {
        assertDenied(await ask(claims(), csrFor(['db.test'])), 401, message);
      });
    }

    test('what is no token, or is signed with a key of nobody, is refused', async () => {
      const csr = pem(csrFor(['db.test']));
      const [head = '', claims = '', signature = ''] = (await token()).split('.');
      const stranger = { ...adminKey, ...ecKey().privateKey.export({ format: 'jwk' }) };
      const none = Buffer.from('{"alg":"none"}').toString('base64url');
      for (const [ott, message] of [
        ['rubbish', /not a signed JWT/],
        [`${head}.${claims}.`, /not a signed JWT/],
        [`${none}.${claims}.${signature}`, /algorithm that is not accepted/],
        [`${head}.${claims}.${Buffer.alloc(64).toString('base64url')}`, /does not verify/],
        [await token({}, stranger), /does not verify/],
      ] as const)
        assertDenied(await post('/1.0/sign', { csr, ott }), 401, message);
    });

    test('a token chooses the profile: server, client or peer', async () => {
      for (const [profile, purposes] of [
        ['server', ['serverAuth']],
        ['client', ['clientAuth']],
        ['peer', ['serverAuth', 'clientAuth']],
      ] as const)
        assert.deepEqual(extendedKeyUsage(certificateOf(await ask({ profile }, csrFor(['db.test'])))), purposes);
    });

    test('a token of one provisioner signed with the key of another is refused, and says nothing about its claims', async () => {
      const csr = pem(csrFor(['db.test']));
      const deny = async (ott: string, message: RegExp) =>
        assertDenied(await post('/1.0/sign', { csr, ott }), 401, message);
      await deny(await token({ provisioner: 'admin' }, secondKey), /another key of the provisioner/);
      const { kid: _kid, ...nameless } = secondKey;
      await deny(await token({ provisioner: 'admin' }, nameless), /does not verify/);
      await deny(await token({ provisioner: 'second' }), /another key of the provisioner/);
      const own = await post('/1.0/sign', { csr, ott: await token({ provisioner: 'second' }, secondKey) });
      const { notBefore, notAfter } = certificateOf(own).validity;
      assert.equal(notAfter - notBefore + 1, 600 + 60, 'the lifetime is that of the provisioner');
    });

    test('two provisioners may happen to give their tokens one id', async () => {
      const csr = pem(csrFor(['db.test']));
      const id = randomUUID();
      for (const [provisioner, jwk] of [
        ['admin', adminKey],
        ['second', secondKey],
      ] as const) {
        const ott = await new SignJWT({ sans: ['db.test'] })
          .setProtectedHeader({ alg: 'ES256', ...(jwk.kid && { kid: jwk.kid }) })
          .setIssuer(provisioner)
          .setAudience(`${authority.url}/1.0/sign`)
          .setSubject('db.test')
          .setJti(id)
          .setIssuedAt()
          .setExpirationTime('5m')
          .sign(await importJWK(jwk, 'ES256'));
        assert.equal((await post('/1.0/sign', { csr, ott })).status, 201, provisioner);
      }
    });

    const MISMATCHES: readonly (readonly [
      what: string,
      claims: Partial<TokenClaims>,
      csr: Uint8Array,
      message: RegExp,
    ])[] = [
      ['another name', {}, csrFor(['other.test']), /names of the CSR/],
      ['a name more', {}, csrFor(['db.test', 'other.test']), /names of the CSR/],
      ['a name less', { names: ['db.test', 'b.test'] }, csrFor(['db.test']), /names of the CSR/],
      ['the wildcard', {}, csrFor(['*.db.test']), /names of the CSR/],
      ['an address', {}, csrFor(['db.test', '10.0.0.1']), /names of the CSR/],
      ['another common name', {}, csrFor(['db.test'], { commonName: 'admin' }), /common name "admin"/],
    ];
    for (const [what, claims, csr, message] of MISMATCHES) {
      test(`a CSR with ${what} than the token has is refused`, async () => {
        assertDenied(await ask(claims, csr), 403, message);
      });
    }

    test('a CSR without names leaves them to the token; a common name may be the subject of the token', async () => {
      const leaf = certificateOf(await ask({ profile: 'client' }, csrFor([], { commonName: 'db.test' })));
      assert.deepEqual(subjectAltNames(leaf), [{ kind: 'dns', value: 'db.test' }]);
      assert.deepEqual(commonNames(leaf.subject), ['db.test']);
    });

    const WEAK = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const BAD: readonly (readonly [what: string, body: () => object, status: number, message: RegExp])[] = [
      ['no csr', () => ({}), 400, /csr \(PEM\)/],
      ['a csr in DER', () => ({ csr: Buffer.from(csrFor(['db.test'])).toString('base64') }), 400, /csr \(PEM\)/],
      ['a certificate for a csr', () => ({ csr: authority.rootPem }), 400, /csr \(PEM\)/],
      ['a csr that is damaged', () => ({ csr: pem(csrFor(['db.test']).subarray(1)) }), 400, /not well formed/],
      [
        'a csr that is not signed',
        () => ({ csr: pem(csrFor(['db.test'], { signature: () => randomBytes(70) })) }),
        400,
        /signature/,
      ],
      ['a weak key', () => ({ csr: pem(csrFor(['db.test'], { key: WEAK, algorithm: 'rsa-2048' })) }), 400, /1024 bits/],
      ['no token', () => ({ csr: pem(csrFor(['db.test'])), ott: undefined }), 400, /ott/],
      ['a token that is a list', () => ({ csr: pem(csrFor(['db.test'])), ott: [] }), 400, /ott/],
      [
        'a lifetime in words',
        () => ({ csr: pem(csrFor(['db.test'])), notAfter: 'tomorrow' }),
        400,
        /RFC 3339 times or durations/,
      ],
      [
        'a lifetime that is a number',
        () => ({ csr: pem(csrFor(['db.test'])), notAfter: 3600 }),
        400,
        /RFC 3339 times or durations/,
      ],
      [
        'a start in the past',
        () => ({ csr: pem(csrFor(['db.test'])), notBefore: '2020-01-01T00:00:00Z' }),
        403,
        /in the past/,
      ],
      [
        'an end before its start',
        () => ({ csr: pem(csrFor(['db.test'])), notBefore: '2h', notAfter: '1h' }),
        403,
        /valid for/,
      ],
      [
        'more than the maximum, by an hour',
        () => ({ csr: pem(csrFor(['db.test'])), notAfter: `${90 * 24 + 1}h` }),
        403,
        /at most 90d/,
      ],
    ];
    for (const [what, body, status, message] of BAD) {
      test(`${what} is refused with the reason`, async () => {
        assertDenied(await post('/1.0/sign', { ott: await token(), ...body() }), status, message);
      });
    }

    test('lifetimes are durations or dates, up to the whole maximum', async () => {
      const now = wallClock();
      const until = (seconds: number): string => formatRfc3339(addSeconds(now, seconds));
      const rows: readonly (readonly [more: object, lifetimeSeconds: number])[] = [
        [{ notAfter: '1h' }, 3600 + 60],
        [{ notAfter: '2160h' }, 90 * 86_400 + 60],
        [{ notAfter: '2160h0m0s' }, 90 * 86_400 + 60],
        [{ notAfter: '' }, 86_400 + 60],
        [{ notBefore: '1h', notAfter: '2h' }, 3600],
        [{ notBefore: until(3600), notAfter: until(7199) }, 3600],
      ];
      for (const [more, lifetime] of rows) {
        const { validity } = certificateOf(await ask({}, csrFor(['db.test']), more));
        const seconds = validity.notAfter - validity.notBefore + 1;
        assert.ok(Math.abs(seconds - lifetime) <= 1, `${JSON.stringify(more)}: ${seconds}`);
      }
    });
  });

  describe('renew and rekey', () => {
    test('names of every kind, profile, common name and lifetime are kept, over and over', async () => {
      for (const profile of ['server', 'client', 'peer'] as const) {
        const names = ['db.test', '192.0.2.7', 'spiffe://db.test/main', 'ops@db.test'];
        const key = ecKey();
        const csr = csrFor([...names.slice(0, 3), 'mailto:ops@db.test'], { key, commonName: 'db.test' });
        let current = held(certificateOf(await ask({ names, profile }, csr, { notAfter: '3h' })), key);
        const first = current.certificate;
        for (let i = 0; i < 3; i++) {
          const renewed = certificateOf(await post('/1.0/renew', {}, current.agent));
          assert.deepEqual(subjectAltNames(renewed), subjectAltNames(first));
          assert.deepEqual(extendedKeyUsage(renewed), extendedKeyUsage(first));
          assert.deepEqual(commonNames(renewed.subject), ['db.test']);
          assert.equal(lifetimeOf(renewed), lifetimeOf(first));
          assert.notEqual(renewed.serial, current.certificate.serial);
          current = held(renewed, key);
        }
      }
    });

    test('rekey takes the key of the CSR, by a CSR with the same names or none', async () => {
      const own = await holding({}, { notAfter: '2h' });
      for (const names of [['db.test'], []]) {
        const key = ecKey();
        const rekeyed = certificateOf(await post('/1.0/rekey', { csr: pem(csrFor(names, { key })) }, own.agent));
        assert.deepEqual(Buffer.from(rekeyed.publicKey.raw), Buffer.from(spkiOf(key)));
        assert.deepEqual(subjectAltNames(rekeyed), subjectAltNames(own.certificate));
        assert.equal(lifetimeOf(rekeyed), lifetimeOf(own.certificate));
      }
      assertDenied(await post('/1.0/rekey', {}, own.agent), 400, /csr \(PEM\)/);
      assertDenied(await post('/1.0/rekey', { csr: pem(csrFor(['x.test'])) }, own.agent), 403, /names of the CSR/);
      const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
      const csr = pem(csrFor(['db.test'], { key: weak, algorithm: 'rsa-2048' }));
      assertDenied(await post('/1.0/rekey', { csr }, own.agent), 400, /1024 bits/);
    });

    test('an expired certificate is refused, with when it ended', async () => {
      const key = ecKey();
      const expired = held(await issuedAt(addSeconds(wallClock(), -1200), 300, 'server', key), key);
      for (const path of ['/1.0/renew', '/1.0/rekey'])
        assertDenied(
          await post(path, { csr: pem(csrFor([])) }, expired.agent),
          401,
          /was valid until .* ask for a new one/,
        );
    });

    test('a revoked certificate is refused from the next request on, also on a connection that is open', async () => {
      const own = await holding();
      const open = new Agent({ ...own.agent.options, keepAlive: true, maxSockets: 1 });
      agents.push(open);
      assert.equal((await post('/1.0/renew', {}, open)).status, 201);
      assert.equal((await post('/1.0/revoke', { serial: own.certificate.serial }, open)).status, 200);
      assertDenied(await post('/1.0/renew', {}, open), 401, /was revoked at/);
      assertDenied(await post('/1.0/rekey', { csr: pem(csrFor([])) }, own.agent), 401, /was revoked at/);
    });

    test('a certificate of another authority is refused, even with the serial number of one of ours', async () => {
      const own = await holding();
      const forged = forgedCertificate(Buffer.from(own.certificate.serial, 'hex'));
      const foreign = selfSigned([]);
      for (const pair of [forged, { cert: foreign.cert, key: foreign.key }])
        assertDenied(await post('/1.0/renew', {}, agentWith(pair)), 401, /not issued by this authority/);
    });

    test('a client certificate that is not well formed is refused like any other foreign one', async () => {
      const negative = forgedCertificate(Uint8Array.of(0x80, 1));
      for (const path of ['/1.0/renew', '/1.0/rekey', '/1.0/revoke'])
        assertDenied(
          await post(path, { serial: '4001', csr: pem(csrFor([])) }, agentWith(negative)),
          401,
          /not issued by this authority/,
        );
    });

    test('without a client certificate nothing is renewed', async () => {
      for (const path of ['/renew', '/1.0/renew', '/rekey', '/1.0/rekey'])
        assertDenied(await post(path, { csr: pem(csrFor(['db.test'])) }), 401, /client certificate/);
    });

    test('the authority’s own certificates are not renewed by their holder', async () => {
      const key = ecKey();
      const own = held(await issuedAt(wallClock(), 300, 'server', key), key);
      assertDenied(await post('/1.0/renew', {}, own.agent), 403, /provisioner authority no longer exists/);
    });

    /** Issued by the authority itself, as its own certificate is, at a time of our choice. */
    const issuedAt = async (now: Instant, lifetimeSeconds: number, profile: ProfileName, key: KeyPair) => {
      const password = { file: undefined, environment: authority.password, ask: false };
      const state = await openState(authority.paths, password, { lock: false, acceptClock: true });
      const result = await issueCertificate(
        { store: state.store, issuer: () => state.issuerAt('http://localhost'), random: randomBytes },
        { profile, names: [generalNameFromText('db.test') ?? assert.fail()], publicKey: spkiOf(key), lifetimeSeconds },
        { defaultLifetimeSeconds: 300, maxLifetimeSeconds: 300, backdateSeconds: 0 },
        { origin: { kind: 'authority' }, provisioner: 'authority', accountId: null },
        now,
      );
      state.close();
      if (result.kind !== 'issued') assert.fail(JSON.stringify(result));
      return parseCertificate(result.der);
    };
  });

  describe('revoke', () => {
    const revokedReason = async (serial: string): Promise<string | null> => {
      const crl = parseCrl(await body('/1.0/crl'));
      return crl.entries.find((entry) => entry.serial === serial)?.reason ?? null;
    };
    const revocationToken = (subject: string, claims: Partial<TokenClaims> = {}): Promise<string> =>
      token({ audience: `${authority.url}/1.0/revoke`, subject, names: [], ...claims });

    test('a token for the serial number revokes it, and a second time is refused', async () => {
      const { certificate } = await holding();
      const { serial } = certificate;
      const answer = await post('/1.0/revoke', { serial, ott: await revocationToken(serial), reasonCode: 4 });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.body, { status: 'ok' });
      assert.equal(await revokedReason(serial), 'superseded');
      assertDenied(await post('/1.0/revoke', { serial, ott: await revocationToken(serial) }), 400, /revoked already/);
    });

    test('the serial number may be written with colons, in upper case, with 0x, or in decimal', async () => {
      const spellings: readonly ((serial: string) => string)[] = [
        (serial) => serial.toUpperCase().replace(/..(?!$)/g, '$&:'),
        (serial) => `0x${serial}`,
        (serial) => BigInt(`0x${serial}`).toString(10),
      ];
      for (const spell of spellings) {
        const { certificate, agent: own } = await holding();
        const answer = await post('/1.0/revoke', { serial: spell(certificate.serial) }, own);
        assert.equal(answer.status, 200, `${spell(certificate.serial)}: ${answer.text}`);
      }
    });

    test('a token with the serial number in decimal, as step’s clients make it, revokes too', async () => {
      const { certificate } = await holding();
      const decimal = BigInt(`0x${certificate.serial}`).toString(10);
      const answer = await post('/1.0/revoke', { serial: decimal, ott: await revocationToken(decimal) });
      assert.equal(answer.status, 200, answer.text);
    });

    test('a token for another certificate, for signing, or of nobody revokes nothing', async () => {
      const { certificate } = await holding();
      const other = await holding();
      const { serial } = certificate;
      const deny = async (ott: string, status: number, message: RegExp) =>
        assertDenied(await post('/1.0/revoke', { serial, ott }), status, message);
      await deny(await revocationToken(other.certificate.serial), 403, /another serial number/);
      await deny(await token({ subject: serial, names: [] }), 401, /not for this address/);
      await deny(await revocationToken(serial, { provisioner: 'nobody' }), 401, /no provisioner/);
      await deny(await revocationToken(serial, { issuedAt: wallClock() - 1000 }), 401, /expired/);
      assert.equal(await revokedReason(serial), null);
      const signing = await post('/1.0/sign', { csr: pem(csrFor([])), ott: await revocationToken(serial) });
      assertDenied(signing, 401, /not for this address/);
    });

    test('a certificate revokes itself over mutual TLS, and no other', async () => {
      const [own, other] = [await holding(), await holding()];
      assertDenied(await post('/1.0/revoke', { serial: other.certificate.serial }, own.agent), 403, /only itself/);
      assert.equal((await post('/revoke', { serial: own.certificate.serial, reasonCode: 1 }, own.agent)).status, 200);
      assert.equal(await revokedReason(own.certificate.serial), 'keyCompromise');
      assert.equal(await revokedReason(other.certificate.serial), null);
    });

    test('a serial number or a reason that is none is refused', async () => {
      const { certificate, agent: own } = await holding();
      const { serial } = certificate;
      for (const wrong of [
        {},
        { serial: 1 },
        { serial: '' },
        { serial: 'xyz' },
        { serial, reasonCode: 7 },
        { serial, reasonCode: 8 },
        { serial, reasonCode: 11 },
        { serial, reasonCode: '1' },
        { serial, reasonCode: null },
      ])
        assertDenied(await post('/1.0/revoke', wrong, own), 400, /serial .* reasonCode/);
      assert.equal(await revokedReason(serial), null);
    });

    test('without token or certificate nothing is revoked', async () => {
      const { certificate } = await holding();
      assertDenied(await post('/1.0/revoke', { serial: certificate.serial }), 401, /token or the certificate itself/);
      assert.equal(await revokedReason(certificate.serial), null);
    });
  });

  describe('what everybody may read', () => {
    const OPEN = ['/health', '/roots', '/roots.pem', '/federation', '/provisioners', '/version', '/crl'];

    test('these paths, at the root and under /1.0, and the ACME directory and nonces', async () => {
      for (const path of [...OPEN, ...OPEN.map((open) => `/1.0${open}`)])
        assert.equal((await get(path)).status, 200, path);
      assert.equal((await get(`/1.0/root/${authority.rootFingerprint}`)).status, 200);
      assert.equal((await get('/acme/acme/directory')).status, 200);
      assert.equal((await get('/acme/acme/new-nonce')).status, 204);
    });

    test('and no other: not what was issued, nor accounts, nor orders', async () => {
      for (const path of [
        '/',
        '/1.0',
        '/certificates',
        '/1.0/certificates',
        '/admin/provisioners',
        '/admin',
        '/metrics',
        '/debug',
        '/.well-known/acme',
        '/acme',
        '/acme/acme',
        '/1.0/intermediates.pem',
        '/ready.json',
        '/..%2fconfig.json',
        '/roots/../config.json',
      ])
        assert.equal((await get(path)).status, 404, path);
      for (const path of ['/acme/acme/account/1', '/acme/acme/order/1', '/acme/acme/certificate/1'])
        assert.equal((await get(path)).status, 405, path);
    });

    test('roots come as JSON, as PEM, and by their fingerprint in either case', async () => {
      const root = new X509Certificate(authority.rootPem);
      const { crts } = (await get('/roots')).body as { crts: string[] };
      assert.deepEqual(
        crts.map((crt) => new X509Certificate(crt).fingerprint256),
        [root.fingerprint256],
      );
      const bundle = await get('/roots.pem');
      assert.match(String(bundle.headers['content-type']), /^application\/x-pem-file/);
      assert.equal(new X509Certificate(bundle.text).fingerprint256, root.fingerprint256);
      const sha = authority.rootFingerprint;
      for (const spelling of [sha, sha.toUpperCase(), root.fingerprint256])
        assert.equal(
          new X509Certificate(String((await get(`/root/${spelling}`)).body.ca)).fingerprint256,
          root.fingerprint256,
        );
      for (const wrong of [sha.slice(2), `${sha}00`, '0'.repeat(64), 'x', '%00'])
        assert.equal((await get(`/root/${wrong}`)).status, 404, wrong);
    });

    test('provisioners show their public half, and their encrypted key opens with the password alone', async () => {
      const { provisioners } = (await get('/provisioners')).body as {
        provisioners: { type: string; name: string; key?: JWK; encryptedKey?: string; claims: object }[];
      };
      assert.deepEqual(provisioners.map(({ type, name }) => `${type} ${name}`).sort(), [
        'ACME acme',
        'JWK admin',
        'JWK second',
      ]);
      const admin = provisioners.find(({ name }) => name === 'admin') ?? assert.fail();
      assert.equal('d' in (admin.key ?? {}), false);
      const open = (password: string) =>
        compactDecrypt(admin.encryptedKey ?? '', Buffer.from(password), {
          keyManagementAlgorithms: ['PBES2-HS256+A128KW'],
          maxPBES2Count: 1_000_000,
        });
      const { plaintext } = await open(authority.password);
      const { d, ...rest } = JSON.parse(Buffer.from(plaintext).toString()) as JWK;
      assert.match(String(d), /^[A-Za-z0-9_-]{43}$/);
      assert.deepEqual([rest.x, rest.y, rest.kid], [admin.key?.x, admin.key?.y, admin.key?.kid]);
      await assert.rejects(open('another'));
      const acme = provisioners.find(({ name }) => name === 'acme') ?? assert.fail();
      assert.deepEqual(Object.keys(acme).sort(), ['claims', 'name', 'type']);
    });

    test('other methods than GET and POST change nothing', async () => {
      for (const method of ['PUT', 'DELETE', 'PATCH'])
        for (const path of ['/roots', '/1.0/provisioners', '/1.0/sign'])
          assert.equal((await send(agent, `${authority.url}${path}`, method, {})).status, 404, `${method} ${path}`);
    });
  });

  test('nothing of all this was an internal fault', () => {
    assert.deepEqual(authority.errors, []);
  });

  const body = async (path: string): Promise<Uint8Array> => {
    const { request } = await import('node:https');
    return new Promise((resolve, reject) => {
      request(`${authority.url}${path}`, { agent }, (incoming) => {
        assert.equal(incoming.headers['content-type'], 'application/pkix-crl');
        incoming.toArray().then((chunks) => resolve(Buffer.concat(chunks as Buffer[])), reject);
      })
        .on('error', reject)
        .end();
    });
  };
});

function lifetimeOf({ validity }: Certificate): number {
  return validity.notAfter - validity.notBefore;
}

/** Self-signed, with this as the content of its serial number, whether that is one or not. */
function forgedCertificate(serial: Uint8Array): { readonly cert: string; readonly key: string } {
  const { publicKey, privateKey } = ecKey();
  const { raw } = KEY_ALGORITHMS['ecdsa-p256'].signatureAlgorithm;
  const name = encodeName({ commonName: 'forged' });
  const now = wallClock();
  const tbs = sequence(
    explicit(0, integer(2)),
    Buffer.concat([Uint8Array.of(0x02, serial.byteLength), serial]),
    raw,
    name,
    sequence(time(addSeconds(now, -60)), time(addSeconds(now, 3600))),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
  );
  const der = sequence(tbs, raw, bitString(sign('sha256', tbs, privateKey)));
  return {
    cert: pemFromDer('CERTIFICATE', der),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}
