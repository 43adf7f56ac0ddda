/** Revocation along a path, where PKITS (test/vectors) has no case of its own: two lists at once, bounds, who may sign. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  at,
  type MadeCertificate,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  NOW,
} from '../../../test/vectors/made-certificate.ts';
import { integer } from '../asn1/der-writer.ts';
import { assembleCrl, type Crl, type CrlContent, encodeCrlTbs, parseCrl } from '../revocation/crl.ts';
import type { RevokedEntry } from '../revocation/revoked-entries.ts';
import { addSeconds, type Instant } from '../time/instant.ts';
import { encodeCrlDistributionPoints } from './crl-distribution-points.ts';
import { encodeSubjectKeyIdentifier, subjectKeyIdentifier } from './key-identifier.ts';
import { encodeKeyUsage } from './key-usage.ts';
import { encodeName } from './name.ts';
import { type PathResult, validatePath } from './path.ts';

const root = makeRoot();
const intermediate = makeIntermediate(root);
const leaf = makeLeaf(intermediate);
const URL = 'http://ca.internal/crl';
const placed = makeLeaf(intermediate, { extensions: { points: encodeCrlDistributionPoints([URL]) } });

const DAY = 86_400;
const entryOf = ({ certificate }: MadeCertificate): RevokedEntry => ({
  serial: certificate.serial,
  revokedAt: at('2026-01-20T00:00:00Z'),
  reason: 'superseded',
});

function listBy(issuer: MadeCertificate, entries: readonly RevokedEntry[], content: Partial<CrlContent> = {}): Crl {
  const tbs = encodeCrlTbs({
    issuer: { certificate: issuer.certificate, keyAlgorithm: 'ecdsa-p256' },
    number: 1,
    thisUpdate: addSeconds(NOW, -DAY),
    nextUpdate: addSeconds(NOW, DAY),
    entries,
    ...content,
  });
  return parseCrl(assembleCrl(tbs, issuer.key.sign(tbs.bytes)));
}

const clean = listBy(intermediate, []);
const ofRoot = listBy(root, []);

interface Given {
  readonly leaf?: MadeCertificate;
  readonly more?: readonly MadeCertificate[];
  readonly areAuthoritiesRequired?: boolean;
  readonly now?: Instant;
}

function judge(lists: readonly Crl[], given: Given = {}): PathResult {
  return validatePath({
    leaf: (given.leaf ?? leaf).certificate,
    intermediates: [intermediate, ...(given.more ?? [])].map(({ certificate }) => certificate),
    anchors: [root.certificate],
    now: given.now ?? NOW,
    purpose: 'server',
    revocation: { lists, areAuthoritiesRequired: given.areAuthoritiesRequired ?? false },
  });
}

const verdict = (result: PathResult): string =>
  result.ok ? `ok, ${result.unchecked.length} unchecked` : result.reason;

/** Of the issuer's name, but with a key and a certificate of its own. */
const signer = (name: string, usage: Parameters<typeof encodeKeyUsage>[0] | null): MadeCertificate =>
  makeIntermediate(root, name, {
    serial: integer(77),
    extensions: { keyUsage: usage && encodeKeyUsage(usage), basicConstraints: null },
  });
const listSigner = signer('Test Intermediate', ['cRLSign']);

const ROWS: readonly [what: string, result: () => PathResult, expected: string][] = [
  [
    'lists of all issuers, nothing in them',
    () => judge([clean, ofRoot], { areAuthoritiesRequired: true }),
    'ok, 0 unchecked',
  ],
  ['nothing of the root, which is not demanded', () => judge([clean]), 'ok, 1 unchecked'],
  [
    'nothing of the root, which is demanded',
    () => judge([clean], { areAuthoritiesRequired: true }),
    'revocation-unknown',
  ],
  ['nothing of the issuer of the leaf', () => judge([ofRoot]), 'revocation-unknown'],
  ['no list at all', () => judge([]), 'revocation-unknown'],
  ['the leaf is in its issuer’s list', () => judge([listBy(intermediate, [entryOf(leaf)])]), 'revoked'],
  ['the intermediate is in the root’s', () => judge([clean, listBy(root, [entryOf(intermediate)])]), 'revoked'],
  [
    'two lists are current, and the later one has the leaf',
    () => judge([clean, listBy(intermediate, [entryOf(leaf)], { thisUpdate: addSeconds(NOW, -60) })]),
    'revoked',
  ],
  [
    'two lists of one second, and the one with the higher number has the leaf',
    () => judge([clean, listBy(intermediate, [entryOf(leaf)], { number: 2 })]),
    'revoked',
  ],
  [
    'the root’s list is stale: what was given must be usable',
    () => judge([clean, listBy(root, [], { nextUpdate: addSeconds(NOW, -1) })]),
    'revocation-unknown',
  ],
  ['at the very end of a list', () => judge([clean], { now: addSeconds(NOW, DAY) }), 'ok, 1 unchecked'],
  ['a second later', () => judge([clean], { now: addSeconds(NOW, DAY + 1) }), 'revocation-unknown'],
  [
    'the list is the one for the place that the certificate names',
    () => judge([listBy(intermediate, [], { distributionPointUrl: URL })], { leaf: placed }),
    'ok, 1 unchecked',
  ],
  [
    'the list is the one for another place',
    () => judge([listBy(intermediate, [], { distributionPointUrl: `${URL}/2` })], { leaf: placed }),
    'revocation-unknown',
  ],
  [
    'the certificate names no place, and the list is for one',
    () => judge([listBy(intermediate, [], { distributionPointUrl: URL })]),
    'revocation-unknown',
  ],
  [
    'somebody of the issuer’s name who may sign lists, and is himself in nobody’s',
    () => judge([listBy(listSigner, []), ofRoot], { more: [listSigner] }),
    'ok, 0 unchecked',
  ],
  [
    'the same, and he is revoked',
    () => judge([listBy(listSigner, []), listBy(root, [entryOf(listSigner)])], { more: [listSigner] }),
    'revocation-unknown',
  ],
  [
    'the same, and nobody tells of him',
    () => judge([listBy(listSigner, [])], { more: [listSigner] }),
    'revocation-unknown',
  ],
  ['the same, and his certificate is not there', () => judge([listBy(listSigner, []), ofRoot]), 'revocation-unknown'],
  ...(['digitalSignature', null] as const).map((usage): (typeof ROWS)[number] => {
    const stranger = signer('Test Intermediate', usage && [usage]);
    return [
      `somebody of the issuer’s name ${usage ? 'who may not sign lists' : 'of whom nobody says that he may sign lists'}`,
      () => judge([listBy(stranger, []), ofRoot], { more: [stranger] }),
      'revocation-unknown',
    ];
  }),
  [
    'somebody of the issuer’s name below another root',
    () => {
      const other = makeIntermediate(makeRoot('Other'), 'Test Intermediate');
      return judge([listBy(other, []), ofRoot], { more: [other] });
    },
    'revocation-unknown',
  ],
  [
    'a list by the leaf itself, which has its issuer’s name',
    () => {
      const own = makeLeaf(intermediate, {
        subject: encodeName({ commonName: 'Test Intermediate' }),
        extensions: { keyUsage: encodeKeyUsage(['digitalSignature', 'cRLSign']) },
      });
      return judge([listBy(own, [])], { leaf: own, more: [own] });
    },
    'revocation-unknown',
  ],
];

for (const [what, result, expected] of ROWS) {
  test(`revocation: ${what}: ${expected}`, () => assert.equal(verdict(result()), expected));
}

test('what is wrong with a list is said with its issuer’s name, and where one is to be had', () => {
  const stale = judge([clean], { now: addSeconds(NOW, 2 * DAY) });
  assert.ok(!stale.ok);
  assert.match(
    stale.detail,
    /the list of "CN=Test Intermediate" is stale: the next one was due at 2026-02-02T00:00:00Z/,
  );
  const missing = judge([], { leaf: placed });
  assert.ok(!missing.ok);
  assert.match(
    missing.detail,
    /no revocation list of its issuer "CN=Test Intermediate" was given; it is offered at http:/,
  );
});

test('signatures of lists count among those that are checked at most: a heap of forged ones ends in a refusal', () => {
  const stolen = subjectKeyIdentifier(intermediate.certificate);
  assert.ok(stolen);
  const forger = makeRoot('Test Intermediate', {
    extensions: { subjectKeyIdentifier: encodeSubjectKeyIdentifier(stolen) },
  });
  const forged = Array.from({ length: 400 }, (_, number) => listBy(forger, [], { number }));
  const strangers = Array.from({ length: 40 }, () => listSigner);
  const started = performance.now();
  assert.equal(verdict(judge([...forged, clean], { more: strangers })), 'revocation-unknown');
  assert.ok(performance.now() - started < 5000);
});
