/** The graph of RFC 9618 against the tree of RFC 5280 §6.1, written out here as the RFC has it, and its bounds. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { makeIntermediate, makeRoot, testKey } from '../../../test/vectors/made-certificate.ts';
import { boolean, implicit, integer, octetString, oid, sequence } from '../asn1/der-writer.ts';
import type { Certificate } from './certificate.ts';
import { encodeCertificatePolicies } from './certificate-policies.ts';
import { encodeName } from './name.ts';
import { ANY_POLICY, ANY_POLICY_INPUTS, type PolicyInputs, processPolicies } from './policy-tree.ts';

/** What one certificate says of policies: policy 0 is anyPolicy. */
interface Said {
  readonly policies: readonly number[] | null;
  readonly mappings: readonly (readonly [issuer: number, subject: number])[];
  readonly explicit: number | null;
  readonly mapping: number | null;
  readonly any: number | null;
  readonly isSelfIssued: boolean;
}

const SILENT: Said = { policies: null, mappings: [], explicit: null, mapping: null, any: null, isSelfIssued: false };
const policy = (number: number): string => (number === 0 ? ANY_POLICY : `1.2.3.${number}`);

const key = testKey();
const root = makeRoot('Root', { key });
const NAME = encodeName({ commonName: 'Same' });

function certificateSaying({ policies, mappings, explicit, mapping, any, isSelfIssued }: Said): Certificate {
  const critical = (type: string, value: Uint8Array): Uint8Array =>
    sequence(oid(type), boolean(true), octetString(value));
  const counts = [explicit, mapping].flatMap((count, tag) =>
    count === null ? [] : [implicit(tag, Uint8Array.of(count))],
  );
  const pairs = mappings.map((pair) => sequence(...pair.map((number) => oid(policy(number)))));
  return makeIntermediate(root, 'Authority', {
    key,
    ...(isSelfIssued && { subject: NAME, issuer: NAME }),
    extensions: {
      policies: policies && encodeCertificatePolicies(policies.map(policy)),
      mappings: pairs.length > 0 ? critical('2.5.29.33', sequence(...pairs)) : null,
      constraints: counts.length > 0 ? critical('2.5.29.36', sequence(...counts)) : null,
      any: any === null ? null : critical('2.5.29.54', integer(any)),
    },
  }).certificate;
}

/** Leaf first, anchor last; `said` is in the order of issuance. */
const pathSaying = (said: readonly Said[]): Certificate[] => [
  ...said.map(certificateSaying).reverse(),
  root.certificate,
];

interface TreeNode {
  readonly policy: string;
  expected: ReadonlySet<string>;
  readonly parent: TreeNode | null;
  readonly depth: number;
}

/** RFC 5280 §6.1.2 to §6.1.5, policies only; the result's policies, or null for an invalid path. */
function byTheTree(said: readonly Said[], inputs: PolicyInputs): string[] | null {
  const n = said.length;
  let tree: TreeNode[] = [{ policy: ANY_POLICY, expected: new Set([ANY_POLICY]), parent: null, depth: 0 }];
  let explicitPolicy = inputs.isRequired ? 0 : n + 1;
  let policyMapping = inputs.inhibitsMapping ? 0 : n + 1;
  let inhibitAny = inputs.inhibitsAnyPolicy ? 0 : n + 1;
  const prune = (below: number): void => {
    for (let count = -1; count !== tree.length; ) {
      count = tree.length;
      const parents = new Set(tree.map((node) => node.parent));
      tree = tree.filter((node) => node.depth > below || parents.has(node));
    }
  };
  for (const [index, certificate] of said.entries()) {
    const i = index + 1;
    const above = tree.filter((node) => node.depth === i - 1);
    const isEmpty = above.length === 0;
    if (certificate.policies === null || isEmpty) tree = [];
    else {
      const names = certificate.policies.map(policy);
      for (const name of new Set(names)) {
        if (name === ANY_POLICY) continue;
        const matching = above.filter((node) => node.expected.has(name));
        const parents = matching.length > 0 ? matching : above.filter((node) => node.policy === ANY_POLICY);
        for (const parent of parents) tree.push({ policy: name, expected: new Set([name]), parent, depth: i });
      }
      if (names.includes(ANY_POLICY) && (inhibitAny > 0 || (i < n && certificate.isSelfIssued))) {
        for (const parent of above) {
          const children = tree.filter((node) => node.parent === parent).map((node) => node.policy);
          for (const name of parent.expected) {
            if (!children.includes(name)) tree.push({ policy: name, expected: new Set([name]), parent, depth: i });
          }
        }
      }
      prune(i - 1);
    }
    if (explicitPolicy === 0 && tree.length === 0) return null;
    if (i === n) continue;
    if (certificate.mappings.some((pair) => pair.includes(0))) return null;
    for (const from of new Set(certificate.mappings.map(([issuer]) => issuer))) {
      const to = new Set(certificate.mappings.filter(([issuer]) => issuer === from).map((pair) => policy(pair[1])));
      const here = tree.filter((node) => node.depth === i);
      const nodes = here.filter((node) => node.policy === policy(from));
      if (policyMapping === 0) {
        tree = tree.filter((node) => !nodes.includes(node));
        prune(i - 1);
        continue;
      }
      for (const node of nodes) node.expected = to;
      const any = here.find((node) => node.policy === ANY_POLICY);
      if (nodes.length === 0 && any) tree.push({ policy: policy(from), expected: to, parent: any.parent, depth: i });
    }
    if (!certificate.isSelfIssued) {
      explicitPolicy = Math.max(0, explicitPolicy - 1);
      policyMapping = Math.max(0, policyMapping - 1);
      inhibitAny = Math.max(0, inhibitAny - 1);
    }
    explicitPolicy = Math.min(explicitPolicy, certificate.explicit ?? n + 1);
    policyMapping = Math.min(policyMapping, certificate.mapping ?? n + 1);
    inhibitAny = Math.min(inhibitAny, certificate.any ?? n + 1);
  }
  const isRequired = explicitPolicy <= 1 || said.at(-1)?.explicit === 0;
  const own = tree.filter((node) => node.policy !== ANY_POLICY && node.parent?.policy === ANY_POLICY);
  const last = tree.filter((node) => node.depth === n);
  const isAny = last.some((node) => node.policy === ANY_POLICY);
  const authority = new Set([...own.map((node) => node.policy), ...(isAny ? [ANY_POLICY] : [])]);
  const policies =
    inputs.acceptable === null ? [...authority] : [...inputs.acceptable].filter((name) => isAny || authority.has(name));
  return isRequired && policies.length === 0 ? null : policies.sort();
}

const number = fc.integer({ min: 0, max: 4 });
const count = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }) },
);
const someSaid: fc.Arbitrary<Said> = fc.record({
  policies: fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 9, arbitrary: fc.uniqueArray(number, { minLength: 1, maxLength: 4 }) },
  ),
  mappings: fc.oneof(
    fc.constant([]),
    fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })), {
      maxLength: 4,
      selector: String,
    }),
  ),
  explicit: count,
  mapping: count,
  any: count,
  isSelfIssued: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
const someInputs: fc.Arbitrary<PolicyInputs> = fc.record({
  acceptable: fc.option(
    fc
      .uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 })
      .map((list) => new Set(list.map(policy))),
  ),
  isRequired: fc.boolean(),
  inhibitsMapping: fc.boolean(),
  inhibitsAnyPolicy: fc.boolean(),
});

test('the graph (RFC 9618) and the tree (RFC 5280 §6.1) come to the same policies', () => {
  let [valid, invalid] = [0, 0];
  fc.assert(
    fc.property(fc.array(someSaid, { minLength: 1, maxLength: 5 }), someInputs, (said, inputs) => {
      const expected = byTheTree(said, inputs);
      const result = processPolicies(pathSaying(said), inputs);
      assert.deepEqual(result.ok ? result.policies : null, expected);
      if (expected === null) invalid++;
      else valid++;
    }),
    { numRuns: process.env.SLOW === '1' ? 20_000 : 800 },
  );
  assert.ok(valid > 50 && invalid > 50, `${valid} valid and ${invalid} invalid paths`);
});

test('mappings that a tree would multiply at every certificate cost no more than their number (RFC 9618 §3)', () => {
  const all = Array.from({ length: 24 }, (_, index) => index + 1);
  const crossed: Said = {
    ...SILENT,
    policies: all,
    mappings: all.flatMap((from) => all.map((to) => [from, to] as const)),
  };
  const started = performance.now();
  const result = processPolicies(pathSaying([crossed, crossed, crossed, crossed, crossed, crossed, crossed]), {
    ...ANY_POLICY_INPUTS,
    isRequired: true,
  });
  assert.ok(result.ok);
  assert.equal(result.policies.length, all.length);
  // The tree would have 24^7 leaves.
  assert.ok(performance.now() - started < 5000);
});

test('a path without policies is valid, and under none of them, unless one is required', () => {
  const path = pathSaying([SILENT, SILENT]);
  assert.deepEqual(processPolicies(path, ANY_POLICY_INPUTS), { ok: true, policies: [] });
  assert.deepEqual(processPolicies(path, { ...ANY_POLICY_INPUTS, isRequired: true }), {
    ok: false,
    at: 1,
    detail: 'has no acceptable policy',
  });
});

test('a trusted leaf is valid under any policy: nobody limits it', () => {
  assert.deepEqual(processPolicies([root.certificate], { ...ANY_POLICY_INPUTS, isRequired: true }), {
    ok: true,
    policies: [ANY_POLICY],
  });
});
