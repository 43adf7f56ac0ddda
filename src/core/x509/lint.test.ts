import assert from 'node:assert/strict';
import test from 'node:test';
import { BROKEN } from '../../../test/vectors/broken-certificates.ts';
import {
  AUTHORITY_VALIDITY,
  type CertificateParts,
  type MadeCertificate,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  testKey,
  validityDer,
} from '../../../test/vectors/made-certificate.ts';
import { explicit, integer } from '../asn1/der-writer.ts';
import { encodeExtendedKeyUsage } from './extended-key-usage.ts';
import { encodeKeyUsage } from './key-usage.ts';
import { LINT_RULES, lintCertificate, lintKindOf } from './lint.ts';
import { LINT_ADVICE } from './lint-advice.ts';
import { CHAIN_LINT_IDS } from './lint-chain.ts';
import type { LintKind } from './lint-rule.ts';

const root = makeRoot();
const intermediate = makeIntermediate(root);
const rsa = testKey('rsa-2048');

const ext = (name: string, value: Uint8Array | null): CertificateParts => ({ extensions: { [name]: value } });
const leaf = (parts: CertificateParts = {}, issuer: MadeCertificate = intermediate) =>
  makeLeaf(issuer, parts).certificate;

test('sound certificates of every kind have no findings', () => {
  const client = encodeExtendedKeyUsage(['clientAuth']);
  const peer = encodeExtendedKeyUsage(['serverAuth', 'clientAuth']);
  assert.deepEqual(lintCertificate(root.certificate, { kind: 'root' }), []);
  assert.deepEqual(lintCertificate(intermediate.certificate, { kind: 'intermediate', issuer: root.certificate }), []);
  assert.deepEqual(
    lintCertificate(leaf(), { kind: 'server', issuer: intermediate.certificate, publicTrust: true }),
    [],
  );
  assert.deepEqual(
    lintCertificate(leaf(ext('extKeyUsage', client)), { kind: 'client', issuer: intermediate.certificate }),
    [],
  );
  assert.deepEqual(
    lintCertificate(leaf(ext('extKeyUsage', peer)), { kind: 'peer', issuer: intermediate.certificate }),
    [],
  );
});

for (const [id, make, context] of BROKEN) {
  const rule = LINT_RULES.find((candidate) => candidate.id === id);
  test(`${id} fires on a certificate made to break it (${rule?.section})`, () => {
    const finding = lintCertificate(make(), context).find((candidate) => candidate.id === id);
    assert.ok(
      finding,
      `found only ${lintCertificate(make(), context)
        .map((candidate) => candidate.id)
        .join(', ')}`,
    );
    assert.equal(finding.section, rule?.section);
    assert.equal(finding.severity, rule?.severityOf?.[context.kind] ?? rule?.severity);
    assert.ok(finding.what.length > 10);
  });
}

test('every rule, and every finding of a chain, says what comes of it and what to do; nobody else is advised', () => {
  const ids = [...LINT_RULES.map(({ id }) => id), ...CHAIN_LINT_IDS];
  assert.deepEqual(Object.keys(LINT_ADVICE).toSorted(), ids.toSorted());
  for (const { why, remedy } of Object.values(LINT_ADVICE))
    for (const text of [why, remedy]) assert.match(text, /^[A-Z].*\.$/s);
});

test('every rule has a certificate that breaks it, and no id appears twice', () => {
  assert.deepEqual(LINT_RULES.map(({ id }) => id).toSorted(), BROKEN.map(([id]) => id).toSorted());
  assert.equal(new Set(LINT_RULES.map(({ id }) => id)).size, LINT_RULES.length);
});

/** CA/Browser Forum SC-081: the last lifetime that is allowed, and one second more. */
const PUBLIC_LIMITS: readonly [notBefore: string, notAfter: string, allowed: boolean][] = [
  ['2026-03-14T23:59:59Z', '2027-04-16T23:59:58Z', true],
  ['2026-03-14T23:59:59Z', '2027-04-16T23:59:59Z', false],
  ['2026-03-15T00:00:00Z', '2026-09-30T23:59:59Z', true],
  ['2026-03-15T00:00:00Z', '2026-10-01T00:00:00Z', false],
  ['2027-03-15T00:00:00Z', '2027-06-22T23:59:59Z', true],
  ['2027-03-15T00:00:00Z', '2027-06-23T00:00:00Z', false],
  ['2029-03-15T00:00:00Z', '2029-04-30T23:59:59Z', true],
  ['2029-03-15T00:00:00Z', '2029-05-01T00:00:00Z', false],
];

for (const [notBefore, notAfter, allowed] of PUBLIC_LIMITS) {
  test(`a public certificate from ${notBefore} to ${notAfter} is ${allowed ? 'short' : 'too long'} enough (Baseline Requirements §6.3.2)`, () => {
    const certificate = leaf({ validity: validityDer(notBefore, notAfter) });
    const ids = lintCertificate(certificate, { kind: 'server', publicTrust: true }).map(({ id }) => id);
    assert.equal(ids.includes('lifetime-over-public-limit'), !allowed);
    assert.deepEqual(lintCertificate(certificate, { kind: 'server' }), []);
  });
}

const KINDS: readonly [what: string, certificate: () => Parameters<typeof lintKindOf>[0], kind: LintKind][] = [
  ['a self-signed authority', () => root.certificate, 'root'],
  ['an authority', () => intermediate.certificate, 'intermediate'],
  ['a server', () => leaf(), 'server'],
  ['a client', () => leaf(ext('extKeyUsage', encodeExtendedKeyUsage(['clientAuth']))), 'client'],
  ['both', () => leaf(ext('extKeyUsage', encodeExtendedKeyUsage(['clientAuth', 'serverAuth']))), 'peer'],
  ['a leaf without purposes', () => leaf(ext('extKeyUsage', null)), 'server'],
  ['a root of version 1', () => makeRoot('Old', { version: null, withExtensions: false }).certificate, 'root'],
];

for (const [what, certificate, kind] of KINDS) {
  test(`${what} is judged as ${kind}`, () => assert.equal(lintKindOf(certificate()), kind));
}

test('a root of RSA has no findings, a leaf of RSA may encipher', () => {
  const rsaRoot = makeRoot('RSA', { key: rsa, validity: AUTHORITY_VALIDITY, version: explicit(0, integer(2)) });
  assert.deepEqual(lintCertificate(rsaRoot.certificate, { kind: 'root' }), []);
  const usages = encodeKeyUsage(['digitalSignature', 'keyEncipherment']);
  assert.deepEqual(
    lintCertificate(leaf({ key: testKey('rsa-2048'), ...ext('keyUsage', usages) }, rsaRoot), {
      kind: 'server',
      issuer: rsaRoot.certificate,
    }),
    [],
  );
});
