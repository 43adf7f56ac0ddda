import assert from 'node:assert/strict';
import test from 'node:test';
import {
  at,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  NOW,
  testKey,
  validityDer,
} from '../../../test/vectors/made-certificate.ts';
import { encodeAuthorityInformationAccess } from './authority-information-access.ts';
import { encodeExtendedKeyUsage } from './extended-key-usage.ts';
import { parseIpAddress } from './ip-address.ts';
import { parseSubjectPublicKeyInfo } from './public-key.ts';
import { encodeSubjectAltName } from './subject-alt-name.ts';
import { type VerificationFindingId, type VerificationRequest, verifyChain } from './verification.ts';

const root = makeRoot();
const intermediate = makeIntermediate(root);
const leaf = makeLeaf(intermediate);
const stranger = makeLeaf(makeIntermediate(makeRoot('Foreign Root'), 'Foreign Intermediate'));
const offering = makeLeaf(makeRoot('Gone'), {
  extensions: { access: encodeAuthorityInformationAccess({ ocspUrls: [], caIssuersUrls: ['http://gone/ca.cer'] }) },
});
const selfSigned = makeRoot('localhost');
const nameless = makeLeaf(intermediate, { extensions: { subjectAltName: null } });
const client = makeLeaf(intermediate, { extensions: { extKeyUsage: encodeExtendedKeyUsage(['clientAuth']) } });
const expiredStranger = makeLeaf(makeRoot('Foreign Root'), {
  validity: validityDer('2025-01-01T00:00:00Z', '2025-02-01T00:00:00Z'),
});
const address = parseIpAddress('10.0.0.1');
assert.ok(address);
const addressed = makeLeaf(intermediate, {
  extensions: { subjectAltName: encodeSubjectAltName([{ kind: 'ip', value: address }], true) },
});

function request(overrides: Partial<VerificationRequest> = {}): VerificationRequest {
  return {
    chain: [leaf.certificate, intermediate.certificate],
    intermediates: [],
    known: [],
    anchors: [root.certificate],
    now: NOW,
    purpose: 'server',
    name: 'api.internal',
    key: null,
    ...overrides,
  };
}

const spki = (key: { publicKey: Uint8Array }) => parseSubjectPublicKeyInfo(key.publicKey);

test('a chain that leads to an anchor is good, with its whole path', () => {
  const { ok, path, isAnchored, findings } = verifyChain(request({ key: spki(leaf.key) }));
  assert.deepEqual({ ok, isAnchored, findings }, { ok: true, isAnchored: true, findings: [] });
  assert.deepEqual(path, [leaf.certificate, intermediate.certificate, root.certificate]);
});

const rows: readonly [string, Partial<VerificationRequest>, readonly VerificationFindingId[], RegExp][] = [
  ['the issuer is not there', { chain: [leaf.certificate] }, ['unknown-ca'], /"CN=Test Intermediate" was neither sent/],
  [
    'the issuer is not there, and offered',
    { chain: [offering.certificate] },
    ['unknown-ca'],
    /offered at http:\/\/gone\/ca\.cer/,
  ],
  [
    'another key of the issuer’s name is trusted',
    { anchors: [makeRoot().certificate] },
    ['unknown-ca'],
    /an authority of this name is trusted, but it has another key/,
  ],
  [
    'the issuer is not there, but known here',
    { chain: [leaf.certificate], known: [intermediate.certificate] },
    ['chain-incomplete'],
    /intermediate "CN=Test Intermediate" is missing/,
  ],
  [
    'another intermediate is known here',
    { chain: [stranger.certificate], known: [intermediate.certificate] },
    ['unknown-ca'],
    /Foreign Intermediate/,
  ],
  [
    'a root that nobody trusts was sent along',
    { anchors: [], chain: [leaf.certificate, intermediate.certificate, root.certificate] },
    ['unknown-ca'],
    /root of the chain and not trusted/,
  ],
  [
    'the leaf issued itself',
    { chain: [selfSigned.certificate], name: null, purpose: 'any', anchors: [] },
    ['unknown-ca'],
    /self-signed/,
  ],
  [
    'the leaf issued itself and is asked for a name',
    { chain: [selfSigned.certificate] },
    ['self-signed', 'no-subject-alt-name'],
    /common name "localhost" does not count/,
  ],
  [
    'it is past its date',
    { now: at('2026-03-01T00:00:01Z') },
    ['certificate-expired'],
    /expired at 2026-03-01T00:00:00Z/,
  ],
  [
    'it is before its date',
    { now: at('2025-12-31T23:59:59Z') },
    ['certificate-not-yet-valid'],
    /valid from 2026-01-01/,
  ],
  [
    'it is of an unknown issuer and past its date',
    { chain: [expiredStranger.certificate] },
    ['unknown-ca', 'certificate-expired'],
    /Foreign Root/,
  ],
  [
    'another name is asked for',
    { name: 'db.internal' },
    ['name-mismatch'],
    /valid for api\.internal, not for db\.internal/,
  ],
  ['an address is asked for', { name: '10.0.0.1' }, ['ip-not-in-certificate'], /10\.0\.0\.1/],
  [
    'another address is asked for',
    { name: '10.0.0.2', chain: [addressed.certificate, intermediate.certificate] },
    ['name-mismatch'],
    /10\.0\.0\.1, not for 10\.0\.0\.2/,
  ],
  [
    'there are no names',
    { chain: [nameless.certificate, intermediate.certificate] },
    ['no-subject-alt-name'],
    /no subjectAltName/,
  ],
  [
    'it is for clients',
    { chain: [client.certificate, intermediate.certificate] },
    ['certificate-wrong-purpose'],
    /is for clientAuth/,
  ],
  ['the key is another one', { key: spki(testKey()) }, ['key-mismatch'], /of the same kind, ecdsa-p256/],
  [
    'the key is of another kind',
    { key: spki(testKey('ed25519')) },
    ['key-type-mismatch'],
    /the key is ed25519, the certificate is for ecdsa-p256/,
  ],
  [
    'the file starts with the authority',
    { chain: [intermediate.certificate, leaf.certificate], name: null, purpose: 'any' },
    ['chain-order'],
    /api\.internal belongs there/,
  ],
  ['name and key are both wrong', { name: 'x.internal', key: spki(testKey()) }, ['name-mismatch', 'key-mismatch'], /./],
];

for (const [when, overrides, ids, what] of rows)
  test(`refused when ${when}`, () => {
    const { ok, findings } = verifyChain(request(overrides));
    assert.equal(ok, false);
    assert.deepEqual(
      findings.map(({ id }) => id),
      ids,
    );
    assert.match(findings.map((finding) => finding.what).join('\n'), what);
    for (const { subject } of findings) assert.ok(subject.length > 0);
  });

test('a chain out of order is accepted with a warning that has the right order', () => {
  const { ok, findings } = verifyChain(
    request({ chain: [leaf.certificate, root.certificate, intermediate.certificate] }),
  );
  assert.equal(ok, true);
  assert.deepEqual(
    findings.map(({ id, severity, what }) => ({ id, severity, what })),
    [
      {
        id: 'chain-order',
        severity: 'warning',
        what: 'not in order; it should be api.internal, CN=Test Intermediate, CN=Test Root',
      },
    ],
  );
});

test('intermediates that are given, not sent, complete the path', () => {
  assert.equal(verifyChain(request({ chain: [leaf.certificate], intermediates: [intermediate.certificate] })).ok, true);
});
