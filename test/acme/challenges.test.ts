/** Each challenge from order to certificate (RFC 8555 §8.3, §8.4; RFC 8737; RFC 8738). */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { subjectAltNames } from '../../src/core/x509/subject-alt-name.ts';
import { validationCertificate } from '../world/tls-alpn-responder.ts';
import { type AcmeClient, registered } from './client.ts';
import { csrFor } from './csr.ts';
import {
  type Authorization,
  challengeOf,
  decide,
  dns,
  download,
  finalize,
  type Identifier,
  ip,
  newOrder,
  readAuthorization,
} from './resources.ts';
import { startTestAuthority, type TestAuthority } from './server.ts';

describe('challenges', () => {
  let authority: TestAuthority;
  let client: AcmeClient;

  before(async () => {
    authority = await startTestAuthority();
    client = await registered({ rootPem: authority.rootPem, directory: `${authority.url}/acme/acme/directory` });
  });
  after(async () => {
    client.close();
    await authority.stop();
  });

  const keyAuthorization = (token: string): string => `${token}.${client.key.thumbprint}`;
  /** What dns-01 wants at _acme-challenge (§8.4). */
  const txtValue = (token: string): string => createHash('sha256').update(keyAuthorization(token)).digest('base64url');

  type Present = (authorization: Authorization, token: string) => void;
  /** Proves every identifier with this challenge, and shows that a certificate comes of it. */
  const complete = async (type: string, identifiers: readonly Identifier[], present: Present): Promise<void> => {
    const order = await newOrder(client, ...identifiers);
    const authorizations = await Promise.all(order.authorizations.map((url) => readAuthorization(client, url)));
    for (const authorization of authorizations) present(authorization, challengeOf(authorization, type).token);
    for (const authorization of authorizations) {
      const decided = await decide(client, authorization, type);
      assert.equal(decided.status, 'valid', JSON.stringify(decided));
      assert.deepEqual(
        decided.challenges.map((challenge) => challenge.type),
        [type],
      );
    }
    const { leaf } = await download(
      client,
      await finalize(client, order, csrFor(identifiers.map(({ value }) => value))),
    );
    assert.deepEqual(
      subjectAltNames(leaf).map((name) => ({ type: name.kind, value: 'value' in name && name.value })),
      identifiers,
    );
  };

  const presentHttp: Present = ({ identifier }, token) => {
    if (identifier.type === 'dns') authority.dns.set(identifier.value, { A: ['127.0.0.1'] });
    authority.http.present(token, keyAuthorization(token));
  };

  test('http-01 proves a name (RFC 8555 §8.3)', () => complete('http-01', [dns('web.test')], presentHttp));

  test('http-01 proves an address (RFC 8738 §4)', () => complete('http-01', [ip('127.0.0.1')], presentHttp));

  test('http-01 proves names and addresses in one order', () =>
    complete('http-01', [dns('one.test'), ip('127.0.0.1'), dns('two.test')], presentHttp));

  test('dns-01 proves a name (RFC 8555 §8.4)', () =>
    complete('dns-01', [dns('record.test')], ({ identifier }, token) =>
      authority.dns.set(`_acme-challenge.${identifier.value}`, { TXT: [txtValue(token)] }),
    ));

  test('dns-01 proves a wildcard and its base name, with two records at one name (§8.4)', () => {
    const values: string[] = [];
    return complete('dns-01', [dns('*.wild.test'), dns('wild.test')], (_authorization, token) => {
      values.push(txtValue(token));
      authority.dns.set('_acme-challenge.wild.test', { TXT: ['something else', ...values] });
    });
  });

  test('dns-01 follows an alias to where the record is', () =>
    complete('dns-01', [dns('alias.test')], (_authorization, token) => {
      authority.dns.set('_acme-challenge.alias.test', { CNAME: 'alias.elsewhere.test' });
      authority.dns.set('alias.elsewhere.test', { TXT: [txtValue(token)] });
    }));

  test('tls-alpn-01 proves a name (RFC 8737 §3)', () =>
    complete('tls-alpn-01', [dns('alpn.test')], ({ identifier }, token) => {
      authority.dns.set(identifier.value, { A: ['127.0.0.1'] });
      authority.tlsAlpn.present(identifier.value, validationCertificate(identifier.value, keyAuthorization(token)));
    }));

  test('tls-alpn-01 proves an address, by the name of its reverse mapping (RFC 8738 §6)', () =>
    complete('tls-alpn-01', [ip('127.0.0.1')], ({ identifier }, token) => {
      const certificate = validationCertificate(identifier.value, keyAuthorization(token));
      authority.tlsAlpn.present('1.0.0.127.in-addr.arpa', certificate);
    }));

  const failure = async (type: string, identifier: Identifier, present: Present): Promise<string> => {
    const order = await newOrder(client, identifier);
    const authorization = await readAuthorization(client, order.authorizations[0]);
    present(authorization, challengeOf(authorization, type).token);
    const decided = await decide(client, authorization, type);
    assert.equal(decided.status, 'invalid');
    const { error } = challengeOf(decided, type);
    return `${error?.type.split(':').at(-1)} ${error?.detail}`;
  };

  test('the key authorization of another account proves nothing (RFC 8555 §8.1)', async () => {
    const other = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs';
    const refused = await failure('http-01', dns('others.test'), ({ identifier }, token) => {
      authority.dns.set(identifier.value, { A: ['127.0.0.1'] });
      authority.http.present(token, `${token}.${other}`);
    });
    assert.match(refused, /^unauthorized .*wanted/);
    assert.match(
      await failure('dns-01', dns('others.test'), (_authorization, token) => {
        const value = createHash('sha256').update(`${token}.${other}`).digest('base64url');
        authority.dns.set('_acme-challenge.others.test', { TXT: [value] });
      }),
      /^unauthorized .*wanted/,
    );
    assert.match(
      await failure('tls-alpn-01', dns('others.test'), ({ identifier }, token) =>
        authority.tlsAlpn.present(identifier.value, validationCertificate(identifier.value, `${token}.${other}`)),
      ),
      /^unauthorized .*wanted/,
    );
  });

  test('a missing record is a dns problem that names where it was looked for (RFC 8555 §8.4)', async () => {
    assert.match(
      await failure('dns-01', dns('missing.test'), () => {}),
      /^dns _acme-challenge\.missing\.test does not exist/,
    );
  });

  test('a certificate for nobody proves nothing, and is described (RFC 8737 §3)', async () => {
    const refused = await failure('tls-alpn-01', dns('nocert.test'), ({ identifier }) =>
      authority.dns.set(identifier.value, { A: ['127.0.0.1'] }),
    );
    assert.match(refused, /^unauthorized .* no name at all \(wanted nocert\.test/);
  });

  test('nothing of all this was an internal fault', () => {
    assert.deepEqual(authority.errors, []);
  });
});
