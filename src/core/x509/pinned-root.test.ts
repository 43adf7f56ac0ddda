import assert from 'node:assert/strict';
import test from 'node:test';
import { makeIntermediate, makeLeaf, makeRoot, testKey } from '../../../test/vectors/made-certificate.ts';
import type { Hex } from '../bytes/hex.ts';
import { encodeBasicConstraints } from './basic-constraints.ts';
import { parseCertificate } from './certificate.ts';
import { encodeKeyUsage } from './key-usage.ts';
import { encodeName } from './name.ts';
import { parseFingerprint, pinRoot } from './pinned-root.ts';

const HEX = '9f'.repeat(32);

test('fingerprints are taken as tools print them, and nothing shorter than a SHA-256', () => {
  const colons = HEX.toUpperCase().replace(/..(?=.)/g, '$&:');
  for (const text of [HEX, HEX.toUpperCase(), colons, `sha256 Fingerprint=${colons}`, ` ${HEX}\n`])
    assert.deepEqual(parseFingerprint(text), { fingerprint: HEX }, text);
  for (const [text, why] of [
    ['9f'.repeat(20), /SHA-1/],
    ['9f'.repeat(31), /62 digits/],
    [`${HEX}00`, /66 digits/],
    ['', /not hexadecimal/],
    ['sha256:xyz', /not hexadecimal/],
  ] as const) {
    const parsed = parseFingerprint(text);
    assert.match('why' in parsed ? parsed.why : 'taken', why);
  }
});

const root = makeRoot();
const subject = encodeName({ commonName: 'localhost' });
const key = testKey();
/** A server's own certificate, as both recipes of the guides make it (W-16). */
const selfSignedLeaf = makeRoot('localhost', {
  extensions: { basicConstraints: encodeBasicConstraints({ ca: false, pathLength: null }) },
});
const versionOne = makeRoot('localhost', { version: null, withExtensions: false });
const forged = parseCertificate(Buffer.concat([root.der.subarray(0, -1), Buffer.from([(root.der.at(-1) ?? 0) ^ 1])]));

test('only a self-signed authority with the known fingerprint is pinned', () => {
  assert.equal(pinRoot(root.certificate, root.certificate.fingerprint).kind, 'pinned');
  for (const [what, certificate, why] of [
    ['an intermediate', makeIntermediate(root).certificate, /another one issued it/],
    ['a leaf', makeLeaf(root).certificate, /another one issued it/],
    ['a self-signed leaf', selfSignedLeaf.certificate, /no authority \(CA:TRUE\)/],
    ['a certificate of version 1', versionOne.certificate, /no authority \(CA:TRUE\)/],
    [
      'an authority that may not sign',
      makeRoot('x', { extensions: { keyUsage: encodeKeyUsage(['digitalSignature']) } }).certificate,
      /keyCertSign/,
    ],
    ['a forged one', forged, /does not verify/],
    [
      'one of another key',
      makeIntermediate(root, 'x', { subject, issuer: subject, key }).certificate,
      /does not verify/,
    ],
  ] as const) {
    const result = pinRoot(certificate, certificate.fingerprint);
    assert.match(result.kind === 'refused' ? result.why : 'pinned', why, what);
  }
  const other = pinRoot(root.certificate, HEX as Hex);
  assert.match(other.kind === 'refused' ? other.why : 'pinned', /has the fingerprint [0-9a-f]{64}, not 9f9f/);
});
