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
import { namesEqual } from '../../src/core/x509/name.ts';
import { type PathResult, validatePath } from '../../src/core/x509/path.ts';
import { ANY_POLICY_INPUTS } from '../../src/core/x509/policy-tree.ts';
import { at, makeRoot, testKey } from './made-certificate.ts';
import { PKITS_ANCHOR, PKITS_CASES, PKITS_MISSING, pkitsCertificate, pkitsList, pkitsListNames } from './pkits.ts';

const NOW = at('2026-11-25T00:00:00Z');
const RUNS = process.env.SLOW === '1' ? 50_000 : 1200;

/** Signs whatever a test wants signed. */
const key = testKey('rsa-2048');

/** Stands where an authority of PKITS stood: the same name, our key. */
function anchorNamedLike(authority: string): Certificate {
  return makeRoot('', {
    key,
    subject: parseCertificate(pkitsCertificate(authority)).subject.raw,
    extensions: {
      subjectKeyIdentifier: null,
      authorityKeyIdentifier: null,
      basicConstraints: encodeBasicConstraints({ ca: true, pathLength: null }),
    },
  }).certificate;
}

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

type Edit = { readonly where: number; readonly kind: 'set' | 'flip' | 'remove' | 'repeat'; readonly octet: number };

/** From 0 up to 1. Doubles that fast-check draws are nearly all next to 0. */
const evenly = fc.nat(9999).map((part) => part / 10_000);

/** Octets set to others, removed or repeated, at one to three places. */
const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record({
    where: evenly,
    // The latter two leave lengths wrong: most of that ends in the parser.
    kind: fc.constantFrom('set', 'flip', 'set', 'flip', 'set', 'flip', 'remove', 'repeat'),
    octet: fc.oneof(fc.nat(255), fc.constantFrom(0x00, 0x01, 0x30, 0x80, 0xa0, 0xff)),
  }),
  { minLength: 1, maxLength: 3 },
);

function tampered(base: Uint8Array, changes: readonly Edit[], from = 0): Uint8Array {
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

function judged(
  anchor: Certificate,
  leaf: Certificate,
  intermediates: readonly Certificate[],
  lists: readonly Crl[],
): PathResult {
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

/** How often each verdict was come to. */
class Outcomes {
  private readonly counts = new Map<string, number>();

  note(result: PathResult | null): void {
    const what = result === null ? 'malformed' : result.ok ? 'valid' : result.reason;
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** The tampering reaches the checks, not only the parser. */
  assertReached(...outcomes: readonly string[]): void {
    const all = JSON.stringify([...this.counts]);
    for (const outcome of outcomes) assert.ok(this.counts.has(outcome), `${outcome} is among ${all}`);
  }
}

test('an authority that was tampered with and signed is judged, or refused with a DerError', {
  skip: PKITS_MISSING,
}, () => {
  const anchor = anchorNamedLike(PKITS_ANCHOR);
  const chains = PKITS_CASES.filter(({ chain }) => chain.length > 1).map(({ chain }) => chain);
  // PKITS's own anchor signed the lists of its name, with a key that nobody here has.
  const lists = pkitsListNames()
    .flatMap((name) => orNull(() => parseCrl(pkitsList(name))) ?? [])
    .filter(({ issuer }) => !namesEqual(issuer, anchor.subject));
  const outcomes = new Outcomes();
  fc.assert(
    fc.property(fc.constantFrom(...chains), edits, (chain, changes) => {
      const [first = '', ...below] = chain;
      const original = pkitsCertificate(first);
      // Most of what is behind the key are extensions.
      const tbs = tampered(signedPart(original), changes, 0.7);
      const authority = orNull(() => parseCertificate(signedAgain(tbs, original)));
      const [leaf, ...rest] = below.map((name) => orNull(() => parseCertificate(pkitsCertificate(name)))).reverse();
      const others = rest.flatMap((certificate) => certificate ?? []);
      outcomes.note(authority && leaf ? judged(anchor, leaf, [authority, ...others], lists) : null);
    }),
    { numRuns: RUNS },
  );
  outcomes.assertReached('malformed', 'valid', 'policy', 'revocation-unknown');
});

/** Certificates whose lists have something of everything: an indirect one, parts, a delta, relative names. */
const LISTED: readonly (readonly [authority: string, leaf: string, ...lists: readonly string[]])[] = [
  ['indirectCRLCA5Cert', 'InvalidcRLIssuerTest34EE', 'indirectCRLCA5CRL'],
  ['deltaCRLCA1Cert', 'ValiddeltaCRLTest5EE', 'deltaCRLCA1CRL', 'deltaCRLCA1deltaCRL'],
  [
    'onlySomeReasonsCA4Cert',
    'ValidonlySomeReasonsTest19EE',
    'onlySomeReasonsCA4compromiseCRL',
    'onlySomeReasonsCA4otherreasonsCRL',
  ],
  ['distributionPoint2CACert', 'ValiddistributionPointTest5EE', 'distributionPoint2CACRL'],
];

test('a list that was tampered with and signed is judged, or refused with a DerError', { skip: PKITS_MISSING }, () => {
  const signed = LISTED.map(([authority, leaf, ...names]) => ({
    anchor: anchorNamedLike(authority),
    leaf: parseCertificate(signedAgain(signedPart(pkitsCertificate(leaf)), pkitsCertificate(leaf))),
    lists: names.map(pkitsList),
  }));
  const outcomes = new Outcomes();
  fc.assert(
    fc.property(fc.constantFrom(...signed), edits, fc.nat(1), ({ anchor, leaf, lists }, changes, which) => {
      const read = lists.map((list, index) => {
        const tbs = signedPart(list);
        const isChosen = index === which % lists.length;
        return orNull(() => parseCrl(signedAgain(isChosen ? tampered(tbs, changes) : tbs, list)));
      });
      const all = read.flatMap((list) => list ?? []);
      outcomes.note(all.length === read.length ? judged(anchor, leaf, [], all) : null);
    }),
    { numRuns: RUNS },
  );
  outcomes.assertReached('malformed', 'valid', 'revoked', 'revocation-unknown');
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
