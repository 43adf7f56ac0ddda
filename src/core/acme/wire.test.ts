import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ATTEMPTS, at, authorization, dns, NOW, order } from '../../../test/acme/facts.ts';
import { RFC7638_KEY, RFC7638_THUMBPRINT } from '../../../test/vectors/jose.ts';
import { problemUrn } from '../faults/acme-problems.ts';
import type { Thumbprint } from '../jose/jwk.ts';
import type { Account } from './account.ts';
import { accountWire, acmeUrls, authorizationWire, challengeWire, directoryWire, orderWire } from './wire.ts';

const BASE = 'https://ca.test/acme/acme';
const urls = acmeUrls(BASE);

test('a directory has the members of RFC 8555 §7.1.1 under one base, and none for what is not served', () => {
  const { meta, ...resources } = directoryWire(urls, { website: 'https://ca.test' });
  assert.deepEqual(meta, { website: 'https://ca.test', externalAccountRequired: false });
  for (const [name, path] of [
    ['newNonce', 'new-nonce'],
    ['newAccount', 'new-account'],
    ['newOrder', 'new-order'],
    ['revokeCert', 'revoke-cert'],
    ['keyChange', 'key-change'],
  ] as const)
    assert.equal(resources[name], `${BASE}/${path}`);
  for (const [name, url] of Object.entries(resources))
    assert.match(String(url), /^https:\/\/ca\.test\/acme\/acme\//, name);
  assert.equal('newAuthz' in resources, false, '§7.4.1 is optional and not here');
});

test('an account shows its status, contacts and orders, never its key (RFC 8555 §7.1.2)', () => {
  const account: Account = {
    id: 3,
    provisioner: 'acme',
    jwk: RFC7638_KEY,
    thumbprint: RFC7638_THUMBPRINT as Thumbprint,
    contact: [],
    createdAt: NOW,
    deactivatedAt: null,
  };
  assert.deepEqual(accountWire(account, urls), { status: 'valid', orders: `${BASE}/account/3/orders` });
  assert.deepEqual(accountWire({ ...account, contact: ['mailto:a@b.test'], deactivatedAt: NOW }, urls), {
    status: 'deactivated',
    contact: ['mailto:a@b.test'],
    orders: `${BASE}/account/3/orders`,
  });
});

test('an order shows what was asked, and a certificate only when there is one (RFC 8555 §7.1.3)', () => {
  const pending = { order: order({ notBefore: at(0), notAfter: at(60) }), authorizations: [authorization()] };
  assert.deepEqual(orderWire(pending, urls, NOW), {
    status: 'pending',
    expires: '2026-11-25T03:15:53Z',
    identifiers: [{ type: 'dns', value: 'a.test' }],
    notBefore: '2026-11-25T02:15:53Z',
    notAfter: '2026-11-25T02:16:53Z',
    authorizations: [`${BASE}/authz/11`],
    finalize: `${BASE}/order/7/finalize`,
  });
  const issued = { ...pending, order: order({ issuance: { id: 5, certificateId: 5, abandonedWhy: null } }) };
  assert.equal(orderWire(issued, urls, NOW).certificate, `${BASE}/certificate/5`);
  const processing = { ...pending, order: order({ issuance: { id: 5, certificateId: null, abandonedWhy: null } }) };
  assert.equal('certificate' in orderWire(processing, urls, NOW), false);
});

test('an invalid order carries its problem document (RFC 8555 §7.1.3: error)', () => {
  const wire = orderWire({ order: order(), authorizations: [authorization({ attempt: ATTEMPTS.invalid })] }, urls, NOW);
  assert.equal(wire.status, 'invalid');
  assert.deepEqual((wire.error as Record<string, unknown>).type, problemUrn('connection'));
  assert.doesNotMatch(JSON.stringify(wire), /null/);
});

test('an authorization for a wildcard shows the base name and wildcard: true (RFC 8555 §7.1.4)', () => {
  const wire = authorizationWire(authorization({ identifier: dns('*.a.test') }), urls, NOW);
  assert.deepEqual(wire.identifier, { type: 'dns', value: 'a.test' });
  assert.equal(wire.wildcard, true);
  assert.equal('wildcard' in authorizationWire(authorization(), urls, NOW), false, 'otherwise absent');
});

test('a challenge shows when it was validated or why it failed (RFC 8555 §8)', () => {
  const token = authorization().token;
  const common = { type: 'http-01', url: `${BASE}/challenge/11/http-01`, token };
  assert.deepEqual(challengeWire(authorization(), 'http-01', urls), { ...common, status: 'pending' });
  assert.deepEqual(challengeWire(authorization({ attempt: ATTEMPTS.running }), 'http-01', urls), {
    ...common,
    status: 'processing',
  });
  assert.deepEqual(challengeWire(authorization({ attempt: ATTEMPTS.valid }), 'http-01', urls), {
    ...common,
    status: 'valid',
    validated: '2026-11-25T02:15:44Z',
  });
  assert.deepEqual(challengeWire(authorization({ attempt: ATTEMPTS.invalid }), 'http-01', urls), {
    ...common,
    status: 'invalid',
    error: { type: problemUrn('connection'), detail: 'port 80 refused the connection' },
  });
});
