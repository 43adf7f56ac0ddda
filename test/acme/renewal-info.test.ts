/** Renewal information, and orders that replace a certificate (RFC 9773). */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { formatCertId } from '../../src/core/acme/renewal-info.ts';
import { hexFromBytes } from '../../src/core/bytes/hex.ts';
import { lifetimeSeconds } from '../../src/core/time/validity-period.ts';
import { authorityKeyIdentifier } from '../../src/core/x509/key-identifier.ts';
import { type AcmeClient, registered } from './client.ts';
import { assertProblem, base64url, dns, type Issued, issue } from './resources.ts';
import { startTestAuthority, type TestAuthority } from './server.ts';

describe('renewal information', () => {
  let authority: TestAuthority;
  let client: AcmeClient;
  let other: AcmeClient;
  let renewalInfo: string;

  before(async () => {
    authority = await startTestAuthority();
    const options = { rootPem: authority.rootPem, directory: `${authority.url}/acme/acme/directory` };
    client = await registered(options);
    other = await registered(options);
    const directory = await client.get(options.directory);
    renewalInfo = String((directory.body as Record<string, unknown>).renewalInfo);
  });
  after(async () => {
    client.close();
    other.close();
    await authority.stop();
  });

  const idOf = ({ leaf }: Issued): string => {
    const issuerKeyId = hexFromBytes(
      authorityKeyIdentifier(leaf)?.keyIdentifier ?? assert.fail('no authorityKeyIdentifier'),
    );
    return formatCertId({ issuerKeyId, serial: leaf.serial });
  };
  const replacing = (by: AcmeClient, replaces: unknown, name: string) =>
    by.post(by.resources.newOrder, { identifiers: [dns(name)], replaces });

  test('anybody learns the window of a certificate, around two thirds of its life, and when to ask again (§4)', async () => {
    const issued = await issue(authority, client, [dns('window.test')]);
    const answer = await client.get(`${renewalInfo}/${idOf(issued)}`);
    assert.equal(answer.status, 200, answer.text);
    const { start, end } = (answer.body as { suggestedWindow: { start: string; end: string } }).suggestedWindow;
    const { validity } = issued.leaf;
    const share = (text: string): number => (Date.parse(text) / 1000 - validity.notBefore) / lifetimeSeconds(validity);
    assert.ok(share(start) > 0.65 && share(start) < share(end) && share(end) < 0.68, `${start} to ${end}`);
    assert.equal(Number(answer.headers['retry-after']), Math.floor(lifetimeSeconds(validity) / 50));
  });

  test('the window of a revoked certificate lies in the past: renew now (§4.2)', async () => {
    const issued = await issue(authority, client, [dns('revoked.test')]);
    await client.post(client.resources.revokeCert, { certificate: base64url(issued.leaf.raw) });
    const answer = await client.get(`${renewalInfo}/${idOf(issued)}`);
    const { end } = (answer.body as { suggestedWindow: { end: string } }).suggestedWindow;
    assert.ok(Date.parse(end) < Date.now());
  });

  test('a certificate that is not ours has no window', async () => {
    for (const id of ['AAAA.AAEC', 'rubbish', 'a.b.c'])
      assert.equal((await client.get(`${renewalInfo}/${id}`)).status, 404, id);
  });

  test('an order may replace a certificate of its account once, and says which (§5)', async () => {
    const issued = await issue(authority, client, [dns('replaced.test')]);
    const id = idOf(issued);
    assertProblem(await replacing(client, 'rubbish', 'replaced.test'), 'malformed', /identifier/);
    assertProblem(await replacing(other, id, 'replaced.test'), 'unauthorized', /no certificate of this account/);
    assertProblem(await replacing(client, id, 'else.test'), 'malformed', /no name in common/);
    const first = await replacing(client, id, 'replaced.test');
    assert.equal(first.status, 201, first.text);
    assert.equal((first.body as { replaces?: string }).replaces, id);
    assertProblem(await replacing(client, id, 'replaced.test'), 'alreadyReplaced', /already/, 409);
  });

  test('a certificate whose replacement failed can be replaced again (§5)', async () => {
    const issued = await issue(authority, client, [dns('again.test')]);
    const id = idOf(issued);
    const first = await replacing(client, id, 'again.test');
    const { authorizations } = first.body as { authorizations: string[] };
    await client.post(authorizations[0] ?? '', { status: 'deactivated' });
    assert.equal((await replacing(client, id, 'again.test')).status, 201);
  });
});
