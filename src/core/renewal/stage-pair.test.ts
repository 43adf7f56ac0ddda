import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, dns, makeIntermediate, makeLeaf, makeRoot, NOW, testKey } from '../../../test/vectors/made-certificate.ts';
import { encodeExtendedKeyUsage } from '../x509/extended-key-usage.ts';
import { encodeSubjectAltName } from '../x509/subject-alt-name.ts';
import { type Pair, provePair, type WantedPair } from './stage-pair.ts';

const root = makeRoot();
const intermediate = makeIntermediate(root);
const leaf = makeLeaf(intermediate);
const PEM = 'the key, which is not parsed here';

const pair: Pair = {
  chain: [leaf.certificate, intermediate.certificate],
  keyPem: PEM,
  publicKey: leaf.key.publicKey,
  anchors: [root.certificate],
};
const wanted: WantedPair = { names: dns('api.internal'), purpose: 'server', trust: null };

function naming(...names: readonly string[]): Pair {
  const extensions = { subjectAltName: encodeSubjectAltName(dns(...names), true) };
  const { certificate, key } = makeLeaf(intermediate, { extensions });
  return { ...pair, chain: [certificate, intermediate.certificate], publicKey: key.publicKey };
}

test('a pair that is as it was asked for is proven, with the root to which it leads', () => {
  const proof = provePair(pair, wanted, NOW);
  assert.ok(!('flaw' in proof));
  assert.deepEqual([proof.chain, proof.keyPem, proof.trust], [pair.chain, PEM, [root.certificate]]);
});

test('the bundle of the one that asks comes before the root of the pair', () => {
  const other = makeRoot('Other').certificate;
  const proof = provePair(pair, { ...wanted, trust: [other] }, NOW);
  assert.deepEqual('flaw' in proof ? proof.flaw : proof.trust, [other]);
});

function forged(): Pair {
  const { certificate, key } = makeLeaf(makeIntermediate(root), { extensions: { authorityKeyIdentifier: null } });
  return { ...pair, chain: [certificate, intermediate.certificate], publicKey: key.publicKey };
}

/** Each is right but for one thing. */
const FLAWED: readonly [what: string, made: Pair, asked: Partial<WantedPair>, now: string | null, flaw: RegExp][] = [
  ['no certificate', { ...pair, chain: [] }, {}, null, /the chain is empty/],
  ['a foreign key', { ...pair, publicKey: testKey().publicKey }, {}, null, /key does not belong to the certificate/],
  ['no intermediate', { ...pair, chain: [leaf.certificate] }, {}, null, /neither sent nor is it trusted/],
  [
    'another chain',
    { ...pair, chain: [leaf.certificate, makeIntermediate(root, 'Other').certificate] },
    {},
    null,
    /neither sent nor is it trusted/,
  ],
  ['a signature by somebody who calls himself the intermediate', forged(), {}, null, /signature does not verify/],
  ['another root', { ...pair, anchors: [makeRoot('Other').certificate] }, {}, null, /neither sent nor is it trusted/],
  ['not yet valid', pair, {}, '2025-12-31T23:59:59Z', /valid from 2026-01-01/],
  ['expired', pair, {}, '2026-03-01T00:00:01Z', /expired at 2026-03-01/],
  ['a name missing', pair, { names: dns('api.internal', 'www.internal') }, null, /does not name .*www\.internal/],
  ['a wildcard missing', naming('a.test'), { names: dns('a.test', '*.a.test') }, null, /does not name .*\*\.a\.test/],
  ['a name that a wildcard covers', naming('*.a.test'), { names: dns('b.a.test') }, null, /does not name .*b\.a\.test/],
  ['a URI missing', pair, { names: [{ kind: 'uri', value: 'spiffe://a/b' }] }, null, /does not name .*spiffe:\/\/a\/b/],
  ['a server’s, for a client', pair, { purpose: 'client' }, null, /client/i],
  [
    'a client’s, for a server',
    (() => {
      const { certificate, key } = makeLeaf(intermediate, {
        extensions: { extKeyUsage: encodeExtendedKeyUsage(['clientAuth']) },
      });
      return { ...pair, chain: [certificate, intermediate.certificate], publicKey: key.publicKey };
    })(),
    {},
    null,
    /server/i,
  ],
];

for (const [what, made, asked, now, flaw] of FLAWED) {
  test(`refused: ${what}`, () => {
    const proof = provePair(made, { ...wanted, ...asked }, now === null ? NOW : at(now));
    assert.match('flaw' in proof ? proof.flaw : 'proven', flaw);
  });
}
