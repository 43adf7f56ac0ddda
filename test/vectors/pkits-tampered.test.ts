/**
 * PKITS certificates and lists that somebody has tampered with, and that are signed all the same: whatever they say is
 * judged or refused with a DerError, within bounds.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { DerError, readDer, readElements } from '../../src/core/asn1/der-reader.ts';
import { bitString, sequence } from '../../src/core/asn1/der-writer.ts';
import { type Crl, parseCrl } from '../../src/core/revocation/crl.ts';
import { type Certificate, parseCertificate } from '../../src/core/x509/certificate.ts';
import { encodeBasicConstraints } from '../../src/core/x509/basic-constraints.ts';
import { type PathResult, validatePath } from '../../src/core/x509/path.ts';
import { ANY_POLICY_INPUTS } from '../../src/core/x509/policy-tree.ts';
import { at, makeRoot, testKey } from './made-certificate.ts';
import { PKITS_ANCHOR, PKITS_CASES, PKITS_MISSING, pkitsCertificate, pkitsList, pkitsListNames } from './pkits.ts';

const NOW = at('2026-11-25T00:00:00Z');
const RUNS = process.env.SLOW === '1' ? 50_000 : 1200;

/** Stands where PKITS's trust anchor stood: the same name, and a key that signs whatever a test wants signed. */
const key = testKey('rsa-2048');
const anchor = PKITS_MISSING
  ? null
  : makeRoot('', {
      key,
      subject: parseCertificate(pkitsCertificate(PKITS_ANCHOR)).subject.raw,
      extensions: {
        subjectKeyIdentifier: null,
        authorityKeyIdentifier: null,
        basicConstraints: encodeBasicConstraints({ ca: true, pathLength: null }),
      },
    }).certificate;

/** The first field of a certificate or list is what is signed. */
function signedPart(der: Uint8Array): Uint8Array {
  const [tbs] = readElements(readDer(der, 'signed'), 'signed');
  assert.ok(tbs);
  return tbs.raw;
}

function signedAgain(tbs: Uint8Array, like: Uint8Array): Uint8Array {
  const [, algorithm] = readElements(readDer(like, 'signed'), 'signed');
  assert.ok(algorithm);
  return sequence(tbs, algorithm.raw, bitString(key.sign(tbs)));
}

/** Octets set to others, removed or repeated, at one to three places. */
const edits = fc.array(
  fc.record({
    where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    kind: fc.constantFrom('set', 'flip', 'remove', 'repeat'),
    octet: fc.oneof(fc.nat(255), fc.constantFrom(0x00, 0x01, 0x30, 0x80, 0xa0, 0xff)),
  }),
  { minLength: 1, maxLength: 3 },
);
type Edits = typeof edits extends fc.Arbitrary<infer T> ? T : never;

function tampered(base: Uint8Array, changes: Edits, from = 0): Uint8Array {
  const octets = Array.from(base);
  for (const { where, kind, octet } of changes) {
    const index = Math.floor(octets.length * (from + (1 - from) * where));
    if (kind === 'set') octets[index] = octet;
    else if (kind === 'flip') octets[index] = (octets[index] ?? 0) ^ (1 << (octet & 7));
    else if (kind === 'remove') octets.splice(index, 1);
    else octets.splice(index, 0, octets[index] ?? 0);
  }
  return Uint8Array.from(octets);
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (fault) {
    if (fault instanceof DerError && fault.path !== '' && fault.offset >= 0) return null;
    throw fault;
  }
}

function judged(leaf: Certificate, intermediates: readonly Certificate[], lists: readonly Crl[]): PathResult {
  assert.ok(anchor);
  return validatePath({
    leaf,
    intermediates,
    anchors: [anchor],
    now: NOW,
    purpose: 'any',
    policies: { ...ANY_POLICY_INPUTS, isRequired: true },
    revocation: { lists, areAuthoritiesRequired: false },
  });
}

const CHAINS = PKITS_CASES.filter(({ chain }) => chain.length > 1).map(({ chain }) => chain);
const LISTS: readonly Crl[] = PKITS_MISSING
  ? []
  : pkitsListNames().flatMap((name) => orNull(() => parseCrl(pkitsList(name))) ?? []);
/** PKITS's own anchor signed these, with a key that the tests do not have. */
const OTHERS = LISTS.filter(({ issuer }) => anchor && !issuer.raw.every((octet, i) => octet === anchor.subject.raw[i]));

test('an authority that was tampered with and signed is judged, or refused with a DerError', {
  skip: PKITS_MISSING,
}, () => {
  const outcomes = new Map<string, number>();
  const note = (what: string): void => void outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
  fc.assert(
    fc.property(fc.constantFrom(...CHAINS), edits, (chain, changes) => {
      const [first = '', ...below] = chain;
      const original = pkitsCertificate(first);
      // Most of what is behind the key are extensions.
      const tbs = tampered(signedPart(original), changes, 0.7);
      const authority = orNull(() => parseCertificate(signedAgain(tbs, original)));
      const others = below.map((name) => orNull(() => parseCertificate(pkitsCertificate(name)))).reverse();
      const [leaf, ...rest] = others;
      if (!authority || !leaf) return note('malformed');
      const intermediates = [authority, ...rest.flatMap((certificate) => certificate ?? [])];
      const result = judged(leaf, intermediates, OTHERS);
      note(result.ok ? 'valid' : result.reason);
    }),
    { numRuns: RUNS },
  );
  // The tampering reaches every kind of check, not only the parser.
  for (const reached of ['malformed', 'valid', 'policy', 'revocation-unknown'])
    assert.ok(outcomes.has(reached), `${reached} is among ${[...outcomes.keys()].join(', ')}`);
});

test('a list that was tampered with and signed is judged, or refused with a DerError', { skip: PKITS_MISSING }, () => {
  assert.ok(anchor);
  const issuer = anchor;
  const original = pkitsList('TrustAnchorRootCRL');
  const outcomes = new Set<string>();
  const goodAuthority = pkitsCertificate('GoodCACert');
  const authority = parseCertificate(signedAgain(signedPart(goodAuthority), goodAuthority));
  fc.assert(
    fc.property(edits, (changes) => {
      const list = orNull(() => parseCrl(signedAgain(tampered(signedPart(original), changes), original)));
      if (!list) return void outcomes.add('malformed');
      const result = judged(authority, [issuer], [list]);
      outcomes.add(result.ok ? 'valid' : result.reason);
    }),
    { numRuns: RUNS },
  );
  for (const reached of ['malformed', 'valid', 'revocation-unknown']) assert.ok(outcomes.has(reached), reached);
});

test('one octet changed in any certificate or list of a valid path, and it is not valid any more', {
  skip: PKITS_MISSING,
}, () => {
  const names = ['ValidCertificatePathTest1EE', 'GoodCACert'] as const;
  const listNames = ['GoodCACRL', 'TrustAnchorRootCRL'] as const;
  const root = parseCertificate(pkitsCertificate(PKITS_ANCHOR));
  const isValid = (certificates: readonly Uint8Array[], lists: readonly Uint8Array[]): boolean | null =>
    orNull(() => {
      const [leaf, ...intermediates] = certificates.map(parseCertificate);
      assert.ok(leaf);
      const revocation = { lists: lists.map(parseCrl), areAuthoritiesRequired: true };
      return validatePath({ leaf, intermediates, anchors: [root], now: NOW, purpose: 'any', revocation }).ok;
    });
  const certificates = names.map(pkitsCertificate);
  const lists = listNames.map(pkitsList);
  assert.equal(isValid(certificates, lists), true);
  fc.assert(
    fc.property(fc.nat(3), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, position, mask) => {
      const all = [...certificates, ...lists].map((der) => Uint8Array.from(der));
      const der = all[which];
      assert.ok(der);
      const index = position % der.length;
      der[index] = (der[index] ?? 0) ^ mask;
      assert.notEqual(isValid(all.slice(0, 2), all.slice(2)), true);
    }),
    { numRuns: RUNS },
  );
});
