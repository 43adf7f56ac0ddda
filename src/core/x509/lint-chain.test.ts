import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type MadeCertificate,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  validityDer,
} from '../../../test/vectors/made-certificate.ts';
import { encodeBasicConstraints } from './basic-constraints.ts';
import { encodeExtendedKeyUsage } from './extended-key-usage.ts';
import { lintChain } from './lint-chain.ts';
import type { LintKind } from './lint-rule.ts';
import { encodeNameConstraints } from './name-constraints.ts';

const root = makeRoot();
const constrained = makeIntermediate(root, 'Constrained', {
  extensions: { names: encodeNameConstraints({ permitted: [{ kind: 'dns', value: 'example.org' }], excluded: [] }) },
});
const single = makeIntermediate(root, 'Single', {
  extensions: { basicConstraints: encodeBasicConstraints({ ca: true, pathLength: 0 }) },
});
const serversOnly = makeIntermediate(root, 'Servers only', {
  extensions: { extKeyUsage: encodeExtendedKeyUsage(['serverAuth']) },
});
const past = makeIntermediate(root, 'Past', { validity: validityDer('2024-01-01T00:00:00Z', '2024-02-01T00:00:00Z') });

/** The leaf is issued by the last one; what is linted is the leaf, then the others upwards, the root left out. */
function under(...authorities: readonly MadeCertificate[]): MadeCertificate[] {
  const [issuer = root] = authorities.toReversed();
  return [makeLeaf(issuer), ...authorities.toReversed()];
}

const below = (issuer: MadeCertificate): MadeCertificate => makeIntermediate(issuer, 'Below');

const ROWS: readonly [what: string, chain: readonly MadeCertificate[], kind: LintKind, found: string | null][] = [
  ['a good chain', under(makeIntermediate(root)), 'server', null],
  ['a good chain with its root', [...under(makeIntermediate(root)).slice(0, 1), root], 'server', null],
  ['a leaf alone', under(), 'server', null],
  ['a leaf and an authority that has nothing to do with it', [makeLeaf(root), single], 'server', null],
  [
    'names that an authority two steps up does not allow',
    under(constrained, below(constrained)),
    'server',
    'CN=Constrained chain-name-constraints',
  ],
  ['one authority too many', under(single, below(single)), 'server', 'CN=Single chain-path-length-exceeded'],
  [
    'an authority for servers above what is judged as a peer',
    under(serversOnly),
    'peer',
    'CN=Servers only chain-extended-key-usage',
  ],
  ['the same above a server', under(serversOnly), 'server', null],
  ['an authority that had ended when its leaf began', under(past), 'server', 'CN=Past chain-expired'],
];

for (const [what, chain, kind, found] of ROWS) {
  test(`lint of a chain: ${what}${found ? '' : ' is not found fault with'}`, () => {
    const findings = lintChain(
      chain.map(({ certificate }) => certificate),
      kind,
    );
    assert.deepEqual(
      findings.map(({ subject, id }) => `${subject} ${id}`),
      found === null ? [] : [found],
    );
    for (const { section, severity } of findings) assert.match(`${severity} ${section}`, /^error RFC 5280 §/);
  });
}
